import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '../../channels/random.ts';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import { groupConformance } from './group.conformance.ts';
import type { Log, NewRecord, Place } from './log.ts';
import { decode, numbers, readAll, seedOf, text, textsOf } from './member.conformance.ts';
import { partitionOfKey } from './partition.ts';

/**
 * The laws of log.ts as tests, for any implementation. `open` gives a log with these topics, empty, and
 * nobody else's: a server that is shared makes the names its own.
 */
export interface LogHarness {
  open(topics: Readonly<Record<string, number>>): Promise<LogUnderTest>;
  /** Longest record taken, key and value together. */
  recordBytesMax: number;
}
export interface LogUnderTest {
  log: Log;
  /** The log as another process would find it later; closes the one before. */
  reopen(): Promise<Log>;
  close(): Promise<void>;
}

const timeout = 60_000;
const four = { events: 4 };
export function logConformance(name: string, harness: LogHarness): void {
  const law = (title: string, body: (under: LogUnderTest, t: TestContext) => Promise<void>): void => {
    test(`${name}: ${title}`, { timeout }, async (t) => {
      const under = await harness.open({ ...four, outputs: 2, single: 1 });
      try {
        await body(under, t);
      } finally {
        await under.close();
      }
    });
  };
  appendLaws(law, harness);
  readLaws(law);
  randomLaws(law);
  groupConformance(law);
}

export type Law = (title: string, body: (under: LogUnderTest, t: TestContext) => Promise<void>) => void;

function appendLaws(law: Law, harness: LogHarness): void {
  law('[LOG-1] a record goes to the partition of its key', async ({ log }) => {
    assert.equal(log.partitions('events'), 4);
    const keys = ['21', 'foobar', 'abc', 'übersicht', '', 'm1'];
    const places = await log.append(
      'events',
      keys.map((key) => text(key, 'x')),
    );
    for (const [index, key] of keys.entries()) {
      assert.equal(places[index]!.partition, partitionOfKey(key, 4), key);
      assert.equal(log.partitionOf('events', key), partitionOfKey(key, 4), key);
    }
  });

  law('[LOG-3] places are in the order of the records, offsets rise from 0', async ({ log }) => {
    const first = await log.append('single', [text('a', '1'), text('b', '2')]);
    const second = await log.append('single', [text('a', '3')]);
    assert.deepEqual(first[0], { partition: 0, offset: 0 });
    assert.ok(first[1]!.offset > 0);
    assert.ok(second[0]!.offset > first[1]!.offset);
    assert.deepEqual(await log.append('single', []), []);
  });

  law('[LOG-3] calls made together are placed in the order of the calls', async ({ log }) => {
    const calls = Array.from({ length: 200 }, (_, i) => log.append('single', [text('k', String(i))]));
    const offsets = (await Promise.all(calls)).map((places) => places[0]!.offset);
    assert.deepEqual(
      offsets,
      [...offsets].sort((a, b) => a - b),
    );
    assert.equal(new Set(offsets).size, 200);
    assert.deepEqual(
      textsOf(await readAll(log, 'single', 0)),
      offsets.map((_, i) => String(i)),
    );
  });

  law('[LOG-4] the records of one call stand together in their partition', async ({ log }) => {
    const call = (n: number) => Array.from({ length: 5 }, (_, i) => text('same', `${n}.${i}`));
    await Promise.all([1, 2, 3].map((n) => log.append('single', call(n))));
    const texts = textsOf(await readAll(log, 'single', 0));
    assert.deepEqual(
      texts,
      [1, 2, 3].flatMap((n) => [0, 1, 2, 3, 4].map((i) => `${n}.${i}`)),
    );
  });

  law('[LOG-5] what was acknowledged is there after reopening, and offsets go on', async (under) => {
    const before = await under.log.append('single', [text('a', '1'), text('b', '2')]);
    const log = await under.reopen();
    const records = await readAll(log, 'single', 0);
    assert.deepEqual(
      records.map((record) => [record.key, decode(record)]),
      [
        ['a', '1'],
        ['b', '2'],
      ],
    );
    const after = await log.append('single', [text('c', '3')]);
    assert.ok(after[0]!.offset > before[1]!.offset);
    assert.deepEqual(textsOf(await readAll(log, 'single', 0)), ['1', '2', '3']);
  });

  law('[LOG-5] keys and values come back byte for byte', async ({ log }) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await log.append('single', [
      { key: 'ключ', value: bytes },
      { key: '', value: new Uint8Array(0) },
    ]);
    const records = await readAll(log, 'single', 0);
    assert.equal(records[0]!.key, 'ключ');
    assert.deepEqual(Uint8Array.from(records[0]!.value), bytes);
    assert.equal(records[1]!.key, '');
    assert.equal(records[1]!.value.length, 0);
    assert.ok(Number.isSafeInteger(records[0]!.timestamp));
  });

  law('[LOG-15] a record too large or an unknown topic is refused whole', async ({ log }) => {
    const large = { key: 'k', value: new Uint8Array(harness.recordBytesMax) };
    await assert.rejects(log.append('single', [text('a', '1'), large]), (error) => {
      return error instanceof ClientError && error.code === 'record_too_large';
    });
    await assert.rejects(log.append('nowhere', [text('a', '1')]), (error) => {
      return (
        error instanceof ClientError && error.code === 'unknown_topic' && error.message.includes('nowhere')
      );
    });
    const fits = { key: 'k', value: new Uint8Array(harness.recordBytesMax - 1) };
    await log.append('single', [fits]);
    assert.deepEqual(
      (await readAll(log, 'single', 0)).map((record) => record.value.length),
      [fits.value.length],
    );
  });
}

