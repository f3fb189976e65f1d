/**
 * The bus on a cluster of three masters with a replica each.
 * @live timeout=240s side-by-side
 */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type RedisCluster, startRedisCluster } from '../../test/services/redis-cluster.ts';
import type { RedisNode } from '../../test/services/redis-node.ts';
import { until } from '../../test/services/until.ts';
import { busConformance } from './bus.conformance.ts';
import { killWithLag, Traffic, untilHeard } from './failover.redis.conformance.ts';
import { Heard, message, range } from './heard.conformance.ts';
import { createLayout } from './layout.redis.ts';
import { freshPrefix, openBus, redisHarness, type TestBus, type Where } from './redis-bus.conformance.ts';

let cluster: RedisCluster;
before(async () => {
  cluster = await startRedisCluster({ masters: 3, replicasEach: 1 });
});
after(() => cluster?.kill());

const where = (): Where => ({ cluster: cluster.addresses.map(({ host, port }) => `${host}:${port}`) });
const soon = { timeoutMs: 30_000, pollMs: 20 };

busConformance('redis cluster', redisHarness(where));

function openTwo(t: TestContext, prefix: string): [TestBus, TestBus] {
  const options = { prefix, historyMessagesMax: 100_000 };
  const two: [TestBus, TestBus] = [openBus(where(), options), openBus(where(), options)];
  t.after(() => Promise.all(two.map((one) => one.close())));
  return two;
}

/** The master that has a channel. */
function masterOf(prefix: string, channel: string): Promise<RedisNode> {
  return cluster.ownerOf(createLayout(prefix, true).log(channel).stream);
}

test('however many channels: two connections to each master', async (t) => {
  const [one] = openTwo(t, freshPrefix());
  await Promise.all(range(1, 2_000).map((n) => one.bus.follow(`c${n}`, () => undefined)));
  await Promise.all(range(1, 2_000).map((n) => one.bus.append(`c${n}`, message('a'))));
  const counts = await Promise.all((await cluster.masters()).map(subscriptionsOf));
  t.diagnostic(`subscriptions by connection on each master: ${JSON.stringify(counts)}`);
  // Two buses are open; only one has more than its heartbeat.
  for (const count of counts) assert.equal(count.filter((topics) => topics > 1).length, 1);
  for (const count of counts) assert.equal(count.length, 2);
});

async function subscriptionsOf(node: RedisNode): Promise<number[]> {
  const clients = String(await node.call('CLIENT', 'LIST'))
    .trim()
    .split('\n');
  return clients.map((line) => Number(/ ssub=(\d+)/.exec(line)?.[1] ?? 0)).filter((count) => count > 0);
}

test('[BUS-15] [BUS-18] a master is killed under load', async (t) => {
  const prefix = freshPrefix();
  const [one, two] = openTwo(t, prefix);
  const traffic = new Traffic(one.bus, two.bus, 30);
  await traffic.start();
  await delay(500);
  const master = await masterOf(prefix, 'c0');
  const killedAt = performance.now();
  await master.kill();
  await until('both hear of it', async () => one.resets.length > 0 && two.resets.length > 0, soon);
  t.diagnostic(`told ${Math.round(performance.now() - killedAt)} ms after the kill`);
  await delay(500);
  await traffic.stop();
  await untilHeard(one.bus, two.bus, range(1, 20).map(String));
  t.diagnostic(await traffic.verify());
  assert.deepEqual([one.errors, two.errors], [[], []]);
  await master.start();
  await cluster.untilSettled();
});

test('[BUS-18] messages that only the dead master had were in another epoch', async (t) => {
  const prefix = freshPrefix();
  const [one, two] = openTwo(t, prefix);
  const before = await one.bus.append('c', message('first'));
  await delay(300);
  const master = await masterOf(prefix, 'c');
  await killWithLag(master, await cluster.replicasOf(master), () =>
    Promise.all(range(1, 20).map((n) => one.bus.append('c', message(`lost ${n}`)))),
  );
  await until('both hear of it', async () => one.resets.length > 0 && two.resets.length > 0, soon);
  const [head] = await two.bus.heads(['c']);
  t.diagnostic(`the new master stands at ${head!.position} of 21`);
  assert.ok(head!.position < 21, 'the replica had not heard of all');
  assert.notEqual(head!.epoch, before.epoch);
  const next = await one.bus.append('c', message('next'));
  assert.deepEqual(next, { epoch: head!.epoch, position: head!.position + 1 });
  await master.start();
  await cluster.untilSettled();
});

test('[BUS-15] a master stands still and is replaced', async (t) => {
  const prefix = freshPrefix();
  const [one, two] = openTwo(t, prefix);
  const traffic = new Traffic(one.bus, two.bus, 20);
  await traffic.start();
  await delay(300);
  const master = await masterOf(prefix, 'c0');
  master.pause();
  t.after(() => master.resume());
  await until('both hear of it', async () => one.resets.length > 0 && two.resets.length > 0, soon);
  master.resume();
  await delay(500);
  await traffic.stop();
  await untilHeard(one.bus, two.bus, range(1, 10).map(String));
  t.diagnostic(await traffic.verify());
  await cluster.untilSettled();
});

