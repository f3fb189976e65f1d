import type { Clock } from '../../channels/clock.ts';
import { connectionFault } from '../../channels/dependency/connection-fault.ts';
import { ServiceError } from '../../proto/codes.ts';
import { messageBytes, produceSettings, toMessage } from './appender.kafka.ts';
import type { NewRecord } from './log.ts';
import { type Nodes, sleep, type Tries } from './nodes.kafka.ts';
import type { KafkaLogOptions } from './options.kafka.ts';
import { batchHeadBytes, type StandingTopic } from './topics.kafka.ts';
import { faultType, isFinal, isIdentityFault, type ProducerIdentity } from './wire.kafka.ts';

/**
 * Commits of one partition of a group with what came of them, in Kafka's transactions. The transactional id
 * is the partition's: whoever begins has every earlier owner refused from then on, and what that one had
 * under way undone.
 */
export interface Transactions {
  /**
   * Takes the partition over: to be called before its committed offset is read, and again after a commit
   * that failed.
   */
  begin(): Promise<void>;
  /**
   * Outputs and offset, both or neither, seen by all readers when it resolves. When it rejects, what became
   * of it shows in the group's offset once `begin` was called again.
   */
  commit(outputs: readonly PlacedOutput[], nextOffset: number): Promise<void>;
}
export interface PlacedOutput {
  topic: StandingTopic;
  partition: number;
  record: NewRecord;
}

export interface TransactionsParts {
  nodes: Nodes;
  clock: Clock;
  options: KafkaLogOptions;
  /** As Kafka has them, with the prefix. */
  group: string;
  topic: StandingTopic;
  partition: number;
  /** No more tries: the partition is lost. */
  given(): boolean;
}

/** How soon Kafka is asked again whether the transaction before has been written out: a few milliseconds. */
const unfinishedWaitMs = 2;
const sequences = 2 ** 31;

export function createTransactions(parts: TransactionsParts): Transactions {
  const { nodes, clock, options, group, topic, partition } = parts;
  const transactionalId = `${group}-${topic.wireName}-${partition}`;
  let owner: Owner | null = null;

  function tries(): Tries {
    const until = clock.now() + options.appendTimeoutMs;
    return { until, given: parts.given, stopAt: (error) => isUnfinished(error) || isIdentityFault(error) };
  }

  /** A step at the transaction's coordinator, once what was before is written out. */
  async function atCoordinator<T>(step: (broker: Broker) => Promise<T>): Promise<T> {
    const limits = tries();
    for (;;) {
      try {
        return await nodes.atCoordinator('transaction', transactionalId, limits, step);
      } catch (error) {
        if (!isUnfinished(error) || clock.now() > limits.until) throw error;
        await sleep(clock, unfinishedWaitMs);
      }
    }
  }

  async function produce(owner: Owner, outputs: readonly PlacedOutput[]): Promise<void> {
    const { who, sequence } = owner;
    for (const { wireName, partition: to, messages } of batches(outputs, options)) {
      const key = `${wireName}/${to}`;
      const firstSequence = sequence.get(key) ?? 0;
      sequence.set(key, (firstSequence + messages.length) % sequences);
      const topicData = [{ topic: wireName, partitions: [{ partition: to, firstSequence, messages }] }];
      const request = { ...who, topicData, ...produceSettings(options) };
      await nodes.atLeader(wireName, to, tries(), (broker) => broker.produce(request));
    }
  }

  /** The outputs of one partition one after the other, partitions side by side. */
  async function produceAll(owner: Owner, outputs: readonly PlacedOutput[]): Promise<void> {
    await Promise.all([...byPlace(outputs).values()].map((some) => produce(owner, some)));
  }

  async function commitOffset({ who }: Owner, nextOffset: number): Promise<void> {
    const offsets = [{ partition, offset: String(nextOffset) }];
    const topics = [{ topic: topic.wireName, partitions: offsets }];
    const request = { ...who, groupId: group, topics };
    await nodes.atCoordinator('group', group, tries(), (broker) => broker.txnOffsetCommit(request));
  }

  async function run(owner: Owner, outputs: readonly PlacedOutput[], nextOffset: number): Promise<void> {
    const { who } = owner;
    const topics = placesOf(outputs);
    await atCoordinator((broker) => broker.addPartitionsToTxn({ ...who, topics }));
    await atCoordinator((broker) => broker.addOffsetsToTxn({ ...who, groupId: group }));
    await Promise.all([produceAll(owner, outputs), commitOffset(owner, nextOffset)]);
    await atCoordinator((broker) => broker.endTxn({ ...who, transactionResult: true }));
    // Asked again, it answers when the transaction has been written to all partitions: then all see it.
    await atCoordinator((broker) => broker.endTxn({ ...who, transactionResult: true }));
  }

  return {
    async begin() {
      const limits = tries();
      for (;;) {
        try {
          const { producerId, producerEpoch } = await nodes.atCoordinator(
            'transaction',
            transactionalId,
            limits,
            (broker) =>
              broker.initProducerId({ transactionalId, transactionTimeout: options.transactionTimeoutMs }),
          );
          owner = { who: { transactionalId, producerId, producerEpoch }, sequence: new Map() };
          return;
        } catch (error) {
          if (!isUnfinished(error) || clock.now() > limits.until) throw toServiceError(error);
          await sleep(clock, unfinishedWaitMs);
        }
      }
    },
    async commit(outputs, nextOffset) {
      if (owner === null) throw new ServiceError('The partition has not been taken over.', true);
      try {
        await run(owner, outputs, nextOffset);
      } catch (error) {
        owner = null;
        throw toServiceError(error);
      }
    },
  };

  function toServiceError(error: unknown): ServiceError {
    if (error instanceof ServiceError) return error;
    const place = `${topic.name}/${partition}`;
    if (isIdentityFault(error)) {
      const message = `The commit of ${place} is refused: another has taken over, or it took too long.`;
      return new ServiceError(message, true, error);
    }
    return new ServiceError(connectionFault('kafka', error), !isFinal(error), error);
  }
}

