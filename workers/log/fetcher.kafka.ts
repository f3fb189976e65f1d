import type { Clock } from '../../channels/clock.ts';
import type { LogRecord } from './log.ts';
import { backoffMs, type Nodes, sleep } from './nodes.kafka.ts';
import type { KafkaLogOptions } from './options.kafka.ts';
import { bytesOf, recordsOf } from './reader.kafka.ts';
import type { StandingTopic } from './topics.kafka.ts';
import { distrust, type FetchedPartition, faultType, isTimeout, readCommitted } from './wire.kafka.ts';

/**
 * Fetches ahead for the partitions of one consumer: per leader one request at a time, which waits at the
 * broker until there are records. A partition with enough fetched is left out; then the request does not
 * wait, so that it comes in again soon.
 */
export interface Fetcher {
  /** Begins (again) at the offset. `onChange`: records have come, or `outOfRange` has turned true. */
  seek(partition: number, offset: number, onChange: () => void): void;
  /** The next records, at most `max` and about `readBytesMax`; none where none have come yet. */
  take(partition: number, max: number): LogRecord[];
  /** Records that were taken come again, first. */
  putBack(partition: number, records: readonly LogRecord[]): void;
  /** The offset asked for, where it is not kept (any more); else null. */
  outOfRange(partition: number): number | null;
  remove(partition: number): void;
  close(): Promise<void>;
}

interface Stretch {
  readonly partition: number;
  /** Where the next fetch begins. */
  position: number;
  records: LogRecord[];
  /** Place in `records` of the next to be taken. */
  at: number;
  bytes: number;
  outOfRange: boolean;
  onChange(): void;
}

export interface FetcherParts {
  topic: StandingTopic;
  nodes: Nodes;
  clock: Clock;
  options: KafkaLogOptions;
  onError(error: unknown): void;
}

/** How long a fetch waits at the broker while partitions with enough records are left out of it. */
const shortWaitMs = 5;
/** How often at most it is said that nothing can be fetched. */
const tellEveryMs = 10_000;

