import type { Clock } from '../../channels/clock.ts';
import { ServiceError } from '../../proto/codes.ts';
import type { LogRecord } from './log.ts';
import type { Nodes, Tries } from './nodes.kafka.ts';
import type { KafkaLogOptions } from './options.kafka.ts';
import type { StandingTopic } from './topics.kafka.ts';
import {
  earliestTimestamp,
  type FetchedMessage,
  type FetchedPartition,
  faultType,
  latestTimestamp,
  readCommitted,
  readUncommitted,
} from './wire.kafka.ts';

/** Reads ranges, beside and apart from groups; only what is committed. */
export interface Reader {
  bounds(topic: StandingTopic, partition: number): Promise<{ first: number; next: number }>;
  /** As `bounds`, but `next` counts records of transactions under way too: what any offset may be. */
  range(topic: StandingTopic, partition: number): Promise<{ first: number; next: number }>;
  read(topic: StandingTopic, partition: number, offset: number, max: number): Promise<LogRecord[]>;
}

export interface ReaderParts {
  nodes: Nodes;
  clock: Clock;
  options: KafkaLogOptions;
}

/** What a read of few records asks for at first: Kafka always gives at least one batch, however large. */
const bytesPerRecord = 1_024;
const fetchBytesMin = 65_536;

export function createReader({ nodes, clock, options }: ReaderParts): Reader {
  const tries = (): Tries => ({ until: clock.now() + options.requestTimeoutMs });

  async function edge(
    { wireName }: StandingTopic,
    partition: number,
    timestamp: number,
    isolationLevel: number,
  ): Promise<number> {
    const topics = [{ topic: wireName, partitions: [{ partition, timestamp }] }];
    const { responses } = await nodes.atLeader(wireName, partition, tries(), (broker) =>
      broker.listOffsets({ isolationLevel, topics }),
    );
    return Number(responses[0]!.partitions[0]!.offset);
  }

  async function edges(topic: StandingTopic, partition: number, isolation: number) {
    const [first, next] = await Promise.all([
      edge(topic, partition, earliestTimestamp, isolation),
      edge(topic, partition, latestTimestamp, isolation),
    ]);
    return { first, next };
  }

  /** What stands from `offset` on, a part of it; null: the offset is not one of the log's. */
  async function piece(
    { wireName }: StandingTopic,
    partition: number,
    offset: number,
    maxBytes: number,
  ): Promise<FetchedPartition | null> {
    const request = {
      isolationLevel: readCommitted,
      maxWaitTime: 1,
      minBytes: 1,
      maxBytes,
      topics: [{ topic: wireName, partitions: [{ partition, fetchOffset: String(offset), maxBytes }] }],
    };
    try {
      const { responses } = await nodes.atLeader(
        wireName,
        partition,
        { ...tries(), stopAt: (error) => faultType(error) === 'OFFSET_OUT_OF_RANGE' },
        (broker) => broker.fetch(request),
      );
      return responses[0]?.partitions[0] ?? null;
    } catch (error) {
      if (faultType(error) === 'OFFSET_OUT_OF_RANGE') return null;
      throw error;
    }
  }

  async function outside(topic: StandingTopic, partition: number, offset: number): Promise<LogRecord[]> {
    const { first } = await edges(topic, partition, readCommitted);
    if (offset >= first) return [];
    throw new ServiceError(
      `Offset ${offset} of ${topic.name}/${partition} is gone: ${first} is the oldest kept.`,
      false,
    );
  }

  return {
    bounds: (topic, partition) => edges(topic, partition, readCommitted),
    range: (topic, partition) => edges(topic, partition, readUncommitted),
    async read(topic, partition, offset, max) {
      if (offset < 0) return outside(topic, partition, offset);
      const records: LogRecord[] = [];
      let at = offset;
      let bytes = 0;
      while (records.length < max && bytes < options.readBytesMax) {
        const wanted = Math.max(fetchBytesMin, (max - records.length) * bytesPerRecord);
        const found = await piece(topic, partition, at, Math.min(wanted, options.readBytesMax - bytes));
        if (found === null) return at === offset ? outside(topic, partition, offset) : records;
        if (found.messages.length === 0) break;
        const { taken, next } = recordsOf(found, at);
        for (const record of taken) {
          if (records.length === max || (bytes >= options.readBytesMax && records.length > 0)) break;
          records.push(record);
          bytes += bytesOf(record);
        }
        at = next;
      }
      return records;
    },
  };
}

/**
 * The records of a fetch from `from` on, without the marks of transactions and without what was aborted, and
 * the offset to go on at.
 */
export function recordsOf(
  fetched: FetchedPartition,
  from: number,
): { taken: LogRecord[]; next: number; bytes: number } {
  const aborted = [...(fetched.abortedTransactions ?? [])].sort(
    (a, b) => Number(a.firstOffset) - Number(b.firstOffset),
  );
  const abortedNow = new Set<string>();
  const taken: LogRecord[] = [];
  let next = from;
  let bytes = 0;
  for (const message of fetched.messages) {
    const offset = Number(message.offset);
    while (aborted.length > 0 && Number(aborted[0]!.firstOffset) <= offset) {
      abortedNow.add(aborted.shift()!.producerId);
    }
    const { producerId, inTransaction } = message.batchContext;
    // The end of a transaction: those of the same producer that come later are of another one.
    if (message.isControlRecord) abortedNow.delete(producerId);
    // A batch is given whole, also when it is asked for from its middle.
    if (offset < next) continue;
    next = offset + 1;
    if (message.isControlRecord || (inTransaction && abortedNow.has(producerId))) continue;
    const record = toRecord(message, offset);
    bytes += bytesOf(record);
    taken.push(record);
  }
  return { taken, next, bytes };
}

/** What a record takes in memory, about: many without a value must count too. */
export function bytesOf({ value }: LogRecord): number {
  return value.length + 100;
}

const nothing = new Uint8Array(0);

/** A key or value that is null (a foreign producer's) is empty here. */
function toRecord({ key, value, timestamp }: FetchedMessage, offset: number): LogRecord {
  return {
    offset,
    key: key === null ? '' : key.toString(),
    value: value ?? nothing,
    timestamp: Number(timestamp),
  };
}
