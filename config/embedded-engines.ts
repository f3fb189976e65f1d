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
import { topicsOf } from './topics.ts';

/** The embedded engines of one data folder, each opened when asked for. */
export interface EmbeddedEngines {
  bus(): Promise<Bus>;
  lookup(): Promise<Lookup>;
  sets(): Promise<RankedSets>;
  pages(): Promise<Pages>;
  log(): Promise<Log>;
  graph(): Promise<Graph>;
  archive(): Promise<Archive>;
  close(): Promise<void>;
}

/** Opens the data folder. Throws a sentence where another process has it. */
export async function openEmbeddedEngines(
  options: Options,
  clock: Clock,
  logger: Logger,
): Promise<EmbeddedEngines> {
  const { openEmbeddedStore } = await import('../channels/store/store.embedded.ts');
  const onError = (error: unknown) =>
    logger.error({ err: error }, 'The embedded store failed in the background.');
  const store = openEmbeddedStore(join(options.data, 'store'));
  const setup = { store, clock, onError };
  return {
    async bus() {
      const { createEmbeddedBus } = await import('../channels/bus/bus.embedded.ts');
      return createEmbeddedBus({ ...setup, newEpoch: () => randomBytes(6).toString('hex') });
    },
    async lookup() {
      const { createEmbeddedLookup } = await import('../channels/lookup/lookup.embedded.ts');
      return createEmbeddedLookup(setup);
    },
    async sets() {
      const { createEmbeddedRankedSets } = await import('../channels/sets/ranked-sets.embedded.ts');
      return createEmbeddedRankedSets({ store });
    },
    async pages() {
      const { createEmbeddedPages } = await import('../channels/pages/pages.embedded.ts');
      return createEmbeddedPages(setup);
    },
    async log() {
      const { createEmbeddedLog } = await import('../workers/log/log.embedded.ts');
      return createEmbeddedLog({ ...setup, topics: topicsOf(options) });
    },
    async graph() {
      const { createEmbeddedGraph, embeddedGraphDefaults } = await import(
        '../workers/graph/graph.embedded.ts'
      );
      return createEmbeddedGraph({ ...setup, options: embeddedGraphDefaults });
    },
    async archive() {
      const { createEmbeddedArchive } = await import('../workers/archive/archive.embedded.ts');
      return createEmbeddedArchive({ store });
    },
    close: () => store.close(),
  };
}
