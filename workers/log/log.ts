/**
 * The log of records: topics of partitions, each an ordered sequence with offsets from 0, durable once acknowledged.
 *
 * A record's partition is murmur2(key) as Kafka's default partitioner has it, so that any producer agrees.
 * Partition counts never change.
 */
export interface Log {
  /** Number of partitions of a topic. */
  partitions(topic: string): number;
  partitionOf(topic: string, key: string): number;
  /** Durable when resolved; places in the order of `records`. Atomic per partition. */
  append(topic: string, records: readonly NewRecord[]): Promise<Place[]>;
  /** Oldest kept offset, and the offset the next record will get. */
  bounds(topic: string, partition: number): Promise<{ first: number; next: number }>;
  /** Up to `max` records from `offset` on (fewer at the end). Throws if `offset` < first. */
  read(topic: string, partition: number, offset: number, max: number): Promise<LogRecord[]>;
  /**
   * Consumes as a member of a group; partitions are shared among the members. Per partition, batches come one at a
   * time in order: the next after the promise of `onBatch` resolved. A rejected `onBatch` is retried with backoff.
   */
  consume(options: ConsumeOptions): Promise<Consumer>;
  close(): Promise<void>;
}

export interface NewRecord {
  key: string;
  value: Uint8Array;
}
export interface Place {
  partition: number;
  offset: number;
}
export interface LogRecord {
  offset: number;
  key: string;
  value: Uint8Array;
  /** The log's own clock at the append, ms. */
  timestamp: number;
}
export interface Batch {
  topic: string;
  partition: number;
  /** In order, at least one. */
  records: LogRecord[];
  /**
   * Marks the batch consumed (the group goes on at `nextOffset`, by default after the batch's last record) and appends
   * `outputs`, all in one transaction.
   */
  commit(outputs?: readonly (NewRecord & { topic: string })[], nextOffset?: number): Promise<void>;
}
export interface ConsumeOptions {
  group: string;
  topic: string;
  /** Records in a batch at most. */
  batchMax: number;
  /**
   * A partition has come to this member. The answer is where to begin: `committed` (or the oldest record where the
   * group has none) or an offset of the member's own.
   */
  onAssign(partition: number): Promise<'committed' | number>;
  onBatch(batch: Batch): Promise<void>;
  /** The partition goes to another member; no batch of it is under way. */
  onRevoke(partition: number): Promise<void>;
  onError(error: unknown): void;
}
export interface Consumer {
  close(): Promise<void>;
}
