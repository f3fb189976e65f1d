import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../channels/random.ts';
import { emptyGraph, openGraph } from '../../workers/graph/graph.gremlin.testbed.ts';
import type { GremlinGraph, GremlinGraphOptions } from '../../workers/graph/graph.gremlin.ts';
import type { PairState } from '../../workers/graph/graph.ts';
import { emptyState } from '../../workers/graph/pair-rules.ts';
import { openTcpProxy } from '../kit/tcp-proxy.ts';
import { startGremlin } from '../services/gremlin.ts';

/** A Gremlin server whose connections are cut, that halts, and that is ended and started again. */
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const random = seededRandom(seed);
const below = (count: number) => Math.floor(random() * count);

// Whatever is nobody's promise any more fails the test, as it would end the process.
const strays: unknown[] = [];
process.on('unhandledRejection', (error) => strays.push(error));
process.on('uncaughtException', (error) => strays.push(error));

const server = await startGremlin();
const proxy = await openTcpProxy(server);
const url = `ws://127.0.0.1:${proxy.port}/gremlin`;
after(async () => {
  await proxy.close();
  await server.stop();
});

const quick: Partial<GremlinGraphOptions> = {
  connectTimeoutMs: 1_000,
  requestTimeoutMs: 700,
  pingIntervalMs: 300,
  reconnectFirstMs: 20,
  reconnectLongestMs: 100,
  statesPerRequest: 10,
};

const users = Array.from({ length: 12 }, (_, i) => `u${i}`);
let made = 0;

function randomState(): PairState {
  const from = users[below(users.length)]!;
  const to = users[below(users.length)]!;
  const following = random() < 0.5;
  const stamp = { at: Date.now(), id: `s${made++}` };
  return {
    ...emptyState(from, to),
    following,
    affinity: following ? random() : 0,
    since: following ? stamp.at : 0,
    followStamp: stamp,
    blocking: !following && random() < 0.3,
  };
}

/** Writes until it is taken, as a worker does. Answers how often it was refused. */
async function writeUntilTaken(graph: GremlinGraph, states: PairState[]): Promise<number> {
  for (let refused = 0; ; refused++) {
    try {
      await graph.write(states);
      return refused;
    } catch (error) {
      assert.equal((error as Error).name.replace('GremlinFault', 'ServiceError'), 'ServiceError');
      assert.equal((error as { retryable?: boolean }).retryable, true, String(error));
      await delay(10);
    }
  }
}

/** Whatever was written last of each pair is there. */
async function isAsWritten(graph: GremlinGraph, model: ReadonlyMap<string, PairState>): Promise<void> {
  const states = [...model.values()];
  const read = await graph.read(states.map(({ from, to }) => [from, to] as const));
  assert.deepEqual(
    read.map(([there]) => there),
    states,
  );
}

function note(model: Map<string, PairState>, states: readonly PairState[]): void {
  for (const state of states) model.set(`${state.from}:${state.to}`, state);
}

for (const traversalSource of ['g', 'gtx']) {
  const title = `${traversalSource}, connections cut at any byte: what was written is there (SEED=${seed})`;
  test(title, async (t) => {
    await emptyGraph(server.url);
    const graph = openGraph(url, { ...quick, traversalSource });
    const model = new Map<string, PairState>();
    let refused = 0;
    const before = proxy.cuts();
    for (let round = 0; round < 40; round++) {
      const states = Array.from({ length: 1 + below(80) }, randomState);
      if (round % 4 !== 0) proxy.cutAfter(below(round % 2 === 0 ? 600 : 30_000));
      refused += await writeUntilTaken(graph, states);
      note(model, states);
      if (round % 10 === 0) await isAsWritten(graph, model);
    }
    proxy.cutAfter(Number.POSITIVE_INFINITY);
    await isAsWritten(graph, model);
    const cuts = proxy.cuts() - before;
    t.diagnostic(`${cuts} connections cut, ${refused} writes given up and made again`);
    assert.ok(cuts > 10);
    await graph.close();
    assert.deepEqual(strays, []);
  });
}

test('a server that swallows everything is given up on, shown as lost, and found again', async () => {
  const graph = openGraph(url, { ...quick, deadlineMs: 3_000 });
  const state = randomState();
  await graph.write([state]);
  assert.equal(graph.state(), 'ready');
  proxy.swallow(true);
  const startedAt = performance.now();
  await assert.rejects(graph.read([[state.from, state.to]]), { retryable: true });
  assert.ok(performance.now() - startedAt < 5_000);
  await until(() => graph.state() !== 'ready');
  assert.match(graph.state(), /^gremlin: it did not answer in time\.$/);
  proxy.swallow(false);
  await until(() => graph.state() === 'ready');
  await isAsWritten(graph, new Map([['', state]]));
  await graph.close();
  assert.deepEqual(strays, []);
});

test('a server that halts (SIGSTOP) loses nothing: what was refused is made again', async () => {
  await emptyGraph(server.url);
  const graph = openGraph(server.url, { ...quick, deadlineMs: 2_000 });
  const model = new Map<string, PairState>();
  for (let round = 0; round < 3; round++) {
    const states = Array.from({ length: 60 }, randomState);
    const written = writeUntilTaken(graph, states);
    await delay(below(20));
    server.pause();
    await delay(2_500);
    server.resume();
    await written;
    note(model, states);
    const further = Array.from({ length: 20 }, randomState);
    await writeUntilTaken(graph, further);
    note(model, further);
    await isAsWritten(graph, model);
  }
  await graph.close();
  assert.deepEqual(strays, []);
});

test('a server ended in order has everything again; one that is gone is named in the state', async () => {
  await emptyGraph(server.url);
  const graph = openGraph(server.url, quick);
  const model = new Map<string, PairState>();
  const states = Array.from({ length: 200 }, randomState);
  await graph.write(states);
  note(model, states);
  await server.stop();
  await until(() => graph.state() !== 'ready');
  assert.equal(graph.state(), 'gremlin: nothing listens at that address.');
  await assert.rejects(graph.write(states), { retryable: true });
  await server.start();
  await until(() => graph.state() === 'ready');
  await isAsWritten(graph, model);
  await graph.close();
  assert.deepEqual(strays, []);
});

test('a server that lost its memory takes writes about users it was known to have', async () => {
  const graph = openGraph(server.url, quick);
  // Not those that the file of the last orderly end has.
  const states = Array.from({ length: 50 }, randomState).map((state) => ({
    ...state,
    from: `k-${state.from}`,
  }));
  await graph.write(states);
  await server.kill();
  await server.start();
  const model = new Map<string, PairState>();
  await writeUntilTaken(graph, states);
  note(model, states);
  await isAsWritten(graph, model);
  await graph.close();
  assert.deepEqual(strays, []);
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 2_000, 'it does not come about');
    await delay(10);
  }
}
