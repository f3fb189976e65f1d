/**
 * Interruptions of subscriber connections to one Redis: each is found, repaired and told.
 * @live timeout=120s side-by-side
 */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../../test/services/redis.ts';
import { type ProxiedConnection, startTcpProxy } from '../../test/services/tcp-proxy.ts';
import { until } from '../../test/services/until.ts';
import type { StoredMessage } from './bus.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';
import { Heard, message } from './heard.conformance.ts';
import { freshPrefix, openBus, type TestBus } from './redis-bus.conformance.ts';

let server: RedisServer;
let redis: Redis;
before(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
});
after(async () => {
  redis?.disconnect();
  await server?.kill();
});

const isSubscriber = ({ said }: ProxiedConnection): boolean => said.includes('beat:');
function openFor(t: TestContext, url: string, options: Partial<RedisBusOptions>): TestBus {
  const opened = openBus({ url }, options);
  t.after(() => opened.close());
  return opened;
}
const soon = { timeoutMs: 10_000, pollMs: 10 };

test('[BUS-15] [BUS-1] connections that Redis ends are made again, and it is told once', async (t) => {
  const one = openFor(t, server.url, { prefix: freshPrefix() });
  const heard = new Heard<Uint8Array>();
  await one.bus.subscribe('t', heard.listen);
  for (const round of [1, 2, 3]) {
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('the interruption is told', async () => one.resets.length === round, soon);
    await one.bus.publish('t', Uint8Array.of(round));
    await heard.until(round);
  }
  assert.match(one.resets[0]!, /subscriber connection was replaced/);
});

test('[BUS-15] a connection that is open but silent is found within 2 s and replaced', async (t) => {
  const proxy = await startTcpProxy(server);
  t.after(() => proxy.close());
  const prefix = freshPrefix();
  const listening = openFor(t, `redis://${proxy.address}`, { prefix });
  const speaking = openFor(t, server.url, { prefix });
  const heard = new Heard<Uint8Array>();
  const followed = new Heard<StoredMessage>();
  await listening.bus.subscribe('t', heard.listen);
  await listening.bus.follow('c', followed.listen);
  await speaking.bus.publish('t', Uint8Array.of(1));
  await heard.until(1);
  const silentAt = performance.now();
  for (const line of proxy.connections) if (isSubscriber(line)) line.swallow();
  await speaking.bus.publish('t', Uint8Array.of(2));
  await speaking.bus.append('c', message('lost'));
  await until('the interruption is told', async () => listening.resets.length > 0, soon);
  t.diagnostic(`found and replaced after ${Math.round(performance.now() - silentAt)} ms`);
  assert.ok(performance.now() - silentAt < 4_000, 'also on a machine that is busy');
  assert.match(listening.resets[0]!, /heartbeat/);
  // What was lost meanwhile is the listener's to read.
  const { messages } = await listening.bus.history('c', 0, 10);
  assert.deepEqual(
    messages.map(({ id }) => id),
    ['lost'],
  );
  await speaking.bus.publish('t', Uint8Array.of(3));
  await speaking.bus.append('c', message('next'));
  await heard.until(2);
  await followed.until(1);
  assert.deepEqual([heard.all[1]![0], followed.all[0]!.position], [3, 2]);
  assert.equal(listening.resets.length, 1);
  assert.deepEqual(speaking.resets, []);
});

test('[BUS-15] a subscriber that reads too slowly is ended by Redis, and hears of the gap', async (t) => {
  await redis.config('SET', 'client-output-buffer-limit', 'pubsub 1mb 1mb 1');
  const proxy = await startTcpProxy(server);
  t.after(() => proxy.close());
  const prefix = freshPrefix();
  const listening = openFor(t, `redis://${proxy.address}`, {
    prefix,
    heartbeatTimeoutMs: 20_000,
    heartbeatLateMs: 20_000,
  });
  const speaking = openFor(t, server.url, { prefix });
  const heard = new Heard<Uint8Array>();
  await listening.bus.subscribe('t', heard.listen);
  for (const line of proxy.connections) if (isSubscriber(line)) line.stopReading();
  const large = new Uint8Array(1_000_000);
  // Only the speaking one's subscriber is left then.
  await until(
    'Redis ends it',
    async () => {
      await speaking.bus.publish('t', large);
      return (
        String(await redis.client('LIST', 'TYPE', 'PUBSUB'))
          .trim()
          .split('\n').length === 1
      );
    },
    soon,
  );
  for (const line of [...proxy.connections]) if (isSubscriber(line)) line.cut();
  await until('the interruption is told', async () => listening.resets.length > 0, soon);
  const before = heard.all.length;
  await speaking.bus.publish('t', Uint8Array.of(1));
  await until('messages come again', async () => heard.all.length > before, soon);
  await redis.config('SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60');
});

test('[BUS-15] [BUS-18] a Redis that lost its memory is noticed by the heartbeat', async (t) => {
  const one = openFor(t, server.url, { prefix: freshPrefix() });
  const followed = new Heard<StoredMessage>();
  await one.bus.follow('c', followed.listen);
  const before = await one.bus.append('c', message('a'));
  await until('heartbeats come', async () => (await redis.exists('nothing')) === 0, soon);
  await delay(1_000);
  await redis.flushall();
  await until('the interruption is told', async () => one.resets.length > 0, soon);
  assert.match(one.resets[0]!, /lost its memory/);
  const [head] = await one.bus.heads(['c']);
  assert.equal(head!.position, 0);
  assert.notEqual(head!.epoch, before.epoch);
  const again = await one.bus.append('c', message('a'));
  assert.deepEqual(again, { epoch: head!.epoch, position: 1 });
  await followed.until(2);
  assert.equal(followed.all[1]!.epoch, head!.epoch);
});

test('a storm of joins is a few commands on one connection, and leaving is as quiet', async (t) => {
  const names = Array.from({ length: 5_000 }, (_, index) => `feed:${index}`);
  const prefix = freshPrefix();
  const one = openFor(t, server.url, { prefix, unsubscribeDelayMs: 50 });
  await one.bus.subscribe('first', () => undefined);
  await redis.config('RESETSTAT');
  const heard: string[] = [];
  const leave = await Promise.all(
    names.map((name) => one.bus.follow(name, ({ id }) => void heard.push(`${name} ${id}`))),
  );
  const twice = await Promise.all(names.map((name) => one.bus.follow(name, () => undefined)));
  assert.equal(await calls('subscribe'), 5);
  await Promise.all([one.bus.append('feed:7', message('a')), one.bus.append('feed:4999', message('b'))]);
  await until('both are heard', async () => heard.length === 2, soon);
  for (const end of leave) end();
  await delay(150);
  assert.equal(await calls('unsubscribe'), 0, 'others still listen');
  for (const end of twice) end();
  const [back] = await Promise.all([one.bus.follow('feed:7', () => undefined), delay(200)]);
  assert.equal(await calls('unsubscribe'), 5);
  assert.equal(await calls('subscribe'), 5, 'who came back in time had not left');
  const left = (await redis.pubsub('CHANNELS', `${prefix}*`)) as string[];
  assert.equal(left.length, 3, `${left}: its heartbeat, the first topic, and one feed`);
  back();
  const clients = String(await redis.client('LIST'))
    .trim()
    .split('\n');
  assert.ok(
    clients.length <= 4,
    `the test, its client, and two connections of the bus: ${clients.join('\n')}`,
  );
  assert.deepEqual(one.resets, []);
});

async function calls(command: string): Promise<number> {
  const stats = await redis.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}
