import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Bus } from '../channels/bus/bus.ts';
import type { Clock } from '../channels/clock.ts';
import type { Lookup } from '../channels/lookup/lookup.ts';
import type { Pages } from '../channels/pages/pages.ts';
import type { RankedSets } from '../channels/sets/ranked-sets.ts';
import type { Archive } from '../workers/archive/archive.ts';
import type { Graph } from '../workers/graph/graph.ts';
import type { Log } from '../workers/log/log.ts';
import type { Options } from './options.ts';

/** What everything else stands on: one implementation of each port. */
export interface Engines {
  bus: Bus;
  lookup: Lookup;
  sets: RankedSets;
  pages: Pages;
  log: Log;
  graph: Graph;
  archive: Archive;
  /** Folder of what a ranker keeps beside the log. */
  checkpointFolder: string;
  close(): Promise<void>;
}

/** The embedded engines, in the data folder. Throws a sentence where another process has it. */
export async function openEmbeddedEngines(options: Options, clock: Clock, logger: Logger): Promise<Engines> {
  const { openEmbeddedStore } = await import('../channels/store/store.embedded.ts');
  const { createEmbeddedBus } = await import('../channels/bus/bus.embedded.ts');
  const { createEmbeddedLookup } = await import('../channels/lookup/lookup.embedded.ts');
  const { createEmbeddedRankedSets } = await import('../channels/sets/ranked-sets.embedded.ts');
  const { createEmbeddedPages } = await import('../channels/pages/pages.embedded.ts');
  const { createEmbeddedLog, embeddedTopics } = await import('../workers/log/log.embedded.ts');
  const { createEmbeddedGraph, embeddedGraphDefaults } = await import('../workers/graph/graph.embedded.ts');
  const { createEmbeddedArchive } = await import('../workers/archive/archive.embedded.ts');

  const onError = (error: unknown) =>
    logger.error({ err: error }, 'The embedded store failed in the background.');
  const store = openEmbeddedStore(join(options.data, 'store'));
  const setup = { store, clock, onError };
  const topics = Object.fromEntries(
    Object.entries(embeddedTopics).map(([name, topic]) => [
      name,
      {
        partitions: name === 'dead-letters' ? topic.partitions : options.partitions,
        deleteOlderThanMs: name === 'contest-events' ? options.retentionMs : topic.deleteOlderThanMs,
      },
    ]),
  );
  const bus = createEmbeddedBus({ ...setup, newEpoch: () => randomBytes(6).toString('hex') });
  const lookup = createEmbeddedLookup(setup);
  const sets = createEmbeddedRankedSets({ store });
  const pages = createEmbeddedPages(setup);
  const log = createEmbeddedLog({ ...setup, topics });
  const graph = createEmbeddedGraph({ ...setup, options: embeddedGraphDefaults });
  const archive = createEmbeddedArchive({ store });
  return {
    bus,
    lookup,
    sets,
    pages,
    log,
    graph,
    archive,
    checkpointFolder: join(options.data, 'checkpoints'),
    close: async () => {
      for (const port of [bus, lookup, sets, pages, log, graph, archive]) await port.close();
      await store.close();
    },
  };
}
