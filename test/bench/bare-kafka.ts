import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Consumer, type Message, type Producer } from 'kafkajs';

/** kafkajs as its documentation has it used: an idempotent producer, and a consumer of a group. */
export interface BareKafka {
  readonly producer: Producer;
  /** A consumer from the start on that hears of every batch: how many records, and the first one's value. */
  consume(topic: string, onBatch: (records: number, first: Buffer) => void): Promise<Consumer>;
  close(): Promise<void>;
}

export async function openBareKafka(brokers: readonly string[], prefix: string): Promise<BareKafka> {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const consumers: Consumer[] = [];
  return {
    producer,
    async consume(topic, onBatch) {
      const consumer = kafka.consumer({ groupId: `${prefix}bare-${consumers.length}`, maxWaitTimeInMs: 250 });
      consumers.push(consumer);
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        partitionsConsumedConcurrently: 4,
        eachBatch: async ({ batch }) => onBatch(batch.messages.length, batch.messages[0]!.value!),
      });
      await delay(1_000);
      return consumer;
    },
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.disconnect()));
      await producer.disconnect();
    },
  };
}

export function toMessages(records: readonly { key: string; value: Buffer }[]): Message[] {
  return records.map(({ key, value }) => ({ key, value }));
}
