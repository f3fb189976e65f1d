import { join } from 'node:path';
import type { Bus } from '../channels/bus/bus.ts';
import type { Lookup } from '../channels/lookup/lookup.ts';
import type { Pages } from '../channels/pages/pages.ts';
import type { RankedSets } from '../channels/sets/ranked-sets.ts';
import type { Archive } from '../workers/archive/archive.ts';
import type { Graph } from '../workers/graph/graph.ts';
import type { Log } from '../workers/log/log.ts';
import { type EmbeddedEngines, openEmbeddedEngines } from './embedded-engines.ts';
import { ConfigError, flagOf, type Options } from './options.ts';
import type { ServerContext } from './real-engines.ts';

/** What everything else stands on: one implementation of each port that the process needs. */
export interface Engines {
  bus: Bus;
  lookup: Lookup;
  sets: RankedSets;
  pages: Pages;
  log: Log;
  /** Null where no role of this process has to do with it. */
  graph: Graph | null;
  archive: Archive | null;
  /** Folder of what a ranker keeps beside the log. */
  checkpointFolder: string;
  /** Of each real server: `ready`, or in a sentence why not. */
  states: Readonly<Record<string, () => string>>;
  close(): Promise<void>;
}

/** What a process needs besides bus, small values, sorted sets, pages and log, which all need. */
export interface EngineNeeds {
  graph: boolean;
  archive: boolean;
  /** Other processes stand on the same engines: none may be embedded, if any is real. */
  shared: boolean;
}

/** By server: the options that choose it. */
const choices = {
  redis: ['redisUrl', 'redisSentinels', 'redisCluster'],
  kafka: ['kafkaBrokers'],
  gremlin: ['gremlinUrl'],
  cassandra: ['cassandraContactPoints'],
} as const satisfies Record<string, readonly (keyof Options)[]>;
export type ServerName = keyof typeof choices;
const serverNames = Object.keys(choices) as ServerName[];

const isChosen = (options: Options, server: ServerName): boolean =>
  choices[server].some((name) => options[name] !== undefined);
/** The servers that the process needs and that are not chosen, with the options that would. */
export function embeddedServers(
  options: Options,
  needs: EngineNeeds,
): { server: ServerName; flags: string }[] {
  return neededServers(needs)
    .filter((server) => !isChosen(options, server))
    .map((server) => ({ server, flags: choices[server].map(flagOf).join(' or ') }));
}
const neededServers = (needs: EngineNeeds): ServerName[] =>
  serverNames.filter((server) => {
    return (server !== 'gremlin' || needs.graph) && (server !== 'cassandra' || needs.archive);
  });

/**
 * Opens each port on the server that is chosen for it, or else embedded. Throws a sentence where a data
 * folder is another process's or an option will not do; a server that is not there yet is waited for in the
 * background, and `states` says so.
 */
export async function openEngines(context: ServerContext, needs: EngineNeeds): Promise<Engines> {
  const { options } = context;
  const needed = neededServers(needs);
  const embedded = needed.filter((server) => !isChosen(options, server));
  if (needs.shared && embedded.length > 0 && embedded.length < needed.length) {
    throw new ConfigError(
      embedded.map((server) => {
        const flags = choices[server].map(flagOf).join(' or ');
        return `${server} is embedded, which belongs to one process, while others are real: give ${flags}`;
      }),
    );
  }
  const closers: (() => Promise<void>)[] = [];
  const states: Record<string, () => string> = {};
  let folder: EmbeddedEngines | null = null;
  // Each is closed, whatever becomes of the others; the first fault is the one that is told.
  const close = async (): Promise<void> => {
    const faults: unknown[] = [];
    for (const closer of [...closers.reverse(), () => folder?.close()]) {
      try {
        await closer();
      } catch (fault) {
        faults.push(fault);
      }
    }
    if (faults.length > 0) throw faults[0];
  };
  try {
    if (embedded.length > 0) folder = await openEmbeddedEngines(options, context.clock, context.logger);
    const keep = <Port extends { close(): Promise<void> }>(port: Port): Port => {
      closers.push(() => port.close());
      return port;
    };
    const real = embedded.length < needed.length ? await import('./real-engines.ts') : null;
    const open = async <Port extends { close(): Promise<void> }>(
      server: ServerName,
      fromServer: (servers: NonNullable<typeof real>) => Promise<Port>,
      fromFolder: (engines: EmbeddedEngines) => Promise<Port>,
    ): Promise<Port> => {
      if (real !== null && isChosen(options, server)) return keep(await fromServer(real));
      if (folder === null) throw new Error(`${server} is neither chosen nor embedded`);
      return keep(await fromFolder(folder));
    };
    const redis = real !== null && isChosen(options, 'redis') ? await real.openRedis(context, states) : null;
    if (redis !== null) closers.push(() => redis.close());
    const bus = await open(
      'redis',
      () => redis!.bus(),
      (engines) => engines.bus(),
    );
    const lookup = await open(
      'redis',
      () => redis!.lookup(),
      (engines) => engines.lookup(),
    );
    const sets = await open(
      'redis',
      () => redis!.sets(),
      (engines) => engines.sets(),
    );
    const pages = await open(
      'redis',
      () => redis!.pages(),
      (engines) => engines.pages(),
    );
    const log = await open(
      'kafka',
      (servers) => servers.openKafka(context, states),
      (engines) => engines.log(),
    );
    const graph = needs.graph
      ? await open(
          'gremlin',
          (servers) => servers.openGremlin(context, states),
          (engines) => engines.graph(),
        )
      : null;
    const archive = needs.archive
      ? await open(
          'cassandra',
          (servers) => servers.openCassandra(context, states),
          (engines) => engines.archive(),
        )
      : null;
    const checkpointFolder = join(options.data, 'checkpoints');
    return { bus, lookup, sets, pages, log, graph, archive, checkpointFolder, states, close };
  } catch (error) {
    await close().catch((fault: unknown) => {
      context.logger.error({ err: fault }, 'an engine could not be closed');
    });
    throw error;
  }
}
