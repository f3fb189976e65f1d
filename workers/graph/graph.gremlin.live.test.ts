import { createManualClock } from '../../channels/clock.manual.ts';
import { type GraphBench, testGraph } from './graph.conformance.ts';
import { ask, emptyGraph, g, openGraph } from './graph.gremlin.testbed.ts';

const url = process.env['RANKCAST_TEST_GREMLIN'] ?? 'ws://127.0.0.1:18182/gremlin';

async function makeBench(edgeIds: 'given' | 'key', traversalSource = 'g'): Promise<GraphBench> {
  await emptyGraph(url, edgeIds);
  const clock = createManualClock(1_700_000_000_000);
  const open = () =>
    openGraph(
      url,
      { edgeIds, traversalSource, sweepIntervalMs: 1, sweepBatchMax: 2, sweepBackMs: 48 * 3_600_000 },
      clock,
    );
  let graph = open();
  const all = [graph];
  return {
    get graph() {
      return graph;
    },
    async restart() {
      // The former one goes on as a process does that was not seen to die.
      graph = open();
      all.push(graph);
    },
    now: clock.now,
    async pass(ms) {
      // The sweep under way had begun before; the next one finds the time passed.
      clock.advance(ms - 1);
      await settled(traversalSource);
      clock.advance(1);
      await settled(traversalSource);
    },
    async discard() {
      for (const one of all) await one.close();
    },
  };
}

/** Sweeps have no end that can be waited for from outside: until the graph changes no more. */
async function settled(source: string): Promise<void> {
  let before = -1;
  for (let same = 0; same < 10; same++) {
    const [now] = (await ask(url, g.V().count(), source)) as [number];
    if (now !== before) same = 0;
    before = now;
  }
}

testGraph('gremlin graph, edges by given ids', () => makeBench('given'));
testGraph('gremlin graph, edges by a key', () => makeBench('key'));
testGraph('gremlin graph, with transactions', () => makeBench('given', 'gtx'));
