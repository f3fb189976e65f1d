import type { Logger } from 'pino';
import type { Bus } from '../../channels/bus/bus.ts';
import type { Clock } from '../../channels/clock.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import type { Pages } from '../../channels/pages/pages.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import type { Archive } from '../archive/archive.ts';
import type { Batch, Log, LogRecord } from '../log/log.ts';
import { createDeadLetterWriter } from '../source/dead-letters.ts';
import { type Answer, createAnswering } from './answering.ts';
import { type Applier, createApplier } from './applier.ts';
import type { ApplyFaults } from './apply-faults.ts';
import { createBoards } from './boards.ts';
import { createBroadcast } from './broadcast.ts';
import { lastRecord } from './checkpoint-envelope.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import { createFinals } from './finals.ts';
import { createKeepsakes } from './keepsakes.ts';
import type { OrderSorter } from './order-sorter.ts';
import { createOrders } from './orders.ts';
import { createCheckpoints } from './partition-checkpoints.ts';
import { createPlaces } from './places.ts';
import type { QuestionQueue } from './question-queue.ts';
import type { PartitionGauges, RankerMetrics } from './ranker-metrics.ts';
import type { RankerOptions } from './ranker-options.ts';
import type { Restored } from './restore.ts';
import { createWaiters } from './waiters.ts';

/**
 * One partition's ranking at work: records in; frames, heads, answers, checkpoints and archived boards out.
 */
export interface PartitionRanker {
  readonly partition: number;
  readonly version: number;
  /** Has applied all that stood in the log when the partition was taken; stays so. */
  readonly caughtUp: boolean;
  /** The records that came last could not be applied, or what they say not be written; they come again. */
  readonly failing: boolean;
  /** Records are being applied, or were within the last tick. */
  readonly busy: boolean;
  readonly answer: Answer;
  /** Offset of the next record to apply. */
  readonly next: number;
  onBatch(batch: Batch): Promise<void>;
  /** Records before the batch's, after a rebuild. */
  apply(records: readonly LogRecord[]): Promise<void>;
  /** The bus or the stores behind it may have lost their memory. */
  onReset(): Promise<void>;
  gauges(): PartitionGauges;
  /** Ends all work; writes a last checkpoint. */
  close(): Promise<void>;
  /** Ends all work; nothing of a state that cannot be trusted is kept. */
  abandon(): Promise<void>;
}

/** What a ranker's partitions share. */
export interface SharedParts {
  log: Log;
  bus: Bus;
  lookup: Lookup;
  pages: Pages | null;
  sets: RankedSets | null;
  archive: Archive;
  clock: Clock;
  elapsed(): number;
  options: RankerOptions;
  metrics: RankerMetrics;
  sorter: OrderSorter;
  /** One for all partitions: they share one thread. */
  queue: QuestionQueue;
  topic: string;
  faults: ApplyFaults;
  epochOf(partition: number, offset: number, id: string): string;
}

const waitersMax = 10_000;
const finalRetryMs = 1_000;
/** A higher replica leaves archiving to the lower ones for so long, each. */
const archiveStaggerMs = 60_000;

