import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceError } from '../../proto/codes.ts';
import { sharedKafka } from '../../test/services/shared.ts';
import { deadLetter, readDeadLetters } from '../source/dead-letters.ts';
import { type KafkaBed, kafkaBed } from './kafka.testbed.ts';
import { logConformance } from './log.conformance.ts';
import type { Batch, Log } from './log.ts';
import { appendNumbers, encode, join, numbers, readAll, text, textsOf } from './member.conformance.ts';

/** The laws of the log on Kafka, and what only Kafka can show. @live timeout=300s */
logConformance('kafka', {
  recordBytesMax: 10_000,
  async open(counts) {
    const options = { recordBytesMax: 10_000, retryMinMs: 1, retryMaxMs: 4 };
    const bed = kafkaBed({ brokers: [await sharedKafka()], counts, options });
    let log = await bed.open();
    return {
      log,
      async reopen() {
        await log.close();
        log = await bed.open();
        return log;
      },
      async close() {
        await log.close();
        await bed.clear();
      },
    };
  },
});

async function withBed(
  counts: Record<string, number>,
  body: (bed: KafkaBed) => Promise<void>,
  deleteOlderThanMs = 0,
): Promise<void> {
  const bed = kafkaBed({ brokers: [await sharedKafka()], counts, deleteOlderThanMs });
  try {
    await body(bed);
  } finally {
    await bed.clear();
  }
}

