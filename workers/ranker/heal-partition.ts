import type { Logger } from 'pino';
import type { Batch, Log, LogRecord } from '../log/log.ts';
import { ApplyFault, type ApplyFaults } from './apply-faults.ts';

/** A partition as it is taken, given up and taken anew. */
export interface HealParts {
  log: Log;
  topic: string;
  batchMax: number;
  faults: ApplyFaults;
  logger: Logger;
  onRebuild(partition: number): void;
  /** Where the partition stands; null: it is not taken (a rebuild was cut short). */
  next(partition: number): number | null;
  /** Restores it from its checkpoint. */
  take(partition: number): Promise<unknown>;
  /** Lets go of its state without keeping anything of it. */
  abandon(partition: number): Promise<void>;
  apply(partition: number, records: readonly LogRecord[]): Promise<void>;
  onBatch(batch: Batch): Promise<void>;
}

/**
 * Gives a batch to its partition. Where a record throws, the partition is rebuilt from its checkpoint and the
 * log up to the batch, and goes on; a record costs two rebuilds at most.
 */
export function createHealing(parts: HealParts): (batch: Batch) => Promise<void> {
  const { log, topic, batchMax, faults, logger } = parts;
  /** Partitions that have to catch up with their batch. */
  const rebuilt = new Set<number>();

  async function catchUp(partition: number, until: number): Promise<void> {
    if (!rebuilt.has(partition)) return;
    if (parts.next(partition) === null) await parts.take(partition);
    let at = parts.next(partition) ?? until;
    while (at < until) {
      const records = await log.read(topic, partition, at, batchMax);
      const before = records.filter((record) => record.offset < until);
      const last = before.at(-1);
      if (last === undefined) break;
      await parts.apply(partition, before);
      at = last.offset + 1;
    }
    rebuilt.delete(partition);
  }

  async function rebuild(partition: number, fault: ApplyFault): Promise<void> {
    const next = faults.note(partition, fault.offset);
    const { offset, cause } = fault;
    const then = next === 'again' ? 'tried once more' : 'set aside';
    logger.error(
      { err: cause, topic, partition, offset },
      `a record could not be applied: the partition is rebuilt, and the record ${then}`,
    );
    parts.onRebuild(partition);
    rebuilt.add(partition);
    await parts.abandon(partition);
  }

  return async (batch) => {
    const first = batch.records[0]?.offset;
    if (first === undefined) return parts.onBatch(batch);
    for (;;) {
      try {
        await catchUp(batch.partition, first);
        return await parts.onBatch(batch);
      } catch (error) {
        if (!(error instanceof ApplyFault)) throw error;
        await rebuild(batch.partition, error);
      }
    }
  };
}
