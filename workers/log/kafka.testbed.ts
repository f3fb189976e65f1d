import { randomBytes } from 'node:crypto';
import kafkajs from 'kafkajs';
import { pino } from 'pino';
import { systemClock } from '../../channels/clock.ts';
import type { Dependency } from '../../channels/dependency/dependency.ts';
import { createKafkaLog } from './log.kafka.ts';
import type { Log } from './log.ts';
import type { KafkaLogOptions } from './options.kafka.ts';

/** Logs on a real Kafka, each test's under names of its own. */
export interface KafkaBedOptions {
  brokers: readonly string[];
  /** Partitions by topic. */
  counts: Readonly<Record<string, number>>;
  deleteOlderThanMs?: number;
  options?: Partial<KafkaLogOptions>;
  prefix?: string;
  dependency?: Dependency;
  onError?(error: unknown): void;
}
export interface KafkaBed {
  prefix: string;
  /** As another process would have it. */
  open(options?: Partial<KafkaLogOptions>): Promise<Log>;
  admin<T>(act: (admin: ReturnType<InstanceType<typeof kafkajs.Kafka>['admin']>) => Promise<T>): Promise<T>;
  /** Closes what is open and deletes the topics. */
  clear(): Promise<void>;
}

export function kafkaBed(setup: KafkaBedOptions): KafkaBed {
  const brokers = [...setup.brokers];
  const prefix = setup.prefix ?? `test-${randomBytes(6).toString('hex')}-`;
  const topics = Object.fromEntries(
    Object.entries(setup.counts).map(([name, partitions]) => [
      name,
      { partitions, deleteOlderThanMs: setup.deleteOlderThanMs ?? 0 },
    ]),
  );
  const logs: Log[] = [];
  const alone = brokers.length < 3;
  const options = {
    brokers,
    topicPrefix: prefix,
    replication: alone ? 1 : 3,
    minInsync: alone ? 1 : 2,
    heartbeatMs: 50,
    ...setup.options,
  };
  const admin: KafkaBed['admin'] = async (act) => {
    const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    try {
      await client.connect();
      return await act(client);
    } finally {
      await client.disconnect();
    }
  };
  return {
    prefix,
    admin,
    async open(more) {
      const log = await createKafkaLog({
        clock: systemClock,
        logger: pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }),
        topics,
        ...(setup.dependency === undefined ? {} : { dependency: setup.dependency }),
        onError: setup.onError ?? fail,
        options: { ...options, ...more },
      });
      logs.push(log);
      return log;
    },
    async clear() {
      await Promise.all(logs.map((log) => log.close()));
      await admin((client) =>
        client.deleteTopics({ topics: Object.keys(topics).map((name) => prefix + name) }),
      );
    },
  };
}

export function fail(error: unknown): never {
  throw error;
}
