import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createEmbeddedBus } from '../../channels/bus/bus.embedded.ts';
import type { Bus } from '../../channels/bus/bus.ts';
import { type Clock, systemClock } from '../../channels/clock.ts';
import { createEmbeddedLookup } from '../../channels/lookup/lookup.embedded.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import { createEmbeddedRankedSets } from '../../channels/sets/ranked-sets.embedded.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import {
  createFollowersWorker,
  type FollowersWorkerOptions,
  followersWorkerDefaults,
} from '../../workers/followers/followers-worker.ts';
import { createEmbeddedGraph } from '../../workers/graph/graph.embedded.ts';
import type { Graph } from '../../workers/graph/graph.ts';
import { createGraphWorker } from '../../workers/graph/graph-worker.ts';
import { createEmbeddedLog } from '../../workers/log/log.embedded.ts';
import type { Batch, Log } from '../../workers/log/log.ts';
import { logTopics } from '../../workers/log/topics.ts';
import type { Worker } from '../../workers/log/worker.ts';
import { createProfilesWorker } from '../../workers/profiles/profiles-worker.ts';
import { createLife, type Fate, type Life, longLife } from './mortal.ts';

/**
 * The whole way of follows on the embedded stores, in one folder, with workers that can die. The graph may be
 * elsewhere.
 */
export interface FollowWorld {
  readonly log: Log;
  readonly graph: Graph;
  readonly lookup: Lookup;
  readonly sets: RankedSets;
  readonly bus: Bus;
  /** ms; the logs' clock, which only moves by hand. */
  now: number;
  /** Starts one worker of each kind, a member more of their groups. */
  start(batchMax: number, fate?: Fate): Promise<void>;
  /** Clears away members without letting them finish: the dead only, or all. Answers how many are left. */
  bury(which: 'dead' | 'all'): Promise<number>;
  /** Resolves with true when all there is has been committed, with false when a member has died before. */
  settled(): Promise<boolean>;
  /** All members say that they are well. */
  ready(): boolean;
  /** Failed batches that the members counted. */
  failures(): Promise<number>;
  discard(): Promise<void>;
}

interface Member {
  life: Life;
  workers: Worker[];
  registry: Registry;
}

const consumed = ['graph-commands', 'graph-changes', 'profiles'] as const;

export interface FollowWorldOptions {
  /** How often the graph forgets; short, to see that it never shows. */
  sweepIntervalMs?: number;
  folder?: string;
  /** In place of the embedded one. */
  openGraph?(clock: Clock): Graph;
  openSets?(): RankedSets;
  /** What the workers have of the sets. */
  aroundSets?(sets: RankedSets): RankedSets;
  openBus?(clock: Clock): Bus;
  /** For the followers workers only. */
  followers?: Partial<FollowersWorkerOptions>;
}

export async function createFollowWorld(options: FollowWorldOptions = {}): Promise<FollowWorld> {
  const { sweepIntervalMs = 60_000, folder = mkdtempSync(join(tmpdir(), 'rankcast-follows-')) } = options;
  const store = openEmbeddedStore(folder);
  let now = Date.UTC(2026, 4, 1);
  const clock: Clock = { now: () => now, after: systemClock.after };
  const onError = (error: unknown) => {
    throw error;
  };
  const retries = { retryMinMs: 1, retryMaxMs: 4 };
  const log = createEmbeddedLog({ store, clock, topics: logTopics, onError, options: retries });
  const graph =
    options.openGraph?.(clock) ??
    createEmbeddedGraph({ store, clock, options: { sweepIntervalMs }, onError });
  const lookup = createEmbeddedLookup({ store, clock, onError });
  const sets = options.openSets?.() ?? createEmbeddedRankedSets({ store });
  const bus = options.openBus?.(clock) ?? createEmbeddedBus({ store, clock, newEpoch: () => 'one', onError });

  const committed = new Map<string, number>();
  let members: Member[] = [];
  let onProgress = (): void => undefined;

  function noteCommit({ topic, partition }: Batch, nextOffset: number): void {
    committed.set(`${topic}/${partition}`, nextOffset);
    onProgress();
  }

  async function isSettled(): Promise<boolean> {
    for (const topic of consumed) {
      for (let partition = 0; partition < log.partitions(topic); partition++) {
        const { next } = await log.bounds(topic, partition);
        if ((committed.get(`${topic}/${partition}`) ?? 0) < next) return false;
      }
    }
    return true;
  }

  return {
    log,
    graph,
    lookup,
    sets,
    bus,
    get now() {
      return now;
    },
    set now(ms) {
      now = ms;
    },
    async start(batchMax, fate = longLife) {
      const life = createLife(fate);
      const registry = new Registry();
      const lent = life.lendLog(log, noteCommit);
      const logger = pino({ level: 'silent' });
      const parts = { log: lent, lookup: life.lend(lookup), clock, logger, registry };
      const workers = await Promise.all([
        createGraphWorker({ ...parts, graph: life.lend(graph), options: { graphBatchMax: batchMax } }),
        createFollowersWorker({
          ...parts,
          sets: life.lend(options.aroundSets?.(sets) ?? sets),
          bus: life.lend(bus),
          graph: life.lend(graph),
          options: { ...followersWorkerDefaults, ...options.followers, followersBatchMax: batchMax },
        }),
        createProfilesWorker({ ...parts, options: { profilesBatchMax: Math.min(500, batchMax) } }),
      ]);
      members.push({ life, workers, registry });
    },
    async bury(which) {
      const going = members.filter(({ life }) => which === 'all' || life.dead);
      const closing = going.flatMap(({ workers }) => workers.map((worker) => worker.close()));
      for (const { life } of going) life.bury();
      await Promise.all(closing);
      members = members.filter((member) => !going.includes(member));
      return members.length;
    },
    async settled() {
      for (;;) {
        const progress = new Promise<void>((resolve) => {
          onProgress = resolve;
        });
        if (members.some(({ life }) => life.dead)) return false;
        if (await isSettled()) return true;
        await Promise.race([progress, ...members.map(({ life }) => life.died)]);
      }
    },
    ready: () => members.every(({ workers }) => workers.every((worker) => worker.ready())),
    async failures() {
      let sum = 0;
      for (const { registry } of members) {
        for (const name of ['graph', 'followers', 'profiles']) {
          const metric = registry.getSingleMetric(`rankcast_${name}_failures_total`);
          for (const { value } of (await metric?.get())?.values ?? []) sum += value;
        }
      }
      return sum;
    },
    async discard() {
      await Promise.all(members.flatMap(({ workers }) => workers.map((worker) => worker.close())));
      await log.close();
      await graph.close();
      await bus.close();
      await lookup.close();
      await sets.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