test('[BUS-15] [BUS-1] a slot goes to another master while everyone is healthy', async (t) => {
  const prefix = freshPrefix();
  const [one, two] = openTwo(t, prefix);
  const traffic = new Traffic(one.bus, two.bus, 10);
  await traffic.start();
  const heard = new Heard<Uint8Array>();
  await two.bus.subscribe('t', heard.listen);
  const layout = createLayout(prefix, true);
  const { partition, stream } = layout.log('c0');
  const slot = layout.slotOf(partition);
  const from = await cluster.ownerOf(stream);
  const to = (await cluster.masters()).find((node) => node !== from)!;
  await moveSlot(slot, from, to);
  await until('it is told', async () => two.resets.length > 0, soon);
  t.diagnostic(two.resets.join(' | '));
  await delay(300);
  await traffic.stop();
  t.diagnostic(await traffic.verify());
  const last = traffic.acknowledged.filter(({ channel }) => channel === 'c0').at(-1)!;
  await until(
    'the moved channel is heard',
    async () => traffic.heard.some(({ channel, message: { id } }) => channel === 'c0' && id === last.id),
    soon,
  );
  await moveSlot(slot, to, from);
  await cluster.untilSettled();
});

async function moveSlot(slot: number, from: RedisNode, to: RedisNode): Promise<void> {
  const [fromId, toId] = (await Promise.all(
    [from, to].map((node) => node.call('CLUSTER', 'MYID')),
  )) as string[];
  await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!);
  await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!);
  for (;;) {
    const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[];
    if (keys.length === 0) break;
    await from.call('MIGRATE', to.host, to.port, '', 0, 5_000, 'KEYS', ...keys);
  }
  await to.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
  for (const node of await cluster.masters()) {
    if (node !== to) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId!);
  }
}

// The last: it leaves the cluster with two masters.
test('[BUS-15] a master that gives all its slots away is let go, and nobody misses it', async (t) => {
  const prefix = freshPrefix();
  const two = openTwo(t, prefix);
  const [one, other] = two;
  const channels = range(1, 50).map((n) => `c${n}`);
  const heard = new Set<string>();
  await Promise.all(channels.map((name) => other.bus.follow(name, ({ id }) => heard.add(`${name} ${id}`))));
  await Promise.all(channels.map((name) => one.bus.append(name, message('before'))));
  await until('both are ready', async () => two.every(({ state }) => state() === 'ready'), soon);
  const [from, to] = (await cluster.masters()) as [RedisNode, RedisNode];
  await giveAllSlots(from, to);
  await until('two masters have all slots', async () => (await cluster.masters()).length === 2, soon);
  await until(
    'both have let it go',
    async () => (await Promise.all(two.map(connectionsOf))).every((counts) => counts === '2 2'),
    soon,
  );
  await until('both are ready again', async () => two.every(({ state }) => state() === 'ready'), soon);
  await untilHeard(one.bus, other.bus, channels.slice(0, 20));
  const after = await Promise.all(channels.map((name) => one.bus.append(name, message('after'))));
  assert.deepEqual([...new Set(after.map(({ position }) => position))], [2], 'the messages went with it');
  await until('all are heard', async () => channels.every((name) => heard.has(`${name} after`)), soon);
  await delay(1_000);
  assert.deepEqual(
    two.map(({ state }) => state()),
    ['ready', 'ready'],
  );
  assert.deepEqual([one.errors, other.errors], [[], []]);
});

/** Of commands, and subscribers. */
async function connectionsOf({ registry }: TestBus): Promise<string> {
  const { values } = await registry.getSingleMetric('rankcast_bus_connections')!.get();
  return values.map(({ value }) => value).join(' ');
}

async function giveAllSlots(from: RedisNode, to: RedisNode): Promise<void> {
  const others = (await cluster.masters()).filter((node) => node !== to);
  const clients = [to, ...others].map(({ clientOptions }) => new Redis(clientOptions));
  try {
    const ranges = (await from.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    const slots = ranges
      .filter(([, , [, port]]) => port === from.port)
      .flatMap(([first, last]) => range(first, last));
    const layout = createLayout('', true);
    const used = new Set(range(0, layout.partitions - 1).map((partition) => layout.slotOf(partition)));
    // Those that buses use first: by them the other master's word comes to count for more.
    for (const slot of slots) if (used.has(slot)) await moveSlot(slot, from, to);
    const toId = String(await to.call('CLUSTER', 'MYID'));
    const unused = slots.filter((slot) => !used.has(slot));
    for (const client of clients) {
      // One that has heard of it from the others already may be a replica by now, which refuses.
      await Promise.allSettled(unused.map((slot) => client.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId)));
    }
  } finally {
    for (const client of clients) client.disconnect();
  }
}
