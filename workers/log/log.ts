/**
 * The log of records: topics of partitions, each an ordered sequence with offsets from 0, durable once
 * acknowledged.
 *
 * Laws, for every implementation:
 * [LOG-1] A record's partition is murmur2 of its key's UTF-8 as Kafka's default partitioner has it, so that
 *   any producer agrees; `partitionOf` says the same.
 * [LOG-2] Partition counts never change: a topic that stands with another count is refused with a sentence.
 * [LOG-3] `append` answers places in the order of its records. In a partition, offsets rise from 0 in the
 *   order of the calls, and no offset is ever given twice, not even after all records are gone. Offsets may
 *   be left out (on Kafka a transaction's end takes one): `offset + 1` is where to go on, not what comes.
 * [LOG-4] The records of one `append` that fall into one partition stand all or none, in order.
 * [LOG-5] What was acknowledged survives the death of the process and is there once, unchanged, in order.
 * [LOG-6] `read` answers records from `offset` on in order, at most `max`; none only where nothing is left,
 *   which may be before `next` of `bounds`.
 *   An offset below the oldest kept is refused with a ServiceError (not retryable) that names both.
 * [LOG-7] Every group gets every record; within a group each partition is with at most one member at a time,
 *   and members hold equally many, give or take one.
 * [LOG-8] Per partition, batches come one at a time, no record left out or given twice, at most `batchMax`
 *   records each.
 * [LOG-9] A rejected `onBatch` (or `onAssign`) is told to `onError` and tried again with growing, bounded
 *   waits, from the first record not committed; other partitions go on.
 * [LOG-10] `commit` moves the group's offset and appends its outputs in one transaction: both or neither;
 *   resolved, all readers see the outputs. What one of them is refused for, nothing of the commit stands.
 * [LOG-11] A group goes on at its committed offset, also after a restart; without one, at the oldest record
 *   kept; an offset that `onAssign` answers is honoured instead. `onAssign` is told the committed one.
 * [LOG-12] An offset outside of what is kept begins at the oldest record kept, and `onError` is told.
 * [LOG-13] A partition changes hands only after the batch under way has ended: `onRevoke` there, then
 *   `onAssign` here. `close` of a consumer resolves when all of its partitions are given up.
 * [LOG-14] A commit made after its `onBatch` ended is refused and changes nothing. A batch is `ours` until
 *   then, unless the member was not heard of for so long that its partition may be with another.
 * [LOG-15] A record longer than `recordBytesMax` or for an unknown topic is refused with a ClientError, and
 *   nothing of its call is appended.
 * [LOG-16] An append wakes a waiting consumer at once.
 * [LOG-17] Records older than the topic's retention are deleted from the front; `bounds` says where it begins
 *   now.
 */
export interface Log {
  /** Number of partitions of a topic. */
  partitions(topic: string): number;
  partitionOf(topic: string, key: string): number;
  /**
   * Durable when resolved; places in the order of `records`. Atomic per partition. A rejection with a
   * retryable ServiceError may leave open whether they stand: sent again, they may stand twice.
   */
  append(topic: string, records: readonly NewRecord[]): Promise<Place[]>;
  /** Oldest kept offset, and the least offset that the next record can get. */
  bounds(topic: string, partition: number): Promise<{ first: number; next: number }>;
  /**
   * Up to `max` records from `offset` on: fewer at the end or where they are large (but at least one), none
   * only at the end. Throws if `offset` < first.
   */
  read(topic: string, partition: number, offset: number, max: number): Promise<LogRecord[]>;
  /**
   * Consumes as a member of a group; partitions are shared among the members. Per partition, batches come one
   * at a time in order: the next after the promise of `onBatch` resolved. A rejected `onBatch` is retried
   * with backoff.
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
   * False: it has ended, or its partition may be with another member by now (this one was not heard of for
   * too long). To be asked just before a write that must not come after those of the next owner.
   */
  ours(): boolean;
  /**
   * Marks the batch consumed (the group goes on at `nextOffset`, by default after the batch's last record)
   * and appends `outputs`, all in one transaction. To be called before the promise of `onBatch` settles.
   */
  commit(outputs?: readonly (NewRecord & { topic: string })[], nextOffset?: number): Promise<void>;
}
export interface ConsumeOptions {
  group: string;
  topic: string;
  /** Records in a batch at most. */
  batchMax: number;
  /**
   * A partition has come to this member. `committed` is the group's offset, `null` where it has none. The
   * answer is where to begin: `committed` (or the oldest record where the group has none) or an offset of the
   * member's own.
   */
  onAssign(partition: number, committed: number | null): Promise<'committed' | number>;
  onBatch(batch: Batch): Promise<void>;
  /** The partition goes to another member; no batch of it is under way. */
  onRevoke(partition: number): Promise<void>;
  onError(error: unknown): void;
}
export interface Consumer {
  /** Gives up all partitions, after the batches under way. Not to be awaited inside of `onBatch`. */
  close(): Promise<void>;
}
