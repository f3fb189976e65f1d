/**
 * 103,689 real follows through the API of an edge, Kafka, a graph worker, Gremlin, two followers workers and
 * Redis, each a process of its own; then read back whole, past the product.
 *
 * @live timeout=900s
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { redisDefaults } from '../../channels/redis/connect-redis.ts';
import { shownAffinity } from '../../channels/sets/affinity.ts';
import { ask, g, ids, statics } from '../../workers/graph/graph.gremlin.testbed.ts';
import { cpuMsOf } from '../bench/process-usage.ts';
import { openRealServers, type RealServers } from '../services/real-servers.ts';
import { openRedis, type RedisClient } from '../services/redis-clients.ts';
import { Fleet, type Member } from './fleet.ts';
import { fleetPlan } from './fleet-plan.ts';
import { expectedLists, type Follow, readFollows, seed, shuffledAgain } from './follow-graph.ts';

const linesMax = 1_000;
const atOnce = 4;

let servers: RealServers;
let fleet: Fleet;
let redis: RedisClient;
before(async () => {
  servers = await openRealServers();
  redis = openRedis({ ...redisDefaults, url: servers.redis.url });
  fleet = new Fleet({ ...fleetPlan, edges: 1, rankers: 0, servers: servers.environment });
  await fleet.start();
});
after(async () => {
  await fleet?.remove();
  await redis?.close();
  await servers?.close();
});

interface Command {
  id: string;
  at: number;
  kind: string;
  from: string;
  to: string;
}

async function give(commands: readonly Command[]): Promise<void> {
  let next = 0;
  const send = async () => {
    while (next < commands.length) {
      const some = commands.slice(next, next + linesMax);
      next += linesMax;
      const { taken, refused } = await fleet.ingest('graph-commands', some);
      assert.deepEqual([taken, refused], [some.length, []]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, send));
}

/** The sum of a metric over its labels, of all processes whose name begins so. */
async function metric(kind: string, name: string): Promise<number> {
  let sum = 0;
  for (const member of fleet.members.filter((one) => one.name.startsWith(kind))) {
    for (const line of (await metricsOf(member)).split('\n')) {
      if (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) sum += Number(line.split(' ').at(-1));
    }
  }
  return sum;
}