export function createFetcher(parts: FetcherParts): Fetcher {
  const { topic, nodes, clock, options } = parts;
  const stretches = new Map<number, Stretch>();
  const asking = new Map<number, Promise<void>>();
  let failures = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  let pumping = false;
  let again = false;
  let closed = false;

  /** A fetch for each leader that has none under way and partitions in need. */
  async function pump(): Promise<void> {
    again = true;
    if (pumping) return;
    pumping = true;
    try {
      while (again && !closed) {
        again = false;
        await askLeaders();
      }
    } finally {
      pumping = false;
    }
  }

  async function askLeaders(): Promise<void> {
    if (stretches.size === 0) return;
    let leaders: ReadonlyMap<number, number>;
    try {
      leaders = await nodes.leaders(topic.wireName);
    } catch (error) {
      await afterFault(error);
      again = true;
      return;
    }
    const byLeader = new Map<number, Stretch[]>();
    for (const stretch of stretches.values()) {
      const leader = leaders.get(stretch.partition) ?? -1;
      const group = byLeader.get(leader);
      if (group === undefined) byLeader.set(leader, [stretch]);
      else group.push(stretch);
    }
    for (const [leader, group] of byLeader) {
      if (asking.has(leader)) continue;
      const needy = group.filter(isNeedy);
      if (needy.length === 0) continue;
      const waitMs = needy.length === group.length ? options.fetchWaitMs : shortWaitMs;
      const asked = ask(leader, needy, waitMs).finally(() => {
        asking.delete(leader);
        void pump();
      });
      asking.set(leader, asked);
    }
  }

  async function ask(leader: number, needy: readonly Stretch[], waitMs: number): Promise<void> {
    try {
      if (leader < 0) throw new Error(`Partitions of ${topic.wireName} have no leader.`);
      const broker = await nodes.broker(leader);
      try {
        const { responses } = await broker.fetch(fetchRequest(needy, waitMs));
        failures = 0;
        for (const { partitions } of responses) {
          for (const fetched of partitions) fill(fetched, needy);
        }
      } catch (error) {
        if (isTimeout(error)) distrust(broker);
        throw error;
      }
    } catch (error) {
      if (faultType(error) === 'OFFSET_OUT_OF_RANGE') await findOutOfRange(error, leader, needy);
      else await afterFault(error);
    }
  }

  function fetchRequest(needy: readonly Stretch[], maxWaitTime: number) {
    return {
      isolationLevel: readCommitted,
      maxWaitTime,
      minBytes: 1,
      maxBytes: options.readBytesMax,
      topics: [
        {
          topic: topic.wireName,
          partitions: needy.map(({ partition, position }) => ({
            partition,
            fetchOffset: String(position),
            maxBytes: options.fetchBytes,
          })),
        },
      ],
    };
  }

  function fill(fetched: FetchedPartition, asked: readonly Stretch[]): void {
    const stretch = stretches.get(fetched.partition);
    // Sought elsewhere meanwhile.
    if (stretch === undefined || !asked.includes(stretch) || fetched.messages.length === 0) return;
    const { taken, next, bytes } = recordsOf(fetched, stretch.position);
    stretch.position = next;
    if (taken.length === 0) return;
    compact(stretch);
    for (const record of taken) stretch.records.push(record);
    stretch.bytes += bytes;
    stretch.onChange();
  }

  /** kafkajs names the partition; where it does not, each is asked for by itself. */
  async function findOutOfRange(error: unknown, leader: number, needy: readonly Stretch[]): Promise<void> {
    if (needy.length === 1) {
      needy[0]!.outOfRange = true;
      needy[0]!.onChange();
      return;
    }
    const named = (error as { partition?: number }).partition;
    const stretch = needy.find(({ partition }) => partition === named);
    if (stretch !== undefined) await findOutOfRange(error, leader, [stretch]);
    else for (const one of needy) await ask(leader, [one], 1);
  }

  async function afterFault(error: unknown): Promise<void> {
    if (closed) return;
    failures++;
    const now = performance.now();
    if (failures >= 3 && now - toldAt >= tellEveryMs) {
      toldAt = now;
      parts.onError(error);
    }
    await sleep(clock, backoffMs(failures, options.retryFirstMs, options.retryLongestMs));
    await nodes.refresh().catch(() => undefined);
  }

  function isNeedy({ bytes, outOfRange }: Stretch): boolean {
    return bytes < options.fetchBytes / 2 && !outOfRange;
  }

  return {
    seek(partition, offset, onChange) {
      stretches.set(partition, {
        partition,
        position: offset,
        records: [],
        at: 0,
        bytes: 0,
        outOfRange: false,
        onChange,
      });
      void pump();
    },
    take(partition, max) {
      const stretch = stretches.get(partition);
      if (stretch === undefined) return [];
      const records: LogRecord[] = [];
      let bytes = 0;
      const wasNeedy = isNeedy(stretch);
      while (records.length < max && stretch.at < stretch.records.length && bytes < options.readBytesMax) {
        const record = stretch.records[stretch.at]!;
        stretch.at++;
        records.push(record);
        bytes += bytesOf(record);
      }
      stretch.bytes -= bytes;
      if (!wasNeedy && isNeedy(stretch)) void pump();
      return records;
    },
    putBack(partition, records) {
      const stretch = stretches.get(partition);
      if (stretch === undefined) return;
      compact(stretch);
      stretch.records = [...records, ...stretch.records];
      for (const record of records) stretch.bytes += bytesOf(record);
    },
    outOfRange(partition) {
      const stretch = stretches.get(partition);
      return stretch?.outOfRange === true ? stretch.position : null;
    },
    remove(partition) {
      stretches.delete(partition);
    },
    async close() {
      closed = true;
      stretches.clear();
      await Promise.all(asking.values());
    },
  };
}

/** Forgets what was taken. */
function compact(stretch: Stretch): void {
  if (stretch.at === 0) return;
  stretch.records = stretch.records.slice(stretch.at);
  stretch.at = 0;
}
