import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManualClock } from '../../channels/clock.manual.ts';
import { seededRandom } from '../../channels/random.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { createEmbeddedGraph } from './graph.embedded.ts';
import { ask, emptyGraph, g, openGraph } from './graph.gremlin.testbed.ts';
import type { GremlinGraphOptions } from './graph.gremlin.ts';
import type { Graph, PairState, Stamp } from './graph.ts';

/** The same random reads, writes and lists on the embedded graph and on a Gremlin server. */
const url = process.env['RANKCAST_TEST_GREMLIN'] ?? 'ws://127.0.0.1:18182/gremlin';
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const rounds = Number(process.env['ROUNDS'] ?? 40);

const random = seededRandom(seed);
const below = (count: number) => Math.floor(random() * count);
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
const users = ['ann', 'ann-', 'Bob', 'bob', 'c_3', '4', '44', 'd'.repeat(36), '-', 'e5', 'f', 'G'];

function randomStamp(now: number): Stamp | null {
  return random() < 0.3 ? null : { at: now - below(1_000), id: pick(['a', '-', 'x_1', 'z'.repeat(36)]) };
}

function randomState(now: number): PairState {
  const following = random() < 0.5;
  const affinity = () => pick([0, 1, 0.25, 1e-9, 2 ** 53, 1.5e200, random()]);
  return {
    from: pick(users),
    to: pick(users),
    following,
    affinity: following || random() < 0.1 ? affinity() : 0,
    since: following ? now - below(1_000) : 0,
    followStamp: { at: now - below(1_000), id: 'f' },
    affinityStamp: randomStamp(now),
    blocking: random() < 0.2,
    blockStamp: randomStamp(now),
  };
}

async function compare(one: Graph, other: Graph): Promise<void> {
  const pairs = Array.from({ length: 1 + below(60) }, () => [pick(users), pick(users)] as const);
  assert.deepEqual(await one.read(pairs), await other.read(pairs));
  for (let i = 0; i < 4; i++) {
    const user = pick(users);
    const list = pick(['followers', 'following'] as const);
    const limit = 1 + below(6);
    for (let after: string | null = pick([null, null, ...users]); ; ) {
      const page: Awaited<ReturnType<Graph['list']>> = await one.list(user, list, after, limit);
      assert.deepEqual(page, await other.list(user, list, after, limit), `${list} ${user} ${after} ${limit}`);
      after = page.at(-1)?.other ?? null;
      if (after === null) break;
    }
  }
}

async function run(options: Partial<GremlinGraphOptions>): Promise<void> {
  await emptyGraph(url, options.edgeIds);
  const folder = mkdtempSync(join(tmpdir(), 'rankcast-graph-'));
  const store = openEmbeddedStore(folder);
  const clock = createManualClock();
  const onError = (error: unknown) => {
    throw error;
  };
  const embedded = createEmbeddedGraph({ store, clock, onError });
  const real = openGraph(
    url,
    { statesPerRequest: 7, usersPerRequest: 3, pairsPerRequest: 9, ...options },
    clock,
  );
  try {
    for (let round = 0; round < rounds; round++) {
      const states = Array.from({ length: 1 + below(round % 10 === 9 ? 300 : 12) }, () =>
        randomState(clock.now()),
      );
      await embedded.write(states);
      await real.write(states);
      await compare(embedded, real);
    }
    await checkByHand(embedded, options.traversalSource);
  } finally {
    await real.close();
    await embedded.close();
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** Who looks with a traversal of their own finds the follows, and of the users nothing else. */
async function checkByHand(embedded: Graph, source = 'g'): Promise<void> {
  for (const user of users) {
    const followers = await ask(url, g.V(`u:${user}`).in_('follow').id(), source);
    const expected = await embedded.list(user, 'followers', null, 100);
    assert.deepEqual(
      followers.map(String).sort(),
      expected.map(({ other }) => `u:${other}`),
    );
  }
}

for (const edgeIds of ['given', 'key'] as const) {
  test(`edges by ${edgeIds}: embedded and Gremlin say the same (SEED=${seed})`, () => run({ edgeIds }));
}
test(`with transactions: embedded and Gremlin say the same (SEED=${seed})`, () =>
  run({ traversalSource: 'gtx' }));
