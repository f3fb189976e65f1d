/**
 * Appends through everything that happens to one Redis.
 * @live timeout=180s side-by-side
 */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ServiceError } from '../../proto/codes.ts';
import { type RedisServer, startRedis } from '../../test/services/redis.ts';
import { until } from '../../test/services/until.ts';
import { seededRandom } from '../random.ts';
import type { Position, StoredMessage } from './bus.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';
import { Heard, message, range } from './heard.conformance.ts';
import { freshPrefix, openBus, type TestBus } from './redis-bus.conformance.ts';

let server: RedisServer;
let redis: Redis;
before(async () => {
  server = await startRedis({ appendonly: true });
  redis = new Redis(server.url);
  redis.on('error', () => undefined);
});
after(async () => {
  redis?.disconnect();
  await server?.kill();
});

const soon = { timeoutMs: 20_000, pollMs: 10 };
const retryable = (error: unknown): boolean => error instanceof ServiceError && error.retryable;

function openFor(t: TestContext, options: Partial<RedisBusOptions>): TestBus {
  const opened = openBus({ url: server.url }, options);
  t.after(() => opened.close());
  return opened;
}

test('[BUS-7] [BUS-8] [BUS-9] appends keep their order while connections are killed', async (t) => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`SEED=${seed}`);
  const random = seededRandom(seed);
  const { bus, errors } = openFor(t, { prefix: freshPrefix(), historyMessagesMax: 100_000 });
  const answers: Promise<Position>[][] = [[], [], []];
  for (let round = 0; round < 60; round++) {
    for (const [channel, list] of answers.entries()) {
      const count = Math.floor(random() * 40);
      for (let n = 0; n < count; n++) list.push(bus.append(`c${channel}`, message(`m${list.length}`)));
    }
    if (random() < 0.5) await delay(random() * 5);
    if (random() < 0.4) await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  }
  for (const [channel, list] of answers.entries()) {
    const positions = (await Promise.all(list)).map(({ position }) => position);
    assert.deepEqual(positions, range(1, list.length));
    const { messages, head } = await wholeHistory(bus, `c${channel}`);
    assert.equal(head, list.length);
    assert.deepEqual(
      messages.map(({ id }) => id),
      list.map((_, index) => `m${index}`),
    );
  }
  assert.deepEqual(errors, []);
});

test('[BUS-18] [BUS-7] a restarted Redis has its messages, in another epoch; appends wait', async (t) => {
  const prefix = freshPrefix();
  const one = openFor(t, { prefix });
  const two = openFor(t, { prefix });
  const heard = new Heard<StoredMessage>();
  await two.bus.follow('c', heard.listen);
  const first = await one.bus.append('c', message('a'));
  await heard.until(1);
  await delay(1_100);
  await server.kill();
  await until('it is known', async () => one.bus.publish('t', Uint8Array.of(1)).then(() => false, retryable));
  const waiting = [one.bus.append('c', message('a')), one.bus.append('c', message('b'))];
  await assert.rejects(one.bus.publish('t', Uint8Array.of(1)), retryable);
  await server.start();
  const [again, next] = await Promise.all(waiting);
  assert.deepEqual([again!.position, next!.position], [1, 2], 'the file was written every second');
  assert.notEqual(again!.epoch, first.epoch);
  assert.equal(next!.epoch, again!.epoch);
  await until('the interruption is told', async () => one.resets.length > 0 && two.resets.length > 0, soon);
  const read = await two.bus.history('c', 0, 10);
  assert.deepEqual([read.epoch, read.head, read.messages.length], [next!.epoch, 2, 2]);
  assert.deepEqual(await one.bus.append('c', message('c')), { epoch: next!.epoch, position: 3 });
  await until('messages come again', async () => heard.all.at(-1)?.id === 'c', soon);
  assert.deepEqual(one.errors, []);
});

test('a Redis that stands still: every call settles, and all goes on when it does', async (t) => {
  const one = openFor(t, { prefix: freshPrefix(), callTimeoutMs: 2_500 });
  const heard = new Heard<Uint8Array>();
  await one.bus.subscribe('t', heard.listen);
  await one.bus.append('c', message('a'));
  server.pause();
  t.after(() => server.resume());
  const calls = [
    one.bus.publish('t', Uint8Array.of(1)),
    one.bus.append('c', message('b')),
    one.bus.history('c', 0, 1),
    one.bus.heads(['c']),
    one.bus.subscribe('u', () => undefined),
    one.bus.ask('s', Uint8Array.of(1), 1_000),
  ];
  await Promise.all(calls.map((call) => assert.rejects(call, retryable)));
  server.resume();
  await until('it is told', async () => one.resets.length > 0, soon);
  assert.deepEqual((await one.bus.append('c', message('b'))).position, 2, 'done once, if ever before');
  await one.bus.publish('t', Uint8Array.of(2));
  await until('messages come again', async () => heard.all.at(-1)?.[0] === 2, soon);
});

test('[BUS-8] [BUS-15] Redis may forget the scripts at any time', async (t) => {
  const { bus, resets } = openFor(t, { prefix: freshPrefix() });
  for (const n of range(1, 20)) {
    if (n % 4 === 0) await redis.script('FLUSH');
    assert.equal((await bus.append('c', message(`m${n}`))).position, n);
    if (n % 5 === 0) await redis.script('FLUSH');
    assert.equal((await bus.history('c', 0, 100)).messages.length, n);
    assert.equal((await bus.heads(['c']))[0]!.position, n);
  }
  await redis.script('FLUSH');
  await delay(1_000);
  assert.deepEqual(resets, []);
});

