import type { Clock } from '../../channels/clock.ts';
import type { EmbeddedStore, Table } from '../../channels/store/store.embedded.ts';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import { createGroup, type Group } from './group.ts';
import type { Log, NewRecord, Place } from './log.ts';
import type { Output } from './open-batch.ts';
import { openPartition, readNumber, type StoredPartition, writeNumber } from './partition.embedded.ts';
import { partitionOfKey } from './partition.ts';

/**
 * The log of a process that stands alone, in its data folder. Appends of the same moment share one
 * transaction and one flush; readers and groups see durable records only.
 */
export interface EmbeddedLogSetup {
  store: EmbeddedStore;
  clock: Clock;
  topics: Readonly<Record<string, EmbeddedTopic>>;
  /** Hears of what fails in the background (deleting old records). */
  onError(error: unknown): void;
  options?: Partial<EmbeddedLogOptions>;
}
export interface EmbeddedTopic {
  partitions: number;
  /** Records older than this are deleted; 0: none. */
  deleteOlderThanMs: number;
}

export interface EmbeddedLogOptions {
  recordBytesMax: number;
  readBytesMax: number;
  pendingBytesMax: number;
  retryMinMs: number;
  retryMaxMs: number;
  retentionSweepMs: number;
}
export const embeddedLogDefaults: EmbeddedLogOptions = {
  /** Key and value together: as Kafka's message.max.bytes. */
  recordBytesMax: 1_048_588,
  /** A read or batch stops after so many: 1,000 records of 1 MB must not become one allocation. */
  readBytesMax: 8_388_608,
  /** Appends not durable yet; above, an append is refused at once (the disk is slower than the callers). */
  pendingBytesMax: 134_217_728,
  /** First wait after a rejected batch: most faults pass at once. */
  retryMinMs: 100,
  /** Longest wait between tries: what comes back is used within so long. */
  retryMaxMs: 10_000,
  /** How often old records are looked for; retention is in days, so a minute is exact enough. */
  retentionSweepMs: 60_000,
};

/** Records deleted in one transaction, so that appends need not wait long. */
const trimRecordsMax = 1_000;
/** A key's length is kept in 16 bits. */
const keyBytesMax = 65_535;

interface Topic {
  readonly name: string;
  readonly partitions: readonly StoredPartition[];
  readonly deleteOlderThanMs: number;
  readonly groups: Map<string, Group>;
}
interface Planned {
  readonly partition: StoredPartition;
  readonly record: NewRecord;
}