async function metricsOf({ opsPort }: Member): Promise<string> {
  return (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
}

/** Until so many commands were decided and two changes of each of `applied` told. */
async function settled(commands: number, changes: number): Promise<void> {
  for (const until = Date.now() + 600_000; ; ) {
    const decided = await metric('graph', 'rankcast_graph_records_total');
    const told = await metric('followers', 'rankcast_followers_records_total');
    if (decided >= commands && told >= changes) return;
    assert.ok(
      Date.now() < until,
      `${decided} of ${commands} decided, ${told} of ${changes} told\n${fleet.logs()}`,
    );
    await delay(100);
  }
}

interface Kept {
  /** Of each edge `follow`: its affinity by its id. */
  edges: Map<string, number>;
  /** Of each vertex: how many edges `follow` leave it and reach it. */
  degrees: Map<string, string>;
  /** Of each set its members' affinities. */
  sets: Map<string, Map<string, number>>;
}

async function readBack(): Promise<Kept> {
  const { url } = servers.gremlin;
  const rows = (await ask(url, g.E().project('id', 'affinity').by(ids).by('affinity'))) as Map<
    string,
    unknown
  >[];
  const out = statics.outE('follow').count();
  const into = statics.inE('follow').count();
  const vertices = (await ask(url, g.V().project('id', 'out', 'in').by(ids).by(out).by(into))) as Map<
    string,
    unknown
  >[];
  const sets = new Map<string, Map<string, number>>();
  // Users of the file are numbers; what the workers keep beside the sets has other names.
  const names = (await redis.redis.keys('follow*_*')).filter((name) => /^follow(ers|ing)_\d+$/.test(name));
  for (let at = 0; at < names.length; at += 200) {
    const some = names.slice(at, at + 200);
    const pipeline = (redis.redis as Redis).pipeline();
    for (const name of some) pipeline.zrange(name, '0', '-1', 'WITHSCORES');
    ((await pipeline.exec()) ?? []).forEach(([error, flat], i) => {
      assert.equal(error, null);
      const members = new Map<string, number>();
      const list = flat as string[];
      for (let k = 0; k < list.length; k += 2) members.set(list[k]!, Number(list[k + 1]));
      sets.set(some[i]!, members);
    });
  }
  return {
    edges: new Map(rows.map((row) => [String(row.get('id')), Number(row.get('affinity'))])),
    degrees: new Map(
      vertices.map((row) => [String(row.get('id')), `${Number(row.get('out'))} ${Number(row.get('in'))}`]),
    ),
    sets,
  };
}

const now = Date.now();
const follows = readFollows();
const commands: Command[] = follows.map((follow, i) => ({
  id: `f${i}`,
  at: now - i,
  kind: 'follow',
  ...follow,
}));
let once: Kept;
let cpuBefore: Map<string, number>;

function cpuNow(): Map<string, number> {
  const ids = new Map(fleet.members.map(({ name, process }) => [name, process.pid]));
  ids.set('Gremlin Server', servers.gremlin.pid!);
  ids.set('Redis', servers.redis.pid!);
  return new Map([...ids].map(([name, pid]) => [name, cpuMsOf(pid)]));
}

test('103,689 follows through the API are in Gremlin and Redis as in the file', async (t) => {
  cpuBefore = cpuNow();
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1_000).toFixed(1);
  await give(commands);
  t.diagnostic(`taken by the API into Kafka after ${seconds()} s`);
  await settled(commands.length, 2 * commands.length);
  t.diagnostic(`all in Gremlin and Redis after ${seconds()} s`);
  await tellWhereTimeWent(t.diagnostic.bind(t));
  once = await readBack();
  assert.equal(follows.length, 103_689);
  assert.deepEqual(new Set(once.edges.keys()), new Set(follows.map(({ from, to }) => `f:${from}:${to}`)));
  assert.deepEqual(once.degrees, degreesOf(follows));
  const expected = expectedLists(follows);
  assert.deepEqual(new Set(once.sets.keys()), new Set(expected.keys()));
  for (const [name, members] of expected) {
    const kept = once.sets.get(name)!;
    assert.deepEqual(new Set(kept.keys()), members, name);
    const user = name.slice(name.indexOf('_') + 1);
    for (const [other, score] of kept) {
      const edge = name.startsWith('followers_') ? `f:${other}:${user}` : `f:${user}:${other}`;
      assert.equal(score, once.edges.get(edge), `${name} ${other}`);
      assert.equal(Math.round(shownAffinity(score, now) * 100), 50);
    }
  }
});

test(`repeats in another order and latecomers change nothing (SEED=${seed})`, async (t) => {
  const repeats = shuffledAgain(commands);
  const startedAt = performance.now();
  await give(repeats);
  const total = commands.length + repeats.length;
  await settled(total, 2 * total);
  t.diagnostic(`${repeats.length} more: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  assert.deepEqual(await readBack(), once);
  assert.equal(await metric('graph', 'rankcast_graph_failures_total'), 0);
});

function degreesOf(all: readonly Follow[]): Map<string, string> {
  const out = new Map<string, number>();
  const into = new Map<string, number>();
  for (const { from, to } of all) {
    out.set(from, (out.get(from) ?? 0) + 1);
    into.set(to, (into.get(to) ?? 0) + 1);
  }
  const users = new Set([...out.keys(), ...into.keys()]);
  return new Map([...users].map((user) => [`u:${user}`, `${out.get(user) ?? 0} ${into.get(user) ?? 0}`]));
}

async function tellWhereTimeWent(tell: (line: string) => void): Promise<void> {
  const took = async (kind: string, name: string) => `${(await metric(kind, name)).toFixed(1)} s`;
  tell(`graph worker in batches ${await took('graph', 'rankcast_graph_batch_seconds_sum')}`);
  for (const { name } of fleet.members) {
    const lines = (await metricsOf(fleet.members.find((one) => one.name === name)!)).split('\n');
    for (const line of lines) {
      const call = /^rankcast_dependency_call_duration_seconds_sum\{(.*)\} (.*)$/.exec(line);
      if (call !== null && Number(call[2]) > 1)
        tell(`${name}: calls ${call[1]} ${Number(call[2]).toFixed(1)} s`);
    }
  }
  tell(`followers workers in batches ${await took('followers', 'rankcast_followers_batch_seconds_sum')}`);
  for (const [name, ms] of cpuNow()) {
    tell(`processor: ${name} ${((ms - cpuBefore.get(name)!) / 1_000).toFixed(1)} s`);
  }
}