test('[BUS-12] old messages are no longer kept; their positions and ids are', async (t) => {
  const options = { historyAgeMs: 600, channelIdleMs: 100_000, messageIdsKept: 3, historyMessagesMax: 10 };
  const { bus } = openFor(t, { prefix: freshPrefix(), ...options });
  await bus.append('c', message('a'));
  await delay(400);
  await bus.append('c', message('b'));
  assert.equal((await bus.history('c', 0, 10)).first, 1);
  await delay(300);
  const { first, head, messages } = await bus.history('c', 0, 10);
  assert.deepEqual([first, head, messages.map(({ id }) => id)], [2, 2, ['b']]);
  await delay(400);
  const later = await bus.history('c', 0, 10);
  assert.deepEqual([later.first, later.head, later.messages.length], [3, 2, 0]);
  assert.equal((await bus.append('c', message('a'))).position, 1);
  assert.equal((await bus.append('c', message('b'))).position, 2);
  assert.equal((await bus.append('c', message('c'))).position, 3);
  assert.deepEqual(
    (await bus.history('c', 0, 10)).messages.map(({ id }) => id),
    ['c'],
  );
});

test('[BUS-18] nothing is left of an idle channel, and it begins again in another epoch', async (t) => {
  const prefix = freshPrefix();
  const { bus } = openFor(t, { prefix, historyAgeMs: 100, channelIdleMs: 500 });
  const channels = range(1, 20).map((n) => `c${n}`);
  const before = await Promise.all(channels.map((channel) => bus.append(channel, message('a'))));
  await delay(1_100);
  assert.deepEqual(await redis.keys(`${prefix}*:c*`), []);
  const heads = await bus.heads(channels);
  const again = await Promise.all(channels.map((channel) => bus.append(channel, message('a'))));
  for (const [index, head] of heads.entries()) {
    assert.equal(head.position, 0);
    assert.notEqual(head.epoch, before[index]!.epoch);
    assert.equal(again[index]!.position, 1);
    assert.notEqual(again[index]!.epoch, before[index]!.epoch);
  }
});

test('[BUS-18] ids that Redis evicted are noticed: the channel begins anew, in another epoch', async (t) => {
  const prefix = freshPrefix();
  const { bus } = openFor(t, { prefix });
  const before = await bus.append('c', message('a'));
  await redis.del(...(await redis.keys(`${prefix}ids:*`)));
  const again = await bus.append('c', message('b'));
  assert.equal(again.position, 1);
  assert.notEqual(again.epoch, before.epoch);
  assert.deepEqual(
    (await bus.history('c', 0, 10)).messages.map(({ id }) => id),
    ['b'],
  );
});

test('at the bounds calls are refused, and taken again after', async (t) => {
  const options = { publishesMax: 2, appendsMax: 2, questionsMax: 1, topicsMax: 3, readsMax: 1 };
  const { bus } = openFor(t, { prefix: freshPrefix(), ...options });
  await bus.heads([]);
  await bus.subscribe('a', () => undefined);
  const publishes = [1, 2, 3].map((n) => bus.publish('t', Uint8Array.of(n)));
  await assert.rejects(publishes[2]!, /2 messages wait/);
  await Promise.all(publishes.slice(0, 2));
  await bus.publish('t', Uint8Array.of(4));
  const appends = [1, 2, 3].map((n) => bus.append('c', message(`${n}`)));
  await assert.rejects(appends[2]!, /2 messages wait/);
  await Promise.all(appends.slice(0, 2));
  assert.equal((await bus.append('c', message('3'))).position, 3);
  const open = bus.ask('s', Uint8Array.of(1), 200);
  await assert.rejects(bus.ask('s', Uint8Array.of(1), 200), /1 questions are open/);
  await assert.rejects(open, /Nobody answered/);
  await bus.subscribe('b', () => undefined);
  await assert.rejects(
    bus.subscribe('c', () => undefined),
    retryable,
  );
});

test('an append goes out at once behind however many reads', async (t) => {
  // Nothing that comes by itself sends it.
  const { bus } = openFor(t, { prefix: freshPrefix(), heartbeatMs: 60_000, scriptsInFlightMax: 2 });
  await bus.append('c0', message('a'));
  const reads = range(1, 1_000).map((n) => bus.history(`c${n % 10}`, 0, 10));
  const appends = range(1, 10).map((n) => bus.append(`c${n}`, message('a')));
  const all = Promise.all(appends).then(() => 'all');
  assert.equal(await Promise.race([all, delay(4_000, 'late')]), 'all');
  assert.equal((await Promise.all(reads)).length, 1_000);
});

test('what Redis will refuse again is not tried again', async (t) => {
  const prefix = freshPrefix();
  const { bus } = openFor(t, { prefix });
  await redis.set(`${prefix}ids:{0}:c`, 'not a sorted set');
  const final = (error: unknown): boolean => error instanceof ServiceError && !error.retryable;
  await assert.rejects(bus.append('c', message('a')), final);
  assert.equal((await bus.append('d', message('a'))).position, 1);
});

async function wholeHistory(bus: TestBus['bus'], channel: string) {
  const messages: StoredMessage[] = [];
  for (;;) {
    const part = await bus.history(channel, messages.length, 500);
    messages.push(...part.messages);
    if (part.messages.length === 0) return { head: part.head, messages };
  }
}
