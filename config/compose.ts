import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../channels/clock.ts';
import type { Edge, EdgeParts } from '../edge/edge.ts';
import type { StaticFiles } from '../edge/http/static-files.ts';
import type { Ops, ReadyParts } from '../edge/ops.ts';
import type { HttpRequest, HttpResponse } from '../edge/sockets/sockets.ts';
import type { Verifier } from '../edge/verifier/verifier.ts';
import type { Engines } from './engines.ts';
import { ConfigError, type Options } from './options.ts';

export const workerRoleNames = ['ranker', 'graph', 'followers', 'archive'] as const;
export type WorkerRole = (typeof workerRoleNames)[number];
export interface Roles {
  edge: boolean;
  workers: readonly WorkerRole[];
}

/** A part of the process that can say whether it is ready, and ends in order. */
export interface Part {
  name: string;
  ready(): boolean;
  close(): Promise<void>;
}
export interface PartContext {
  options: Options;
  engines: Engines;
  clock: Clock;
  logger: Logger;
  registry: Registry;
}

/**
 * Starts the workers of the roles given, unless `ending`; each of them loads only what it needs. Those that
 * run are in `parts`, also where a later one could not be started.
 */
export async function startWorkers(
  context: PartContext,
  roles: readonly WorkerRole[],
  parts: Part[],
  ending: () => boolean,
): Promise<void> {
  if (roles.includes('ranker') && !ending()) parts.push(await startRanker(context));
  if (roles.includes('graph') && !ending()) parts.push(await startGraph(context));
  if (roles.includes('followers') && !ending()) await startFollowers(context, parts);
}

async function startRanker({ options, engines, clock, logger, registry }: PartContext): Promise<Part> {
  const { createRanker } = await import('../workers/ranker/ranker.ts');
  const { rankerDefaults } = await import('../workers/ranker/ranker-options.ts');
  const ranker = await createRanker({
    ...engines,
    archive: opened(engines.archive, 'archive'),
    clock,
    logger: logger.child({ part: 'ranker' }),
    registry,
    options: {
      ...rankerDefaults,
      replica: options.replica,
      checkpointFolder: engines.checkpointFolder,
      tickMs: options.tickMs,
      orderIntervalMs: options.orderIntervalMs,
      checkpointIntervalMs: options.checkpointIntervalMs,
      archiveIntervalMs: options.archiveIntervalMs,
      finalKeepMs: options.finalKeepMs,
    },
    ranking: { entriesPerMatchMax: options.entriesPerMatchMax, topRows: options.topRows },
  });
  return { name: 'ranker', ready: () => ranker.ready(), close: () => ranker.close() };
}

/** What the roles of this process have made `openEngines` open. */
function opened<Port>(port: Port | null, name: string): Port {
  if (port === null) throw new Error(`the ${name} is not open in this process`);
  return port;
}

async function startGraph({ engines, clock, logger, registry }: PartContext): Promise<Part> {
  const { createGraphWorker, graphWorkerDefaults } = await import('../workers/graph/graph-worker.ts');
  const worker = await createGraphWorker({
    ...engines,
    graph: opened(engines.graph, 'graph'),
    clock,
    options: graphWorkerDefaults,
    logger: logger.child({ part: 'graph' }),
    registry,
  });
  return { name: 'graph', ready: () => worker.ready(), close: () => worker.close() };
}

async function startFollowers(context: PartContext, started: Part[]): Promise<void> {
  const { options, engines, clock, logger, registry } = context;
  const { createFollowersWorker, followersWorkerDefaults } = await import(
    '../workers/followers/followers-worker.ts'
  );
  const { createProfilesWorker, profilesWorkerDefaults } = await import(
    '../workers/profiles/profiles-worker.ts'
  );
  const parts = { ...engines, clock, registry };
  const followers = await createFollowersWorker({
    ...parts,
    graph: opened(engines.graph, 'graph'),
    options: { ...followersWorkerDefaults, graphPrecedesLog: options.graphPrecedesLog },
    logger: logger.child({ part: 'followers' }),
  });
  started.push({ name: 'followers', ready: () => followers.ready(), close: () => followers.close() });
  const profiles = await createProfilesWorker({
    ...parts,
    options: profilesWorkerDefaults,
    logger: logger.child({ part: 'profiles' }),
  });
  started.push({ name: 'profiles', ready: () => profiles.ready(), close: () => profiles.close() });
}