/** Throws a sentence if a topic stands in the folder with another number of partitions. */
export function createEmbeddedLog(setup: EmbeddedLogSetup): Log {
  const { store, clock } = setup;
  const options = { ...embeddedLogDefaults, ...setup.options };
  const meta = store.table('log:meta');
  const topics = openTopics(setup, meta);
  let pendingBytes = 0;
  let closed = false;
  let closing: Promise<void> | null = null;

  function topicOf(name: string): Topic {
    const topic = topics.get(name);
    if (topic === undefined) throw new ClientError('unknown_topic', `The log has no topic "${name}".`);
    return topic;
  }
  function partitionAt(name: string, index: number): StoredPartition {
    const partition = topicOf(name).partitions[index];
    if (partition === undefined) throw new RangeError(`Topic "${name}" has no partition ${index}.`);
    return partition;
  }

  function plan(topicName: string, record: NewRecord): Planned {
    const topic = topicOf(topicName);
    const keyBytes = Buffer.byteLength(record.key);
    if (keyBytes + record.value.length > options.recordBytesMax || keyBytes > keyBytesMax) {
      throw new ClientError(
        'record_too_large',
        `A record for "${topicName}" has ${keyBytes + record.value.length} bytes; ` +
          `at most ${options.recordBytesMax} are taken.`,
      );
    }
    return { partition: topic.partitions[partitionOfKey(record.key, topic.partitions.length)]!, record };
  }

  /** One transaction for all of `planned` and what `also` writes; wakes the consumers. */
  async function write(planned: readonly Planned[], also?: () => void): Promise<Place[]> {
    if (closed) throw new ServiceError('The log is closed.', false);
    let bytes = 0;
    for (const { record } of planned) bytes += record.value.length;
    if (bytes > 0 && pendingBytes + bytes > options.pendingBytesMax) {
      throw new ServiceError(`The log is behind: ${pendingBytes} bytes wait for the disk; try again.`, true);
    }
    const timestamp = clock.now();
    const places: Place[] = [];
    pendingBytes += bytes;
    try {
      await store.write(() => {
        also?.();
        for (const { partition, record } of planned) {
          places.push({ partition: partition.partition, offset: partition.append(record, timestamp) });
        }
      });
    } catch (error) {
      for (const { partition } of planned) partition.recover();
      throw error;
    } finally {
      pendingBytes -= bytes;
    }
    wake(planned);
    return places;
  }

  function wake(planned: readonly Planned[]): void {
    for (const partition of new Set(planned.map((item) => item.partition))) {
      for (const group of topics.get(partition.topic)!.groups.values()) group.wake(partition.partition);
    }
  }

  function groupOf(name: string, topic: Topic): Group {
    let group = topic.groups.get(name);
    if (group === undefined) {
      const offsetKey = (partition: number) => ['group', name, topic.name, partition];
      const readBytesMax = options.readBytesMax;
      group = createGroup(
        {
          topic: topic.name,
          partitions: topic.partitions.length,
          first: (partition) => topic.partitions[partition]!.first(),
          next: (partition) => topic.partitions[partition]!.next(),
          read: (partition, offset, max) => topic.partitions[partition]!.read(offset, max, readBytesMax),
          committed: (partition) => readNumber(meta.get(offsetKey(partition))),
          async commit(partition, nextOffset, outputs: readonly Output[]) {
            const planned = outputs.map((output) => plan(output.topic, output));
            await write(planned, () => {
              meta.put(offsetKey(partition), writeNumber(nextOffset));
            });
          },
        },
        clock,
        options,
      );
      topic.groups.set(name, group);
    }
    return group;
  }

  async function shut(): Promise<void> {
    stopSweeps();
    const groups = [...topics.values()].flatMap((topic) => [...topic.groups.values()]);
    await Promise.all(groups.map((group) => group.close()));
    closed = true;
    // Writes are in order: when this one is through, so are those before.
    await store.write(() => undefined);
  }

  const stopSweeps = sweepRegularly(topics, clock, options.retentionSweepMs, setup.onError);

  return {
    partitions: (topic) => topicOf(topic).partitions.length,
    partitionOf: (topic, key) => partitionOfKey(key, topicOf(topic).partitions.length),
    async append(topic, records) {
      if (records.length === 0) return [];
      return write(records.map((record) => plan(topic, record)));
    },
    async bounds(topic, index) {
      const partition = partitionAt(topic, index);
      return { first: partition.first(), next: partition.next() };
    },
    async read(topic, index, offset, max) {
      const partition = partitionAt(topic, index);
      const first = partition.first();
      if (offset < first) {
        throw new ServiceError(
          `Offset ${offset} of ${topic}/${index} is gone: ${first} is the oldest kept.`,
          false,
        );
      }
      return partition.read(offset, max, options.readBytesMax);
    },
    async consume(consumer) {
      if (closing !== null) throw new ServiceError('The log is closed.', false);
      return groupOf(consumer.group, topicOf(consumer.topic)).join(consumer);
    },
    close() {
      closing ??= shut();
      return closing;
    },
  };
}

function openTopics(setup: EmbeddedLogSetup, meta: Table): Map<string, Topic> {
  const topics = new Map<string, Topic>();
  for (const [name, { partitions, deleteOlderThanMs }] of Object.entries(setup.topics)) {
    if (!Number.isSafeInteger(partitions) || partitions < 1) {
      throw new Error(`Topic "${name}" cannot have ${partitions} partitions.`);
    }
    const countKey = ['partitions', name];
    const stands = readNumber(meta.get(countKey));
    if (stands === null) {
      // Written before the first append: writes keep their order.
      setup.store.write(() => meta.put(countKey, writeNumber(partitions))).catch(setup.onError);
    } else if (stands !== partitions) {
      throw new Error(
        `Topic "${name}" has ${stands} partitions in the data folder; it cannot be ` +
          `opened with ${partitions}, since partition counts never change.`,
      );
    }
    topics.set(name, {
      name,
      partitions: Array.from({ length: partitions }, (_, index) =>
        openPartition(setup.store, meta, name, index),
      ),
      deleteOlderThanMs,
      groups: new Map(),
    });
  }
  return topics;
}

/** Deletes old records every `everyMs`; answers how to stop. */
function sweepRegularly(
  topics: ReadonlyMap<string, Topic>,
  clock: Clock,
  everyMs: number,
  onError: (error: unknown) => void,
): () => void {
  let stopped = false;
  let cancel = clock.after(everyMs, tick);

  function tick(): void {
    sweep()
      .catch(onError)
      .finally(() => {
        if (!stopped) cancel = clock.after(everyMs, tick);
      });
  }
  async function sweep(): Promise<void> {
    for (const topic of topics.values()) {
      if (topic.deleteOlderThanMs === 0) continue;
      const before = clock.now() - topic.deleteOlderThanMs;
      for (const partition of topic.partitions) {
        while (!stopped && (await partition.trim(before, trimRecordsMax)) === trimRecordsMax);
      }
    }
  }
  return () => {
    stopped = true;
    cancel();
  };
}
