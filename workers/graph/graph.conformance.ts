import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Graph, PairState } from './graph.ts';
import { emptyState } from './pair-rules.ts';

/** A graph to put to the laws of graph.ts, over one place of storage that outlives the Graph objects. */
export interface GraphBench {
  graph: Graph;
  /** Goes on with a new Graph over the same storage, as after a kill: the former one is not closed. */
  restart(): Promise<void>;
  now(): number;
  /** Lets `ms` pass and everything that is due then happen. */
  pass(ms: number): Promise<void>;
  discard(): Promise<void>;
}

const hourMs = 3_600_000;

/** The laws of the port, for any implementation. */
export function testGraph(name: string, make: () => Promise<GraphBench>): void {
  async function withBench(body: (bench: GraphBench) => Promise<void>): Promise<void> {
    const bench = await make();
    try {
      await body(bench);
    } finally {
      await bench.discard();
    }
  }

  test(`${name}: [GRAPH-1] read answers every pair in order, both directions, known or not`, () =>
    withBench(async (bench) => {
      assert.deepEqual(await bench.graph.read([]), []);
      await bench.graph.write([
        following('ann', 'bob', 0.25, bench.now()),
        blocking('bob', 'ann', bench.now()),
      ]);
      assert.deepEqual(
        await bench.graph.read([
          ['bob', 'ann'],
          ['x', 'y'],
          ['ann', 'bob'],
        ]),
        [
          [blocking('bob', 'ann', bench.now()), following('ann', 'bob', 0.25, bench.now())],
          [emptyState('x', 'y'), emptyState('y', 'x')],
          [following('ann', 'bob', 0.25, bench.now()), blocking('bob', 'ann', bench.now())],
        ],
      );
    }));

  test(`${name}: [GRAPH-2] write replaces states whole, the last of a call stands`, () =>
    withBench(async (bench) => {
      const first = following('a', 'b', 0.1, bench.now());
      const second = { ...following('a', 'b', 1e180, bench.now()), affinityStamp: null };
      await bench.graph.write([]);
      await bench.graph.write([first, second]);
      await bench.graph.write([second]);
      assert.deepEqual((await bench.graph.read([['a', 'b']]))[0]?.[0], second);
      assert.deepEqual(await bench.graph.list('a', 'following', null, 10), [{ other: 'b', affinity: 1e180 }]);
      const ended = { ...emptyState('a', 'b'), followStamp: { at: bench.now(), id: 'end' } };
      await bench.graph.write([first, ended]);
      await bench.graph.write([ended]);
      assert.deepEqual((await bench.graph.read([['a', 'b']]))[0]?.[0], ended);
      assert.deepEqual(await bench.graph.list('a', 'following', null, 10), []);
    }));

  test(`${name}: [GRAPH-6] a call whose time has passed is refused and writes nothing, others go on`, () =>
    withBench(async (bench) => {
      const state = following('late', 'b', 0.1, bench.now());
      const past = performance.now() - 1;
      await assert.rejects(bench.graph.write([state], past), { retryable: true });
      await assert.rejects(bench.graph.read([['late', 'b']], past), { retryable: true });
      const endsAt = performance.now() + 60_000;
      assert.deepEqual((await bench.graph.read([['late', 'b']], endsAt))[0]?.[0], emptyState('late', 'b'));
      await bench.graph.write([state], endsAt);
      assert.deepEqual((await bench.graph.read([['late', 'b']], endsAt))[0]?.[0], state);
    }));

  test(`${name}: [GRAPH-3] list holds the follows that stand, in byte order, after and limit kept`, () =>
    withBench(async (bench) => {
      const others = ['-', '0', '10', '2', 'A', '_', 'a', 'a-b', 'aa', 'z'.repeat(36)];
      await bench.graph.write([
        ...others.map((other, i) => following('me', other, i / 10, bench.now())),
        ...others.map((other, i) => following(other, 'me', 1 + i / 10, bench.now())),
        blocking('me', 'blocked', bench.now()),
        { ...emptyState('me', 'gone'), followStamp: { at: bench.now(), id: 'gone' } },
        // Neighbours whose ids begin alike.
        ...['m', 'me-', 'me0', 'me_', 'mee'].map((user) => following(user, 'elsewhere', 0.5, bench.now())),
      ]);
      const rows = others.map((other, i) => ({ other, affinity: i / 10 }));
      assert.deepEqual(await bench.graph.list('me', 'following', null, 100), rows);
      assert.deepEqual(
        await bench.graph.list('me', 'followers', null, 100),
        rows.map(({ other }, i) => ({ other, affinity: 1 + i / 10 })),
      );
      assert.deepEqual(await bench.graph.list('me', 'following', null, 3), rows.slice(0, 3));
      assert.deepEqual(await bench.graph.list('me', 'following', '2', 3), rows.slice(4, 7));
      assert.deepEqual(await bench.graph.list('me', 'following', '1', 2), rows.slice(2, 4));
      assert.deepEqual(await bench.graph.list('me', 'following', 'z'.repeat(36), 10), []);
      assert.deepEqual(await bench.graph.list('nobody', 'followers', null, 10), []);
    }));

  test(`${name}: [GRAPH-4] what was written is there after a kill`, () =>
    withBench(async (bench) => {
      const states = Array.from({ length: 200 }, (_, i) => following(`u${i}`, 'star', i, bench.now()));
      await bench.graph.write(states);
      await bench.restart();
      const pairs = states.map((state) => [state.from, state.to] as const);
      assert.deepEqual(
        (await bench.graph.read(pairs)).map(([there]) => there),
        states,
      );
      assert.equal((await bench.graph.list('star', 'followers', null, 1_000)).length, 200);
    }));

  test(`${name}: [GRAPH-5] what stands no more is kept for 24 h, then forgotten`, () =>
    withBench(async (bench) => {
      const start = bench.now();
      const ended = { ...emptyState('a', 'ended'), followStamp: { at: start, id: 'e' } };
      const revived = { ...emptyState('a', 'revived'), followStamp: { at: start, id: 'e' } };
      const touched = { ...emptyState('a', 'touched'), blockStamp: { at: start, id: 'e' } };
      const standing = following('a', 'friend', 0.5, start);
      await bench.graph.write([ended, revived, touched, standing, blocking('a', 'foe', start)]);
      await bench.pass(20 * hourMs);
      const touchedAgain = { ...touched, affinityStamp: { at: bench.now(), id: 'late' } };
      await bench.graph.write([touchedAgain, following('a', 'revived', 0.5, bench.now())]);
      await bench.pass(4 * hourMs - 1);
      assert.deepEqual(await there(bench, 'ended'), ended);
      await bench.restart();
      await bench.pass(19 * hourMs);
      assert.deepEqual(await there(bench, 'touched'), touchedAgain);
      await bench.pass(1_000 * hourMs);
      assert.deepEqual(await there(bench, 'ended'), emptyState('a', 'ended'));
      assert.deepEqual(await there(bench, 'touched'), emptyState('a', 'touched'));
      assert.equal((await there(bench, 'revived'))?.following, true);
      assert.deepEqual(await there(bench, 'friend'), standing);
      assert.deepEqual(await there(bench, 'foe'), blocking('a', 'foe', start));
      assert.deepEqual(
        (await bench.graph.list('a', 'following', null, 10)).map(({ other }) => other),
        ['friend', 'revived'],
      );
    }));
}

async function there(bench: GraphBench, to: string): Promise<PairState | undefined> {
  return (await bench.graph.read([['a', to]]))[0]?.[0];
}

function following(from: string, to: string, affinity: number, at: number): PairState {
  const stamp = { at, id: `f-${from}-${to}`.slice(0, 36) };
  return {
    ...emptyState(from, to),
    following: true,
    affinity,
    since: at,
    followStamp: stamp,
    affinityStamp: stamp,
  };
}

function blocking(from: string, to: string, at: number): PairState {
  return { ...emptyState(from, to), blocking: true, blockStamp: { at, id: 'b' } };
}