test('[LOG-2] a topic cannot be opened with another number of partitions, nor if it is compacted', () =>
  withBed({ events: 4 }, async (bed) => {
    await (await bed.open()).close();
    const other = kafkaBed({ brokers: [await sharedKafka()], counts: { events: 3 }, prefix: bed.prefix });
    await assert.rejects(other.open(), (error) => {
      assert.ok(error instanceof ServiceError && !error.retryable);
      assert.match(error.message, /events" has 4 partitions in Kafka; .* with 3, since/);
      return true;
    });
    await setTopic(bed, 'events', 'cleanup.policy', 'compact');
    await assert.rejects(bed.open(), /events" has cleanup\.policy=compact; only "delete" keeps all records/);
  }));

test('topics are created with the settings that the log stands on', () =>
  withBed(
    { events: 2 },
    async (bed) => {
      await (await bed.open()).close();
      const settings = await topicSettingsOf(bed, 'events');
      const stated = {
        'cleanup.policy': 'delete',
        'retention.ms': '86400000',
        'min.insync.replicas': '1',
        'message.timestamp.type': 'LogAppendTime',
        'compression.type': 'uncompressed',
        'unclean.leader.election.enable': 'false',
      };
      for (const [name, value] of Object.entries(stated)) assert.equal(settings.get(name), value, name);
    },
    86_400_000,
  ));

test('more copies than brokers are refused in a sentence', () =>
  withBed({ events: 1 }, async (bed) => {
    await assert.rejects(bed.open({ replication: 3, minInsync: 2 }), /cannot have 3 copies: Kafka has fewer/);
    await (await bed.open()).close();
    await assert.rejects(bed.open({ minInsync: 2 }), /events" has 1 copies: 2 can never have a record/);
  }));

test('[LOG-15] a topic that takes less refuses what would not fit, whole', () =>
  withBed({ events: 1 }, async (bed) => {
    await (await bed.open()).close();
    await setTopic(bed, 'events', 'max.message.bytes', '5000');
    const log = await bed.open();
    const record = (bytes: number) => ({ key: 'k', value: new Uint8Array(bytes) });
    await assert.rejects(log.append('events', [record(4_950)]), /at most 4915 are taken/);
    await assert.rejects(
      log.append('events', [record(3_000), record(3_000)]),
      /2 records .* 5\d+ bytes|6\d+/,
    );
    await log.append('events', [record(4_900)]);
    await Promise.all([1, 2, 3].map(() => log.append('events', [record(2_000)])));
    assert.equal((await readAll(log, 'events', 0)).length, 4);
    await log.close();
  }));

test('[LOG-3] [LOG-6] [LOG-12] [LOG-17] old records go from the front, offsets are not given again', () =>
  withBed({ single: 1 }, async (bed) => {
    const log = await bed.open();
    await appendNumbers(log, 'single', 0, 10);
    await deleteBefore(bed, 'single', 4);
    assert.deepEqual(await log.bounds('single', 0), { first: 4, next: 10 });
    await assert.rejects(log.read('single', 0, 0, 10), /Offset 0 of single\/0 is gone: 4 is the oldest/);
    const member = await join(log, { group: 'g', topic: 'single', onAssign: async () => 1 });
    await member.until(() => member.count() === 6);
    assert.deepEqual(member.all(), numbers(4, 10));
    assert.match(
      String(member.errors[0]),
      /offset 1 of single\/0 is not kept \(4 to 10 are\); going on at 4/,
    );
    await member.close();
    await deleteBefore(bed, 'single', 10);
    assert.deepEqual(await log.bounds('single', 0), { first: 10, next: 10 });
    assert.deepEqual(await log.append('single', [text('k', 'x')]), [{ partition: 0, offset: 10 }]);
    await log.close();
  }));

test('[LOG-14] a batch is not ours after its process stood still for longer than the session', () =>
  withBed({ single: 1 }, async (bed) => {
    const sessionTimeoutMs = 6_000;
    const log = await bed.open({ sessionTimeoutMs });
    await log.append('single', [text('k', 'x')]);
    const seen: boolean[] = [];
    const onBatch = async (batch: Batch) => {
      if (seen.length > 0) return;
      seen.push(batch.ours());
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, sessionTimeoutMs + 100);
      seen.push(batch.ours());
    };
    const member = await join(log, { group: 'g', topic: 'single', onBatch });
    await member.until(() => member.count() > 0);
    assert.deepEqual(seen, [true, false]);
    await member.close();
    await log.close();
  }));

test('[LOG-6] [LOG-10] marks of transactions and what was aborted are no records', () =>
  withBed({ single: 1, 'dead-letters': 1 }, async (bed) => {
    const log = await bed.open();
    await copyToDeadLetters(log, 30);
    await abortSome(bed);
    const { first, next } = await log.bounds('dead-letters', 0);
    assert.ok(next - first > 30, `no marks between ${first} and ${next}`);
    const codes: string[] = [];
    for (let from = 0; from < next; ) {
      const page = await readDeadLetters(log, from, 4);
      codes.push(...page.items.map(({ message }) => message));
      assert.ok(page.next > from);
      from = page.next;
    }
    assert.deepEqual(codes, numbers(0, 30));
    await log.close();
  }));

/** Each in a transaction of its own. */
async function copyToDeadLetters(log: Log, count: number): Promise<void> {
  await appendNumbers(log, 'single', 0, count);
  const member = await join(log, {
    group: 'g',
    topic: 'single',
    batchMax: 3,
    async onBatch(batch) {
      const letters = batch.records.map(({ value, offset }) => {
        const place = { topic: 'single', partition: 0, offset, item: null };
        return deadLetter({ ...place, code: 'bad_field', message: Buffer.from(value).toString() }, value);
      });
      await batch.commit(letters.map((letter) => ({ topic: 'dead-letters', ...letter })));
    },
  });
  await member.until(() => member.count() === count);
  assert.deepEqual(member.errors, []);
  await member.close();
}

/** What another program began and did not go through with. */
async function abortSome(bed: KafkaBed): Promise<void> {
  const { default: kafkajs } = await import('kafkajs');
  const kafka = new kafkajs.Kafka({ brokers: [await sharedKafka()], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({
    transactionalId: `${bed.prefix}foreign`,
    maxInFlightRequests: 1,
    idempotent: true,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: `${bed.prefix}dead-letters`, messages: [{ key: 'k', value: 'never' }] });
  await transaction.abort();
  await producer.disconnect();
}

test('[LOG-5] what is kept compressed comes back as it was', () =>
  withBed({ single: 1 }, async (bed) => {
    const log = await bed.open({ compression: 'gzip' });
    const values = numbers(0, 200).map((n) => n.repeat(50));
    await log.append(
      'single',
      values.map((value) => ({ key: 'k', value: encode(value) })),
    );
    assert.deepEqual(textsOf(await readAll(log, 'single', 0)), values);
    await log.close();
  }));

async function deleteBefore(bed: KafkaBed, name: string, offset: number): Promise<void> {
  const topic = bed.prefix + name;
  await bed.admin(async (admin) => {
    // kafkajs looks for the leaders of what it has been asked about before.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  });
}

async function setTopic(bed: KafkaBed, topic: string, name: string, value: string): Promise<void> {
  const { default: kafkajs } = await import('kafkajs');
  const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: bed.prefix + topic };
  const settings = await topicSettingsOf(bed, topic);
  const kept = ['retention.ms', 'message.timestamp.type', 'min.insync.replicas', 'max.message.bytes'];
  const entries = kept.map((one) => ({ name: one, value: settings.get(one)! }));
  const configEntries = [...entries.filter((one) => one.name !== name), { name, value }];
  await bed.admin((admin) =>
    admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] }),
  );
  // Kafka takes it at once and shows it a moment later.
  while ((await topicSettingsOf(bed, topic)).get(name) !== value);
}

async function topicSettingsOf(bed: KafkaBed, topic: string): Promise<Map<string, string>> {
  const { default: kafkajs } = await import('kafkajs');
  const name = bed.prefix + topic;
  const { resources } = await bed.admin((admin) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }],
    }),
  );
  return new Map(resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]));
}