function readLaws(law: Law): void {
  law('[LOG-6] read answers a range in order, and nothing only at the end', async ({ log }) => {
    assert.deepEqual(await log.bounds('single', 0), { first: 0, next: 0 });
    assert.deepEqual(await log.read('single', 0, 0, 10), []);
    const places = await log.append(
      'single',
      numbers(0, 100).map((n) => text('k', n)),
    );
    const { first, next } = await log.bounds('single', 0);
    assert.equal(first, 0);
    assert.ok(next > places[99]!.offset);
    assert.deepEqual(textsOf(await log.read('single', 0, 0, 3)), ['0', '1', '2']);
    assert.deepEqual(textsOf(await log.read('single', 0, places[40]!.offset, 2)), ['40', '41']);
    assert.deepEqual(textsOf(await log.read('single', 0, places[99]!.offset, 5)), ['99']);
    assert.deepEqual(await log.read('single', 0, next, 5), []);
    await assert.rejects(log.read('single', 0, -1, 5), ServiceError);
  });
}
function randomLaws(law: Law): void {
  law('[LOG-3] [LOG-5] [LOG-6] random appends, reads and reopenings equal a list', async (under, t) => {
    const random = seededRandom(seedOf(t));
    let log = under.log;
    const model: { offset: number; key: string; text: string }[][] = [[], [], [], []];
    for (let step = 0; step < 400; step++) {
      const dice = random();
      if (dice < 0.5) {
        const records = numbers(0, 1 + Math.floor(random() * 20)).map((n) =>
          text(`k${Math.floor(random() * 50)}`, `${step}.${n}`.repeat(1 + Math.floor(random() * 30))),
        );
        note(model, records, await log.append('events', records));
      } else if (dice < 0.99) {
        const partition = Math.floor(random() * 4);
        const list = model[partition]!;
        const start = Math.floor(random() * (list.length + 1));
        const offset = list[start]?.offset ?? (await log.bounds('events', partition)).next;
        const max = 1 + Math.floor(random() * 30);
        const records = await log.read('events', partition, offset, max);
        const expected = list.slice(start, start + max);
        assert.deepEqual(
          records.map((r) => ({ offset: r.offset, key: r.key, text: decode(r) })),
          expected,
        );
      } else {
        log = await under.reopen();
      }
    }
  });
}
function note(
  model: { offset: number; key: string; text: string }[][],
  records: readonly NewRecord[],
  places: readonly Place[],
): void {
  for (const [index, record] of records.entries()) {
    const { partition, offset } = places[index]!;
    model[partition]!.push({ offset, key: record.key, text: new TextDecoder().decode(record.value) });
  }
}

/** Numbers in [0, 1) from SEED or a new seed, which is printed (mulberry32). */
