import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../channels/clock.ts';
import { type Random, seededRandom } from '../../channels/random.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { sharedKafka } from '../../test/services/shared.ts';
import { fail, kafkaBed } from './kafka.testbed.ts';
import { createEmbeddedLog } from './log.embedded.ts';
import type { Batch, Log, LogRecord, NewRecord } from './log.ts';
import { decode, encode, join, readAll, seedOf } from './member.conformance.ts';

/**
 * The same random operations on the embedded log and on Kafka: offsets may differ (Kafka leaves some out),
 * nothing else may. @live side-by-side
 */
const counts = { events: 3, copies: 2 };
const steps = 120;
const recordBytesMax = 5_000;
const quick = { retryMinMs: 1, retryMaxMs: 4 };

interface Side {
  log: Log;
  /** Records of `events` by partition, as they were placed. */
  offsets: number[][];
  /** By group: where it goes on in each partition. */
  positions: Map<string, number[]>;
  reopen(): Promise<Log>;
  close(): Promise<void>;
}

test('[LOG-1] [LOG-3] [LOG-6] [LOG-8] [LOG-10] [LOG-11] [LOG-15] Kafka does what the embedded log does', {
  timeout: 180_000,
}, async (t) => {
  const random = seededRandom(seedOf(t));
  const sides = [await embeddedSide(), await kafkaSide()];
  try {
    for (let step = 0; step < steps; step++) await act(sides, random, step);
    await consumeBoth(sides, 'end');
    await compareAll(sides);
  } finally {
    for (const side of sides) await side.close();
  }
});

async function act(sides: readonly Side[], random: Random, step: number): Promise<void> {
  const dice = random();
  if (dice < 0.45) await appendBoth(sides, random, step);
  else if (dice < 0.75) await readBoth(sides, random);
  else if (dice < 0.8) await refuseBoth(sides, random);
  else if (dice < 0.97) await consumeBoth(sides, random() < 0.7 ? 'copier' : 'other');
  else for (const side of sides) side.log = await side.reopen();
}

async function appendBoth(sides: readonly Side[], random: Random, step: number): Promise<void> {
  const records: NewRecord[] = Array.from({ length: 1 + Math.floor(random() * 40) }, (_, i) => ({
    key: random() < 0.05 ? '' : `k${Math.floor(random() * 20)}é`,
    value: random() < 0.05 ? new Uint8Array(0) : encode(`${step}.${i}`.repeat(1 + Math.floor(random() * 40))),
  }));
  const placed: number[][] = [];
  for (const side of sides) {
    const places = await side.log.append('events', records);
    for (const { partition, offset } of places) side.offsets[partition]!.push(offset);
    placed.push(places.map(({ partition }) => partition));
  }
  assert.deepEqual(placed[0], placed[1]);
}

/** From a record that stands on both, or from the end. */
async function readBoth(sides: readonly Side[], random: Random): Promise<void> {
  const partition = Math.floor(random() * counts.events);
  const known = sides[0]!.offsets[partition]!.length;
  const from = Math.floor(random() * (known + 1));
  const max = 1 + Math.floor(random() * 50);
  const read = async ({ log, offsets }: Side) => {
    const { first, next } = await log.bounds('events', partition);
    const records = await log.read('events', partition, offsets[partition]![from] ?? next, max);
    return { first, records: records.map(told) };
  };
  assert.deepEqual(await read(sides[1]!), await read(sides[0]!));
}

async function refuseBoth(sides: readonly Side[], random: Random): Promise<void> {
  const fits = { key: 'a', value: encode('x') };
  const large = { key: 'a', value: new Uint8Array(recordBytesMax) };
  const topic = random() < 0.5 ? 'nowhere' : 'events';
  const said: unknown[] = [];
  for (const { log } of sides) {
    await log.append(topic, [fits, large]).then(
      () => said.push('taken'),
      (error: Error & { code?: string }) => said.push([error.name, error.code]),
    );
  }
  assert.deepEqual(said[1], said[0]);
}

