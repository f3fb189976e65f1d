import type { Logger } from 'pino';
import type { Clock } from '../../channels/clock.ts';
import { connectionFault } from '../../channels/dependency/connection-fault.ts';
import type { Dependency } from '../../channels/dependency/dependency.ts';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import { createAppender } from './appender.kafka.ts';
import { createKafkaClient } from './connection.kafka.ts';
import { startConsumer } from './consumer.kafka.ts';
import type { ConsumeOptions, Consumer, Log, NewRecord } from './log.ts';
import { backoffMs, createNodes, type Nodes, sleep } from './nodes.kafka.ts';
import type { Output } from './open-batch.ts';
import { type KafkaLogOptions, kafkaLogDefaults } from './options.kafka.ts';
import { partitionOfKey } from './partition.ts';
import { createReader } from './reader.kafka.ts';
import { type KafkaTopic, openTopics, type StandingTopic } from './topics.kafka.ts';
import type { PlacedOutput } from './transactions.kafka.ts';
import { isCertificateFault, isFinal, newCluster } from './wire.kafka.ts';

/** The log on Kafka, by kafkajs (docs/decisions/0006-log-on-kafka.md). */
export interface KafkaLogSetup {
  clock: Clock;
  logger: Logger;
  topics: Readonly<Record<string, KafkaTopic>>;
  /**
   * Told whether Kafka is there. Appends are calls of it: its `callTimeoutMs` must exceed `appendTimeoutMs`.
   */
  dependency?: Dependency;
  /** Hears of what fails in the background. */
  onError(error: unknown): void;
  options: Partial<KafkaLogOptions> & Pick<KafkaLogOptions, 'brokers'>;
}

/**
 * Resolves when all topics stand as stated; or without Kafka after `startWaitMs`, since reads need no log:
 * then it goes on trying, and what needs the log waits or fails. Throws a sentence where topics, settings or
 * credentials must be changed first.
 */