export function createPartitionRanker(
  shared: SharedParts,
  partition: number,
  restored: Restored,
  store: CheckpointStore,
  logger: Logger,
): PartitionRanker {
  const { log, bus, lookup, clock, elapsed, options, metrics, topic } = shared;
  const { ranking } = restored;
  let caughtUp = restored.begin >= restored.end;
  /** When edges will have said what they want; null: not caught up yet. */
  let knownAt: number | null = null;
  let end = restored.end;
  let last = restored.last;
  let applying = false;
  let failing = false;
  let appliedAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  const waiters = createWaiters(clock, waitersMax);
  const orders = createOrders({
    ranking,
    clock,
    intervalMs: options.orderIntervalMs,
    keepMs: options.orderKeepMs,
    sort: shared.sorter.sort,
  });
  const keepsakes = createKeepsakes({
    ranking,
    orders,
    lookup,
    sets: shared.sets,
    clock,
    logger,
    expireMs: options.keepsakeExpireMs,
    topRowsMax: options.topRowsMax,
    topWaitMs: options.waitMsMax,
  });
  const broadcast = createBroadcast({
    ranking,
    partition,
    bus,
    clock,
    options,
    logger,
    metrics,
    elapsed,
    onWanted: keepsakes.changed,
    onFrame(kind, id) {
      if (kind === 'contest') keepsakes.changed(id);
      else for (const contest of broadcast.wants.contestsOf(id)) keepsakes.changed(contest);
    },
  });
  const boards = createBoards({
    ranking,
    orders,
    archive: shared.archive,
    clock,
    logger,
    intervalPages: options.archiveIntervalPages,
    pages: shared.pages,
    finalPagesMax: options.finalPagesMax,
    pageExpireMs: options.keepsakeExpireMs,
    onArchived: () => metrics.archived.inc(),
  });
  const finals = createFinals({
    clock,
    logger,
    keepMs: options.finalKeepMs,
    retryMs: finalRetryMs,
    delayMs: options.replica * archiveStaggerMs,
    restored: restored.finals,
    async archive(final) {
      for (const contest of contestsOf(final.kind, final.id)) await keepsakes.write(contest);
      await boards.archiveFinal(final);
    },
    forget(final) {
      for (const contest of contestsOf(final.kind, final.id)) {
        broadcast.wants.drop('contest', contest);
        keepsakes.forget(contest);
      }
      if (final.kind === 'match') broadcast.wants.drop('match', final.id);
      if (ranking.match(final.id) === null && ranking.contest(final.id) === null) return;
      ranking.forget(final.id);
      checkpoints.shrink();
      logger.info({ [final.kind]: final.id }, 'final and archived: left memory');
    },
  });
  const letters = createDeadLetterWriter(log, topic, partition, restored.letters, options.replica > 0);
  const places = createPlaces(ranking, lookup, partition, logger);
  const applier: Applier = createApplier({
    ranking,
    topic,
    partition,
    letters,
    places,
    metrics,
    sliceMs: options.sliceMs,
    elapsed,
    beheaded: restored.beheaded,
    epochOf: (offset, id) => shared.epochOf(partition, offset, id),
    onApplied() {
      appliedAt = clock.now();
      if (ranking.version >= restored.end) caughtUp = true;
      waiters.reached(ranking.version);
      broadcast.tick();
    },
    isAside: (offset) => shared.faults.isAside(partition, offset),
    onFinal: finals.add,
  });
  const checkpoints = createCheckpoints({
    ranking,
    store,
    clock,
    logger,
    metrics,
    intervalMs: options.checkpointIntervalMs,
    recordsMax: options.checkpointRecordsMax,
    segmentsMax: options.checkpointSegmentsMax,
    head() {
      if (applier.last !== null) last = lastRecord(applier.last);
      return {
        last,
        letters: { mark: letters.mark, next: letters.next },
        finals: finals.states(),
      };
    },
  });
  const answer = createAnswering({
    ranking,
    wants: broadcast.wants,
    orders,
    queue: shared.queue,
    waiters,
    pages: shared.pages,
    clock,
    logger,
    metrics,
    ready: () => caughtUp && !closed,
    keepMs: options.questionKeepMs,
    waitMsMax: options.waitMsMax,
    pageExpireMs: options.keepsakeExpireMs,
  });
  waiters.reached(ranking.version);
  broadcast.askForWants();

  function contestsOf(kind: 'match' | 'contest', id: string): string[] {
    return kind === 'match' ? [...(ranking.match(id)?.contests ?? [])] : [id];
  }

  /** Whether it has caught up, and edges had the time to say what they want. */
  function wantsKnown(): boolean {
    if (!caughtUp) return false;
    knownAt ??= clock.now() + options.newcomerMs;
    return clock.now() >= knownAt;
  }

  async function lookAtLog(): Promise<void> {
    end = (await log.bounds(topic, partition)).next;
    // Offsets may be taken by what is no record (a transaction's end): then nothing is left to read before
    // `end`.
    if (caughtUp || applying) return;
    const left = await log.read(topic, partition, Math.max(ranking.version, restored.begin), 1);
    if (left.length === 0) caughtUp = true;
  }

  const timers = [
    every(clock, options.headsIntervalMs, () => {
      if (!wantsKnown()) broadcast.askForWants();
      broadcast.heads();
      finals.check();
      orders.sweep();
      if (!applying) checkpoints.offer();
      lookAtLog().catch((error: unknown) => logger.warn({ err: error }, 'the log could not be looked at'));
    }),
    every(clock, options.keepsakeIntervalMs, keepsakes.round),
  ];
  if (options.archiveIntervalMs > 0 && options.replica === 0) {
    timers.push(every(clock, options.archiveIntervalMs, boards.round));
  }
  let committed = checkpoints.version;

  async function apply(records: readonly LogRecord[]): Promise<void> {
    applying = true;
    try {
      await applier.apply(records);
      failing = false;
    } catch (error) {
      failing = true;
      metrics.batchFailures.inc({ partition: String(partition) });
      throw error;
    } finally {
      applying = false;
    }
  }

  function endWork(): void {
    closed = true;
    for (const stop of timers) stop();
    broadcast.close();
    waiters.close();
    for (const work of [finals, boards, keepsakes]) work.close();
  }

  return {
    partition,
    get version() {
      return ranking.version;
    },
    get caughtUp() {
      return wantsKnown();
    },
    get failing() {
      return failing;
    },
    get busy() {
      return applying || clock.now() - appliedAt < options.tickMs;
    },
    get next() {
      return Math.max(ranking.version, restored.begin);
    },
    answer,
    apply,
    async onBatch(batch) {
      await apply(batch.records);
      checkpoints.offer();
      if (checkpoints.version === committed) return;
      // The position is the checkpoint's; this is for those who watch the group.
      committed = checkpoints.version;
      await batch.commit();
    },
    async onReset() {
      await places.again();
      for (const contest of broadcast.wants.contests()) keepsakes.changed(contest);
    },
    gauges() {
      let contests = 0;
      let entries = 0;
      for (const info of ranking.contests()) {
        contests += 1;
        entries += info.total;
      }
      const { version } = ranking;
      const lag = Math.max(0, end - Math.max(version, restored.begin));
      const waiting = shared.queue.size + waiters.size;
      return { partition, version, lag, contests, entries, wanted: broadcast.wants.size, waiting };
    },
    async close() {
      endWork();
      await Promise.allSettled([finals.idle(), boards.idle(), keepsakes.idle()]);
      await checkpoints.now();
    },
    async abandon() {
      endWork();
      // One taken before is of a good state, and in the way of the next one's.
      await checkpoints.idle();
    },
  };
}

function every(clock: Clock, ms: number, work: () => void): () => void {
  let cancel = clock.after(ms, again);
  function again(): void {
    cancel = clock.after(ms, again);
    work();
  }
  return () => cancel();
}
