import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '../../channels/clock.manual.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { type GraphBench, testGraph } from './graph.conformance.ts';
import { createEmbeddedGraph } from './graph.embedded.ts';

async function makeBench(): Promise<GraphBench> {
  const folder = mkdtempSync(join(tmpdir(), 'rankcast-graph-'));
  const store = openEmbeddedStore(folder);
  const clock = createManualClock();
  const open = () =>
    createEmbeddedGraph({
      store,
      clock,
      options: { sweepBatchMax: 2 },
      onError: (error) => {
        throw error;
      },
    });
  let graph = open();
  return {
    get graph() {
      return graph;
    },
    async restart() {
      // The folder is owned by this process, so the store stays; nothing of the graph's own memory does.
      graph = open();
    },
    now: clock.now,
    async pass(ms) {
      clock.advance(ms);
      // Writes are in order: when this one is done, the sweep that the clock began has had its first turn.
      for (let turn = 0; turn < 10; turn++) await store.write(() => undefined);
    },
    async discard() {
      await graph.close();
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

testGraph('embedded graph', makeBench);
