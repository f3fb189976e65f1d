import { g, openGraph, serverAt } from '../../workers/graph/graph.gremlin.testbed.ts';
import type { GremlinGraph } from '../../workers/graph/graph.gremlin.ts';
import type { PairState } from '../../workers/graph/graph.ts';
import { emptyState } from '../../workers/graph/pair-rules.ts';
import { startGremlin } from '../services/gremlin.ts';
import { type Bench, quantiles } from './bench.ts';
import { cpuMsOf } from './process-usage.ts';

/** The graph port on a Gremlin Server of its own, with its graph in memory. STATES: of each kind, 20,000. */
const total = Number(process.env['STATES'] ?? 20_000);
/** As the graph worker has it. */
const batch = 1_000;
const followers = 100_000;

export const graphGremlinBench: Bench = {
  name: 'graph-gremlin',
  about:
    `Reads and writes of ${total.toLocaleString('en')} pairs, ${batch.toLocaleString('en')} a call, on ` +
    'Gremlin Server; beside it the processor time of this process and of the server for each.',
  async run(add) {
    const server = await startGremlin();
    const graph = openGraph(server.url);
    const pid = server.pid!;
    const rates = async (what: string, states: readonly PairState[], call: Call) => {
      const [own, theirs, start] = [process.cpuUsage(), cpuMsOf(pid), performance.now()];
      for (let at = 0; at < states.length; at += batch) await call(states.slice(at, at + batch));
      const seconds = (performance.now() - start) / 1_000;
      const { user, system } = process.cpuUsage(own);
      const micros = (ms: number) => `${((ms * 1_000) / states.length).toFixed(0)} µs`;
      add({
        what,
        measured: `${Math.round(states.length / seconds).toLocaleString('en')} a second`,
        beside: `here ${micros((user + system) / 1_000)}, there ${micros(cpuMsOf(pid) - theirs)}`,
        target: '',
      });
    };
    const write: Call = (states) => graph.write(states);
    const read: Call = (states) => graph.read(states.map(({ from, to }) => [from, to]));
    try {
      await raw(server.url, add);
      // The server's compiler warms up on others.
      await rates('(warming up)', follows(total, 'w'), write);
      const states = follows(total, 'u');
      await rates('pairs read of which nothing is known', states, read);
      await rates('new follows written, both users new', states, write);
      await rates('pairs read, one follow each', states, read);
      await rates('follows written again (affinity)', states, write);
      await rates('follows ended', states.map(ended), write);
      await crowd(graph, add);
    } finally {
      await graph.close();
      await server.stop();
    }
  },
};

type Call = (states: readonly PairState[]) => Promise<unknown>;
type Add = Parameters<Bench['run']>[0];

function follows(count: number, prefix: string): PairState[] {
  return Array.from({ length: count }, (_, i) => follow(`${prefix}${i}`, `${prefix}-of-${i}`));
}

function follow(from: string, to: string): PairState {
  const stamp = { at: Date.now(), id: `f-${from}` };
  const affinity = Math.random();
  return {
    ...emptyState(from, to),
    following: true,
    affinity,
    since: stamp.at,
    followStamp: stamp,
    affinityStamp: stamp,
  };
}

function ended({ from, to, followStamp }: PairState): PairState {
  return { ...emptyState(from, to), followStamp };
}

/** What any request costs. */
async function raw(url: string, add: Add): Promise<void> {
  const connection = await serverAt(url);
  const request = g.inject(0).getBytecode();
  for (let i = 0; i < 500; i++) await connection.submit(request, 5_000);
  const times = await timesOf(1_000, () => connection.submit(request, 5_000));
  add({ what: 'a request that asks for nothing', measured: quantiles(times), beside: '', target: '' });
  connection.end();
}

/** A user with many followers beside one with ten. */
async function crowd(graph: GremlinGraph, add: Add): Promise<void> {
  for (let at = 0; at < followers; at += batch) {
    await graph.write(Array.from({ length: batch }, (_, i) => follow(`c${at + i}`, 'star')));
  }
  await graph.write(Array.from({ length: 10 }, (_, i) => follow(`d${i}`, 'friend')));
  const touch = (user: string, letter: string) => {
    let i = 0;
    return timesOf(300, async () => {
      const state = follow(`${letter}${i++ % 10}`, user);
      await graph.read([[state.from, state.to]]);
      await graph.write([state]);
    });
  };
  const [few, many] = [await touch('friend', 'd'), await touch('star', 'c')];
  add({
    what: `one follow read and written of a user with ${followers.toLocaleString('en')} followers`,
    measured: quantiles(many),
    beside: `with ten ${quantiles(few)}`,
    target: '',
  });
  let after: string | null = null;
  let pages = 0;
  const start = performance.now();
  for (;;) {
    const page: Awaited<ReturnType<GremlinGraph['list']>> = await graph.list('star', 'followers', after, 500);
    if (page.length === 0) break;
    after = page.at(-1)!.other;
    pages += 1;
  }
  add({
    what: `all of them listed, ${pages} pages`,
    measured: `${((performance.now() - start) / 1_000).toFixed(1)} s`,
    beside: '',
    target: '',
  });
}

async function timesOf(count: number, call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return times;
}