/** Sockets and HTTP. Rejects with a sentence where a port is taken. */
export async function startEdge(
  context: PartContext,
  workers: readonly Part[],
  supervised?: EdgeParts['supervised'],
): Promise<Edge> {
  const verifier = await openVerifier(context);
  const { options, engines, clock, logger, registry } = context;
  const { createEdge, edgeDefaults } = await import('../edge/edge.ts');
  const { createIngest, ingestDefaults } = await import('../workers/source/ingest.ts');
  const edgeLogger = logger.child({ part: 'edge' });
  const { apiKey, pageFolder, ...named } = options;
  const edge = await createEdge({
    ...engines,
    archive: opened(engines.archive, 'archive'),
    clock,
    registry,
    logger: edgeLogger,
    ingest: createIngest({
      log: engines.log,
      clock,
      options: ingestDefaults,
      logger: logger.child({ part: 'ingest' }),
      registry,
    }),
    verifier,
    ...(pageFolder === undefined ? {} : { fallback: await openPage(pageFolder) }),
    options: {
      ...edgeDefaults,
      ...named,
      apiKeys: apiKey ?? [],
      boardRowsMax: options.topRows,
      subscriptionsPerSocketMax: options.subscriptionsMax,
      framesPerIntervalMax: options.framesPerTenSeconds,
    },
    edge: `edge-${randomBytes(6).toString('hex')}`,
    random: Math.random,
    newId: () => randomUUID(),
    dependencies: edgeReadiness(workers, engines),
    supervised,
  });
  return {
    ...edge,
    drain: async () => {
      await edge.drain();
      verifier.close();
    },
  };
}

/** Files for browsers, read whole now: a folder that cannot be served is a wrong option. */
async function openPage(folder: string): Promise<(request: HttpRequest) => Promise<HttpResponse | null>> {
  const { openStaticFiles } = await import('../edge/http/static-files.ts');
  let files: StaticFiles;
  try {
    files = openStaticFiles(folder);
  } catch (error) {
    throw new ConfigError([`--page-folder: ${(error as Error).message}`]);
  }
  return (request) => {
    const reads = request.method === 'GET' || request.method === 'HEAD';
    return Promise.resolve(reads ? files(request) : null);
  };
}

/** The operators' port of a process without an edge. */
export async function startOps(context: PartContext, workers: readonly Part[]): Promise<Ops> {
  const { options, engines, logger, registry } = context;
  const { createOps } = await import('../edge/ops.ts');
  return await createOps({
    host: options.opsHost,
    port: options.opsPort,
    registry,
    dependencies: readiness(workers, engines),
    onFault: (error) => logger.error({ err: error }, 'The operators’ port failed.'),
  });
}

/**
 * An edge serves without Kafka (reads go on, writes are refused) and without Cassandra (past boards are not
 * answered): a load balancer that took it away would take those reads too.
 */
function edgeReadiness(workers: readonly Part[], engines: Engines): ReadyParts {
  const missable = ['kafka', 'cassandra', 'gremlin'];
  const parts = Object.entries(readiness(workers, engines)).map(
    ([name, state]) => [name, { state, needed: workers.length > 0 || !missable.includes(name) }] as const,
  );
  return Object.fromEntries(parts);
}

function readiness(workers: readonly Part[], engines: Engines): Record<string, () => string> {
  const parts = workers.map((part) => [part.name, () => (part.ready() ? 'ready' : 'catching up')] as const);
  return { ...Object.fromEntries(parts), ...engines.states };
}

async function openVerifier({ options, clock, logger }: PartContext): Promise<Verifier> {
  const { createVerifier } = await import('../edge/verifier/verifier.jose.ts');
  const { verifierDefaults, verifierFaults } = await import('../edge/verifier/verifier-options.ts');
  const verifierOptions = {
    ...verifierDefaults,
    tokenSecret: options.tokenSecret ?? '',
    tokenPublicKey: readKeyFile(options.tokenPublicKey),
    tokenJwksUrl: options.tokenJwksUrl ?? '',
    tokenAlgorithms: options.tokenAlgorithms,
    tokenIssuer: options.tokenIssuer ?? '',
    tokenAudience: options.tokenAudience ?? '',
  };
  const faults = verifierFaults(verifierOptions);
  if (faults.length > 0) throw new ConfigError(faults);
  return createVerifier({ options: verifierOptions, clock, logger: logger.child({ part: 'verifier' }) });
}

function readKeyFile(path: string | undefined): string {
  if (path === undefined) return '';
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`--token-public-key: ${path} cannot be read: ${(error as Error).message}`]);
  }
}
