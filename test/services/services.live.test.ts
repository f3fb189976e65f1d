import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRedis } from './redis.ts';

test('redis: what was acknowledged outlives a kill, on the same port', async () => {
  const redis = await startRedis({ appendonly: true });
  assert.equal(await redis.call('SET', 'a', 'before'), 'OK');
  const pid = redis.pid;
  await redis.kill();
  assert.equal(redis.pid, undefined);
  await assert.rejects(redis.call('PING'));
  await redis.start();
  assert.notEqual(redis.pid, pid);
  assert.equal(await redis.call('GET', 'a'), 'before');
  await redis.stop();
});
