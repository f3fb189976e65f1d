/**
 * The bus on a master with a replica, watched by Sentinels.
 * @live timeout=180s side-by-side
 */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type RedisSentinel, startRedisSentinel } from '../../test/services/redis-sentinel.ts';
import { until } from '../../test/services/until.ts';
import { busConformance } from './bus.conformance.ts';
import { killWithLag, Traffic, untilHeard } from './failover.redis.conformance.ts';
import { message, range } from './heard.conformance.ts';
import { freshPrefix, openBus, redisHarness, type TestBus, type Where } from './redis-bus.conformance.ts';

let set: RedisSentinel;
before(async () => {
  set = await startRedisSentinel();
});
after(() => set?.kill());

const where = (): Where => ({
  sentinels: set.sentinelAddresses.map(({ host, port }) => `${host}:${port}`),
  sentinelMaster: set.masterName,
});
const soon = { timeoutMs: 30_000, pollMs: 20 };

busConformance('redis sentinel', redisHarness(where));

function openTwo(t: TestContext): [TestBus, TestBus] {
  const options = { prefix: freshPrefix(), historyMessagesMax: 100_000 };
  const two: [TestBus, TestBus] = [openBus(where(), options), openBus(where(), options)];
  t.after(() => Promise.all(two.map((one) => one.close())));
  return two;
}

test('[BUS-15] [BUS-18] the master is killed under load', async (t) => {
  const [one, two] = openTwo(t);
  const traffic = new Traffic(one.bus, two.bus, 10);
  await traffic.start();
  await delay(500);
  const master = await set.master();
  const killedAt = performance.now();
  await master.kill();
  await until('both hear of it', async () => one.resets.length > 0 && two.resets.length > 0, soon);
  t.diagnostic(`told ${Math.round(performance.now() - killedAt)} ms after the kill`);
  await delay(500);
  await traffic.stop();
  await untilHeard(one.bus, two.bus, ['t']);
  t.diagnostic(await traffic.verify());
  await master.start();
  await set.untilSettled();
});

test('[BUS-18] messages that only the dead master had were in another epoch', async (t) => {
  const [one, two] = openTwo(t);
  const before = await one.bus.append('c', message('first'));
  await delay(300);
  const master = await set.master();
  const replicas = set.nodes.filter((node) => node !== master);
  await killWithLag(master, replicas, () =>
    Promise.all(range(1, 20).map((n) => one.bus.append('c', message(`lost ${n}`)))),
  );
  await until('both hear of it', async () => one.resets.length > 0 && two.resets.length > 0, soon);
  const [head] = await two.bus.heads(['c']);
  assert.notEqual(head!.epoch, before.epoch);
  t.diagnostic(`the new master stands at ${head!.position} of 21`);
  assert.ok(head!.position < 21, 'the replica had not heard of all');
  const next = await one.bus.append('c', message('next'));
  assert.deepEqual(next, { epoch: head!.epoch, position: head!.position + 1 });
  await master.start();
  await set.untilSettled();
});

test('[BUS-15] the master stands still and is replaced; when it comes back it is a replica', async (t) => {
  const [one, two] = openTwo(t);
  const traffic = new Traffic(one.bus, two.bus, 5);
  await traffic.start();
  await delay(300);
  const master = await set.master();
  master.pause();
  t.after(() => master.resume());
  await until('another is master', async () => (await set.master()) !== master, soon);
  await until('both hear of it', async () => one.resets.length > 0 && two.resets.length > 0, soon);
  await delay(300);
  master.resume();
  await delay(500);
  await traffic.stop();
  await untilHeard(one.bus, two.bus, ['t']);
  t.diagnostic(await traffic.verify());
  await set.untilSettled();
});