/** What is under way of a commit that failed goes on as who began it, and so is refused. */
interface Owner {
  who: ProducerIdentity & { transactionalId: string };
  /** By topic and partition: the next number. */
  sequence: Map<string, number>;
}
type Broker = Parameters<Parameters<Nodes['atCoordinator']>[3]>[0];

function isUnfinished(error: unknown): boolean {
  return faultType(error) === 'CONCURRENT_TRANSACTIONS';
}

function byPlace(outputs: readonly PlacedOutput[]): Map<string, PlacedOutput[]> {
  const places = new Map<string, PlacedOutput[]>();
  for (const output of outputs) {
    const key = `${output.topic.wireName}/${output.partition}`;
    const place = places.get(key);
    if (place === undefined) places.set(key, [output]);
    else place.push(output);
  }
  return places;
}

function placesOf(outputs: readonly PlacedOutput[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, Set<number>>();
  for (const { topic, partition } of outputs) {
    const partitions = topics.get(topic.wireName);
    if (partitions === undefined) topics.set(topic.wireName, new Set([partition]));
    else partitions.add(partition);
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions: [...partitions] }));
}

/** Of one partition: batches that Kafka takes. The transaction holds them together. */
function* batches(outputs: readonly PlacedOutput[], options: KafkaLogOptions) {
  const { topic, partition } = outputs[0]!;
  let messages: ReturnType<typeof toMessage>[] = [];
  let bytes = batchHeadBytes;
  for (const { record } of outputs) {
    const message = toMessage(record);
    const size = messageBytes(message);
    const full = bytes + size > topic.batchBytesMax || messages.length === options.batchRecordsMax;
    if (full && messages.length > 0) {
      yield { wireName: topic.wireName, partition, messages };
      messages = [];
      bytes = batchHeadBytes;
    }
    messages.push(message);
    bytes += size;
  }
  yield { wireName: topic.wireName, partition, messages };
}
