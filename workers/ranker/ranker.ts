import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Bus, Unsubscribe } from '../../channels/bus/bus.ts';
import type { Clock } from '../../channels/clock.ts';
import { rankerSubject } from '../../channels/contest/messages.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import type { Pages } from '../../channels/pages/pages.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import type { Archive } from '../archive/archive.ts';
import type { Consumer, Log } from '../log/log.ts';
import { createApplyFaults } from './apply-faults.ts';
import { createCheckpointStore } from './checkpoint-store.ts';
import { createRanking, restoreRanking } from './create-ranking.ts';
import { createHealing } from './heal-partition.ts';
import { createOrderSorter } from './order-sorter.ts';
import { createPartitionRanker, type PartitionRanker, type SharedParts } from './partition-ranker.ts';
import { createQuestionQueue } from './question-queue.ts';
import { createRankerMetrics } from './ranker-metrics.ts';
import type { RankerOptions } from './ranker-options.ts';
import { epochOf } from './ranker-state.ts';
import type { Ranking } from './ranking.ts';
import { type RankingOptions, rankingDefaults } from './ranking-options.ts';
import { restorePartition } from './restore.ts';

/**
 * The ranker: consumes `contest-events` as group `ranker-<replica>`, keeps a ranking of each partition it
 * is given, publishes frames of what edges want and answers their questions.
 */
export interface Ranker {
  /** Every partition is taken, has caught up with the log as it was then, and did not fail last. */
  ready(): boolean;
  /** Newest version applied of a partition; null: not taken. */
  applied(partition: number): number | null;
  /** Gives the partitions back, each with a last checkpoint. */
  close(): Promise<void>;
}

export interface RankerParts {
  log: Log;
  bus: Bus;
  lookup: Lookup;
  /** null: nothing is left behind in it. */
  pages: Pages | null;
  sets: RankedSets | null;
  archive: Archive;
  clock: Clock;
  options: RankerOptions;
  /** Bounds of the state machine where they differ from its defaults. */
  ranking?: Partial<Omit<RankingOptions, 'topic' | 'partition'>>;
  logger: Logger;
  registry: Registry;
  /** Measures work, ms with fractions. */
  elapsed?: () => number;
  /** What stands between the ranker and its state machine, to find out how it takes faults. */
  rankingOver?: (ranking: Ranking) => Ranking;
}

const contestEventsTopic = 'contest-events';

/** Resolves when it has joined the group; `ready` says when it has caught up. */
export async function createRanker(parts: RankerParts): Promise<Ranker> {
  const { log, bus, options, logger } = parts;
  const topic = contestEventsTopic;
  const taken = new Map<number, { ranker: PartitionRanker; endAnswers: Unsubscribe }>();
  const rankers = (): PartitionRanker[] => [...taken.values()].map(({ ranker }) => ranker);
  const metrics = createRankerMetrics(parts.registry, () => rankers().map((ranker) => ranker.gauges()));
  const sorter = createOrderSorter(options.orderInlineEntriesMax);
  const rankingOptions = (partition: number): RankingOptions => ({
    ...rankingDefaults,
    ...parts.ranking,
    topic,
    partition,
  });
  const elapsed = parts.elapsed ?? ((): number => performance.now());
  const queue = createQuestionQueue({
    clock: parts.clock,
    elapsed,
    busy: () => rankers().some((ranker) => ranker.busy),
    windowMs: options.tickMs,
    budgetMs: (options.tickMs * options.answerPercentMax) / 100,
    questionsMax: options.questionsMax,
  });
  const faults = createApplyFaults();
  const rankingOver = parts.rankingOver ?? ((ranking: Ranking) => ranking);
  const shared: SharedParts = {
    ...parts,
    faults,
    elapsed,
    metrics,
    sorter,
    queue,
    topic,
    epochOf: (partition, offset, id) => epochOf(rankingOptions(partition), offset, id),
  };

  async function take(partition: number): Promise<number> {
    const own = logger.child({ partition, replica: options.replica });
    const folder = join(options.checkpointFolder, `ranker-${options.replica}`, `${topic}-${partition}`);
    const store = createCheckpointStore(folder);
    const restored = await restorePartition({
      log,
      topic,
      partition,
      store,
      logger: own,
      create: () => rankingOver(createRanking(rankingOptions(partition))),
      restore: (segments, head) => rankingOver(restoreRanking(segments, head, rankingOptions(partition))),
    });
    const ranker = createPartitionRanker(shared, partition, restored, store, own);
    try {
      const endAnswers = await bus.answer(rankerSubject(partition), ranker.answer);
      taken.set(partition, { ranker, endAnswers });
    } catch (error) {
      await ranker.close();
      throw error;
    }
    return restored.begin;
  }

  async function giveBack(partition: number): Promise<void> {
    const held = taken.get(partition);
    if (held === undefined) return;
    taken.delete(partition);
    held.endAnswers();
    await held.ranker.close();
  }

  async function abandon(partition: number): Promise<void> {
    const held = taken.get(partition);
    if (held === undefined) return;
    taken.delete(partition);
    held.endAnswers();
    await held.ranker.abandon();
  }

  const onBatch = createHealing({
    log,
    topic,
    batchMax: options.batchRecordsMax,
    faults,
    logger,
    onRebuild: (partition) => metrics.rebuilds.inc({ partition: String(partition) }),
    next: (partition) => taken.get(partition)?.ranker.next ?? null,
    take,
    abandon,
    apply: async (partition, records) => taken.get(partition)?.ranker.apply(records),
    onBatch: async (batch) => taken.get(batch.partition)!.ranker.onBatch(batch),
  });

  const endResets = bus.onReset((reason) => {
    logger.warn({ reason }, 'the bus was interrupted: places and last states are written again');
    for (const ranker of rankers()) {
      ranker
        .onReset()
        .catch((error: unknown) => logger.error({ err: error }, 'places could not be written again'));
    }
  });
  let consumer: Consumer | null = await log.consume({
    group: `ranker-${options.replica}`,
    topic,
    batchMax: options.batchRecordsMax,
    onAssign: take,
    onBatch,
    onRevoke: giveBack,
    onError: (error) => logger.error({ err: error }, 'records could not be applied; they are tried again'),
  });

  return {
    ready: () =>
      taken.size === log.partitions(topic) && rankers().every((ranker) => ranker.caughtUp && !ranker.failing),
    applied: (partition) => taken.get(partition)?.ranker.version ?? null,
    async close() {
      const closing = consumer;
      consumer = null;
      endResets();
      await closing?.close();
      for (const partition of [...taken.keys()]) await giveBack(partition);
      queue.close();
      await sorter.close();
    },
  };
}
