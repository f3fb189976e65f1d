import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../channels/clock.ts';
import type { Engines } from './engines.ts';
import type { Options } from './options.ts';

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

/** The workers of the roles given, started; each of them loads only what it needs. */
export async function startWorkers(context: PartContext, roles: readonly WorkerRole[]): Promise<Part[]> {
  const parts: Part[] = [];
  if (roles.includes('ranker')) parts.push(await startRanker(context));
  if (roles.includes('graph')) parts.push(await startGraph(context));
  if (roles.includes('followers')) parts.push(...(await startFollowers(context)));
  return parts;
}

async function startRanker({ options, engines, clock, logger, registry }: PartContext): Promise<Part> {
  const { createRanker } = await import('../workers/ranker/ranker.ts');
  const { rankerDefaults } = await import('../workers/ranker/ranker-options.ts');
  const ranker = await createRanker({
    ...engines,
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

async function startGraph({ engines, clock, logger, registry }: PartContext): Promise<Part> {
  const { createGraphWorker, graphWorkerDefaults } = await import('../workers/graph/graph-worker.ts');
  const worker = await createGraphWorker({
    ...engines,
    clock,
    options: graphWorkerDefaults,
    logger: logger.child({ part: 'graph' }),
    registry,
  });
  return { name: 'graph', ready: () => worker.ready(), close: () => worker.close() };
}

async function startFollowers({ engines, clock, logger, registry }: PartContext): Promise<Part[]> {
  const { createFollowersWorker, followersWorkerDefaults } = await import(
    '../workers/followers/followers-worker.ts'
  );
  const { createProfilesWorker, profilesWorkerDefaults } = await import(
    '../workers/profiles/profiles-worker.ts'
  );
  const parts = { ...engines, clock, registry };
  const followers = await createFollowersWorker({
    ...parts,
    options: followersWorkerDefaults,
    logger: logger.child({ part: 'followers' }),
  });
  const profiles = await createProfilesWorker({
    ...parts,
    options: profilesWorkerDefaults,
    logger: logger.child({ part: 'profiles' }),
  });
  return [
    { name: 'followers', ready: () => followers.ready(), close: () => followers.close() },
    { name: 'profiles', ready: () => profiles.ready(), close: () => profiles.close() },
  ];
}
