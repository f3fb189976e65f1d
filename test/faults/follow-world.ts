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
import { createFollowersWorker } from '../../workers/followers/followers-worker.ts';
import { createEmbeddedGraph } from '../../workers/graph/graph.embedded.ts';
import type { Graph } from '../../workers/graph/graph.ts';
import { createGraphWorker } from '../../workers/graph/graph-worker.ts';
import { createEmbeddedLog, embeddedTopics } from '../../workers/log/log.embedded.ts';
import type { Batch, Log } from '../../workers/log/log.ts';
import type { Worker } from '../../workers/log/worker.ts';
import { createProfilesWorker } from '../../workers/profiles/profiles-worker.ts';
import { createLife, type Life } from './mortal.ts';

/** The whole way of follows on the embedded stores, in one folder, with workers that can die. */
export interface FollowWorld {
  readonly log: Log;
  readonly graph: Graph;
  readonly lookup: Lookup;
  readonly sets: RankedSets;
  readonly bus: Bus;
  /** ms; the logs' clock, which only moves by hand. */
  now: number;
  /** Starts workers; they die at their call number `steps` (0: never). */
  start(batchMax: number, steps?: number, hasEffect?: boolean): Promise<void>;
  /** Clears away workers, dead or alive, without letting them finish. */
  kill(): Promise<void>;
  /** Resolves with true when all workers have committed all there is, with false when they died before. */
  settled(): Promise<boolean>;
  /** Failures that workers counted, other than by death. */
  failures(): Promise<number>;
  discard(): Promise<void>;
}

const consumed = ['graph-commands', 'graph-changes', 'profiles'] as const;

/** `sweepIntervalMs`: how often the graph forgets; short, to see that it never shows. */
export async function createFollowWorld(sweepIntervalMs = 60_000): Promise<FollowWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'rankcast-follows-'));
  const store = openEmbeddedStore(folder);
  let now = Date.UTC(2026, 4, 1);
  const clock: Clock = { now: () => now, after: systemClock.after };
  const onError = (error: unknown) => {
    throw error;
  };
  const log = createEmbeddedLog({ store, clock, topics: embeddedTopics, onError });
  const graph = createEmbeddedGraph({ store, clock, options: { sweepIntervalMs }, onError });
  const lookup = createEmbeddedLookup({ store, clock, onError });
  const sets = createEmbeddedRankedSets({ store });
  const bus = createEmbeddedBus({ store, clock, newEpoch: () => 'one', onError });

  const committed = new Map<string, number>();
  let workers: Worker[] = [];
  let life: Life = createLife(0, false);
  let registry = new Registry();
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
    async start(batchMax, steps = 0, hasEffect = false) {
      life = createLife(steps, hasEffect);
      registry = new Registry();
      const lent = life.lendLog(log, noteCommit);
      const logger = pino({ level: 'silent' });
      const parts = { log: lent, lookup: life.lend(lookup), clock, logger, registry };
      workers = await Promise.all([
        createGraphWorker({ ...parts, graph: life.lend(graph), options: { graphBatchMax: batchMax } }),
        createFollowersWorker({
          ...parts,
          sets: life.lend(sets),
          bus: life.lend(bus),
          options: { followersBatchMax: batchMax },
        }),
        createProfilesWorker({ ...parts, options: { profilesBatchMax: Math.min(500, batchMax) } }),
      ]);
    },
    async kill() {
      const closing = Promise.all(workers.map((worker) => worker.close()));
      life.bury();
      await closing;
      workers = [];
    },
    async settled() {
      for (;;) {
        const progress = new Promise<void>((resolve) => {
          onProgress = resolve;
        });
        if (life.dead) return false;
        if (await isSettled()) return true;
        await Promise.race([progress, life.died]);
      }
    },
    async failures() {
      let sum = 0;
      for (const name of ['graph', 'followers', 'profiles']) {
        const metric = registry.getSingleMetric(`rankcast_${name}_failures_total`);
        for (const { value } of (await metric?.get())?.values ?? []) sum += value;
      }
      return sum;
    },
    async discard() {
      await Promise.all(workers.map((worker) => worker.close()));
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
