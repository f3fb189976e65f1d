import { randomBytes } from 'node:crypto';
import kafkajs from 'kafkajs';
import { pino } from 'pino';
import { systemClock } from '../../channels/clock.ts';
import { logConformance } from './log.conformance.ts';
import { createKafkaLog } from './log.kafka.ts';

const brokers = (process.env['RANKCAST_TEST_KAFKA'] ?? '127.0.0.1:19092').split(',');
const logger = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' });

logConformance('kafka', {
  recordBytesMax: 10_000,
  async open(counts) {
    const topicPrefix = `test-${randomBytes(6).toString('hex')}-`;
    const topics = Object.fromEntries(
      Object.entries(counts).map(([name, partitions]) => [name, { partitions, deleteOlderThanMs: 0 }]),
    );
    const newLog = () =>
      createKafkaLog({
        clock: systemClock,
        logger,
        topics,
        onError(error) {
          throw error;
        },
        options: {
          brokers,
          topicPrefix,
          replication: 1,
          minInsync: 1,
          recordBytesMax: 10_000,
          retryMinMs: 1,
          retryMaxMs: 4,
          heartbeatMs: 50,
        },
      });
    let log = await newLog();
    return {
      log,
      async reopen() {
        await log.close();
        log = await newLog();
        return log;
      },
      async close() {
        await log.close();
        const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
        await admin.deleteTopics({ topics: Object.keys(topics).map((name) => topicPrefix + name) });
        await admin.disconnect();
      },
    };
  },
});