export async function createKafkaLog(setup: KafkaLogSetup): Promise<Log> {
  const { clock, logger, dependency } = setup;
  const options: KafkaLogOptions = { ...kafkaLogDefaults, ...setup.options };
  const kafka = createKafkaClient(options, logger);
  const wireNames = Object.keys(setup.topics).map((name) => options.topicPrefix + name);
  const newNodes = (): Nodes =>
    createNodes({
      ...options,
      cluster: newCluster(kafka, options.metadataMaxAgeMs),
      topics: wireNames,
      clock,
      dependency,
      checkTimeoutMs: options.connectTimeoutMs,
    });
  const nodes = newNodes();
  const appender = createAppender({ nodes, clock, options });
  const reader = createReader({ nodes, clock, options });
  const consumers = new Set<Consumer>();
  let standing: ReadonlyMap<string, StandingTopic> | null = null;
  let refused: ServiceError | null = null;
  let running = false;
  let closing: Promise<void> | null = null;
  let onOpened: (() => void)[] = [];
  let stopProbe: () => void = () => undefined;

  /** Until the topics stand or can never. */
  async function open(): Promise<void> {
    for (let failures = 1; closing === null; failures++) {
      const admin = kafka.admin();
      try {
        await admin.connect();
        standing = await openTopics(admin, setup.topics, options, logger);
        dependency?.connected();
        break;
      } catch (error) {
        dependency?.lost(error);
        const login = isFinal(error) || isCertificateFault(error);
        // Found out later, it may be Kafka's to mend; a topic that stands otherwise is not.
        if ((login && !running) || (error instanceof ServiceError && !error.retryable)) {
          refused = asRefusal(error);
          break;
        }
        const longestMs = login ? options.retryMaxMs : options.retryLongestMs;
        await sleep(clock, backoffMs(failures, options.retryFirstMs, longestMs));
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    }
    settleOpened();
    if (standing !== null) probe();
  }

  /** Who neither appends nor consumes learns too whether Kafka is there. */
  function probe(): void {
    stopProbe = clock.after(options.probeMs, () => {
      void nodes.check().finally(() => {
        if (closing === null) probe();
      });
    });
  }

  function settleOpened(): void {
    const waiting = onOpened;
    onOpened = [];
    for (const resolve of waiting) resolve();
  }

  /** Waits for the topics at most so long. */
  async function opened(waitMs: number): Promise<ReadonlyMap<string, StandingTopic>> {
    if (closing !== null) throw new ServiceError('The log is closed.', false);
    if (standing === null && refused === null) {
      await new Promise<void>((resolve) => {
        const cancel = Number.isFinite(waitMs) ? clock.after(waitMs, resolve) : () => undefined;
        onOpened.push(() => {
          cancel();
          resolve();
        });
      });
    }
    if (refused !== null) throw refused;
    if (standing === null) throw new ServiceError('kafka: it has not been reached yet; try again.', true);
    return standing;
  }

  function countOf(name: string): number {
    const topic = setup.topics[name];
    if (topic === undefined) throw new ClientError('unknown_topic', `The log has no topic "${name}".`);
    return topic.partitions;
  }

  async function topicAt(name: string, partition = 0): Promise<StandingTopic> {
    if (partition < 0 || partition >= countOf(name)) {
      throw new RangeError(`Topic "${name}" has no partition ${partition}.`);
    }
    return (await opened(options.appendTimeoutMs)).get(name)!;
  }

  function place(topic: StandingTopic, record: NewRecord): PlacedOutput {
    const bytes = Buffer.byteLength(record.key) + record.value.length;
    if (bytes > topic.recordBytesMax) {
      throw new ClientError(
        'record_too_large',
        `A record for "${topic.name}" has ${bytes} bytes; at most ${topic.recordBytesMax} are taken.`,
      );
    }
    return { topic, partition: partitionOfKey(record.key, topic.partitions), record };
  }

  /** Without Kafka as yet, the member joins once it is there. */
  async function consumeFrom(consumer: ConsumeOptions): Promise<Consumer> {
    countOf(consumer.topic);
    if (closing !== null) throw new ServiceError('The log is closed.', false);
    let member: Consumer | null = null;
    let gone = false;
    async function begin(): Promise<void> {
      const topic = (await opened(Number.POSITIVE_INFINITY)).get(consumer.topic)!;
      if (!gone) member = startConsumer({ consumer, topic, nodes, newNodes, reader, plan, clock, options });
    }
    if (standing !== null) await begin();
    else begin().catch(consumer.onError);
    const handle = {
      async close() {
        gone = true;
        await member?.close();
        consumers.delete(handle);
      },
    };
    consumers.add(handle);
    return handle;
  }

  function plan({ topic: name, key, value }: Output): PlacedOutput {
    countOf(name);
    return place(standing!.get(name)!, { key, value });
  }

  async function shut(): Promise<void> {
    if (standing === null) settleOpened();
    stopProbe();
    await Promise.all([...consumers].map((consumer) => consumer.close()));
    await appender.close();
    await nodes.close();
  }

  void open().catch(setup.onError);
  const started = opened(options.startWaitMs).catch((error: unknown) => {
    if (refused !== null) throw refused;
    logger.warn({ err: error }, 'going on without Kafka');
  });
  try {
    await started;
    running = true;
  } catch (error) {
    await nodes.close();
    throw error;
  }

  return {
    partitions: countOf,
    partitionOf: (topic, key) => partitionOfKey(key, countOf(topic)),
    async append(name, records) {
      const topic = await topicAt(name);
      if (records.length === 0) return [];
      const placed = records.map((record) => place(topic, record));
      if (dependency === undefined) return appender.append(topic, placed);
      return dependency.run('append', () => appender.append(topic, placed), 'once');
    },
    async bounds(name, partition) {
      return reader.bounds(await topicAt(name, partition), partition);
    },
    async read(name, partition, offset, max) {
      return reader.read(await topicAt(name, partition), partition, offset, max);
    },
    consume: consumeFrom,
    close() {
      closing ??= shut();
      return closing;
    },
  };
}

function asRefusal(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  return new ServiceError(connectionFault('kafka', error), false, error);
}
