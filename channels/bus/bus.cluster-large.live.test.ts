/**
 * The bus on a cluster of ten masters with two replicas each, a master of which is killed under load. Only
 * with RANKCAST_TEST_LARGE=1: thirty servers want more of a machine than the other tests may take from it.
 * @live timeout=300s
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type RedisCluster, startRedisCluster } from '../../test/services/redis-cluster.ts';
import { until } from '../../test/services/until.ts';
import { Traffic, untilHeard } from './failover.redis.conformance.ts';
import { message, range } from './heard.conformance.ts';
import { createLayout } from './layout.redis.ts';
import { freshPrefix, openBus } from './redis-bus.conformance.ts';

const isWanted = process.env['RANKCAST_TEST_LARGE'] === '1';
const skip = isWanted ? false : 'RANKCAST_TEST_LARGE is not 1';
const channels = 200;
let cluster: RedisCluster | undefined;
before(async () => {
  // A server that gets no turn for a second on a busy machine is not dead.
  if (isWanted) cluster = await startRedisCluster({ masters: 10, replicasEach: 2, nodeTimeoutMs: 2_000 });
});
after(() => cluster?.kill());

test('[BUS-15] [BUS-18] one of ten masters is killed under load', { skip }, async (t) => {
  const { addresses, masters, ownerOf, untilSettled } = cluster!;
  const where = { cluster: addresses.map(({ host, port }) => `${host}:${port}`) };
  const options = { prefix: freshPrefix(), historyMessagesMax: 100_000 };
  const [one, two] = [openBus(where, options), openBus(where, options)];
  t.after(() => Promise.all([one.close(), two.close()]));
  const traffic = new Traffic(one.bus, two.bus, channels);
  await traffic.start();
  await delay(3_000);
  const before = traffic.acknowledged.length;
  const master = await ownerOf(createLayout(options.prefix, true).log('c0').stream);
  const killedAt = performance.now();
  await master.kill();
  await until('both hear of it', async () => one.resets.length > 0 && two.resets.length > 0, {
    timeoutMs: 60_000,
  });
  const toldMs = Math.round(performance.now() - killedAt);
  await delay(3_000);
  await traffic.stop();
  await untilHeard(one.bus, two.bus, range(1, 100).map(String));
  t.diagnostic(`${Math.round(before / 3)} appends/s before; told ${toldMs} ms after the kill`);
  t.diagnostic(`resets: ${one.resets.join(' | ')} || ${two.resets.join(' | ')}`);
  t.diagnostic(await traffic.verify());
  assert.deepEqual([one.errors, two.errors], [[], []]);
  assert.equal((await masters()).length, 10);
  await Promise.all(range(1, 1_000).map((n) => one.bus.append(`after${n}`, message('a'))));
  await untilSettled();
});