/**
 * A member consumes all there is and copies it. What becomes of a record follows from the record, so that it
 * is the same whatever the batches are.
 */
async function consumeBoth(sides: readonly Side[], group: string): Promise<void> {
  for (const side of sides) {
    const ends = side.offsets.map((offsets) => (offsets[offsets.length - 1] ?? -1) + 1);
    const positions = side.positions.get(group) ?? [0, 0, 0];
    side.positions.set(group, positions);
    const member = await join(side.log, {
      group,
      batchMax: 25,
      onBatch: async (batch) => {
        const [first] = batch.records;
        assert.ok(first!.offset >= positions[batch.partition]!, 'given twice');
        positions[batch.partition] = await copyBatch(batch, group);
        if (sum(first!) % 11 === 0) throw new Error('after the commit');
      },
    });
    await member.until(() => ends.every((end, partition) => positions[partition]! >= end));
    await member.close();
  }
}

/** As far as to a record that ends a part; records of some kinds are not copied. */
async function copyBatch(batch: Batch, group: string): Promise<number> {
  const cut = batch.records.findIndex((record) => sum(record) % 5 === 0);
  const part = cut < 0 ? batch.records : batch.records.slice(0, cut + 1);
  const copied = part.filter((record) => sum(record) % 3 !== 0);
  const outputs = copied.map((record) => ({
    topic: 'copies',
    key: `${group}:${batch.partition}`,
    value: encode(`${record.key} ${decode(record)}`),
  }));
  const next = part[part.length - 1]!.offset + 1;
  await batch.commit(outputs, next);
  return next;
}

const sum = (record: LogRecord): number => record.value.reduce((all, byte) => (all + byte) % 1_000, 7);

async function compareAll(sides: readonly Side[]): Promise<void> {
  for (const [topic, partitions] of Object.entries(counts)) {
    for (let partition = 0; partition < partitions; partition++) {
      // Copies of several partitions meet in one: each in its own order.
      const [embedded, kafka] = await Promise.all(
        sides.map(async ({ log }) => ordered(topic, (await readAll(log, topic, partition)).map(told))),
      );
      assert.deepEqual(kafka, embedded, `${topic}/${partition}`);
    }
  }
}

function ordered(topic: string, records: readonly [string, string][]): unknown {
  if (topic === 'events') return records;
  const keys = new Map<string, string[]>();
  for (const [key, value] of records) keys.set(key, [...(keys.get(key) ?? []), value]);
  return keys;
}
const told = (record: LogRecord): [string, string] => [record.key, decode(record)];

async function embeddedSide(): Promise<Side> {
  const folder = await mkdtemp(joinPath(tmpdir(), 'rankcast-differential-'));
  const topics = Object.fromEntries(
    Object.entries(counts).map(([name, partitions]) => [name, { partitions, deleteOlderThanMs: 0 }]),
  );
  const open = () => {
    const store = openEmbeddedStore(folder);
    const options = { recordBytesMax, ...quick };
    return { store, log: createEmbeddedLog({ store, clock: systemClock, topics, options, onError: fail }) };
  };
  let { store, log } = open();
  const shut = async () => {
    await log.close();
    await store.close();
  };
  return {
    log,
    offsets: [[], [], []],
    positions: new Map(),
    async reopen() {
      await shut();
      ({ store, log } = open());
      return log;
    },
    async close() {
      await shut();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function kafkaSide(): Promise<Side> {
  const bed = kafkaBed({ brokers: [await sharedKafka()], counts, options: { recordBytesMax, ...quick } });
  let log = await bed.open();
  return {
    log,
    offsets: [[], [], []],
    positions: new Map(),
    async reopen() {
      await log.close();
      log = await bed.open();
      return log;
    },
    close: bed.clear,
  };
}
