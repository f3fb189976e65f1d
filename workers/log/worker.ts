import type { Logger } from 'pino';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../channels/clock.ts';
import type { Batch, Log } from './log.ts';

/** What consumes one topic as a member of a group. */
export interface Worker {
  /**
   * It consumes: within `failureShownMs` neither did the last batch of a partition fail, nor was anything
   * else told (the group cannot be joined, nothing can be fetched) that no batch has come after.
   */
  ready(): boolean;
  /** Resolves after the batches under way. */
  close(): Promise<void>;
}

/**
 * How long a failure counts: longer than the longest wait between tries, so that what goes on failing is seen
 * to; but not for ever, since a commit whose answer was lost fails here and yet is never tried again.
 */
export const failureShownMs = 30_000;

export interface WorkerParts {
  /** Also the group's name, and part of the metrics' names. */
  name: string;
  topic: string;
  batchMax: number;
  log: Log;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  /** Before the first batch of a partition. */
  onAssign?(partition: number, committed: number | null): Promise<void>;
  /** The partition goes; no batch of it is under way. */
  onRevoke?(partition: number): Promise<void>;
  /** Must commit the batch. When it rejects, the batch comes again (and a rejected `onAssign` likewise). */
  onBatch(batch: Batch): Promise<void>;
}

/**
 * Consumes from the committed position on; says what failed, how long batches take, and whether all is well.
 */
export async function startWorker(parts: WorkerParts): Promise<Worker> {
  const { name, topic, clock, logger, registry } = parts;
  const records = new Counter({
    name: `rankcast_${name}_records_total`,
    help: `Records of ${topic} consumed and committed.`,
    registers: [registry],
  });
  const failures = new Counter({
    name: `rankcast_${name}_failures_total`,
    help: `Batches of ${topic} that failed and were tried again.`,
    registers: [registry],
  });
  const seconds = new Histogram({
    name: `rankcast_${name}_batch_seconds`,
    help: `Time from a batch of ${topic} to its commit.`,
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers: [registry],
  });
  /** By partition: when its last batch failed; and when the consumer itself last did. */
  const failedAt = new Map<number | 'consumer', number>();
  let closed = false;

  async function watched(partition: number, step: () => Promise<void>): Promise<void> {
    try {
      await step();
      failedAt.delete(partition);
      failedAt.delete('consumer');
    } catch (error) {
      failedAt.set(partition, clock.now());
      throw error;
    }
  }

  const consumer = await parts.log.consume({
    group: name,
    topic,
    batchMax: parts.batchMax,
    async onAssign(partition, committed) {
      await watched(partition, async () => parts.onAssign?.(partition, committed));
      return 'committed';
    },
    async onBatch(batch) {
      const startedAt = clock.now();
      await watched(batch.partition, () => parts.onBatch(batch));
      seconds.observe((clock.now() - startedAt) / 1_000);
      records.inc(batch.records.length);
    },
    async onRevoke(partition) {
      failedAt.delete(partition);
      await parts.onRevoke?.(partition);
    },
    onError(error) {
      failures.inc();
      failedAt.set('consumer', clock.now());
      logger.error({ err: error, topic, group: name }, 'consuming failed; it is tried again');
    },
  });
  return {
    ready() {
      const since = clock.now() - failureShownMs;
      return !closed && [...failedAt.values()].every((at) => at < since);
    },
    async close() {
      closed = true;
      await consumer.close();
    },
  };
}
