import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import type { Batch, Consumer, Log, LogRecord, NewRecord, Place } from './log.ts';
import { partitionOfKey } from './partition.ts';

/**
 * The laws of log.ts as tests, for any implementation. `open` gives a log with these topics, empty, and nobody else's:
 * a server that is shared makes the names its own.
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
  const check = (title: string, body: (under: LogUnderTest, t: TestContext) => Promise<void>): void => {
    test(`${name}: ${title}`, { timeout }, async (t) => {
      const under = await harness.open({ ...four, outputs: 2, single: 1 });
      try {
        await body(under, t);
      } finally {
        await under.close();
      }
    });
  };
  appendLaws(check, harness);
  readLaws(check);
  groupLaws(check);
  commitLaws(check);
  handoverLaws(check);
  randomLaws(check);
}

type Check = (title: string, body: (under: LogUnderTest, t: TestContext) => Promise<void>) => void;

function appendLaws(check: Check, harness: LogHarness): void {
  check('[LOG-1] a record goes to the partition of its key', async ({ log }) => {
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

  check('[LOG-3] places are in the order of the records, offsets rise from 0', async ({ log }) => {
    const first = await log.append('single', [text('a', '1'), text('b', '2')]);
    const second = await log.append('single', [text('a', '3')]);
    assert.deepEqual(first[0], { partition: 0, offset: 0 });
    assert.ok(first[1]!.offset > 0);
    assert.ok(second[0]!.offset > first[1]!.offset);
    assert.deepEqual(await log.append('single', []), []);
  });

  check('[LOG-3] calls made together are placed in the order of the calls', async ({ log }) => {
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

  check('[LOG-4] the records of one call stand together in their partition', async ({ log }) => {
    const call = (n: number) => Array.from({ length: 5 }, (_, i) => text('same', `${n}.${i}`));
    await Promise.all([1, 2, 3].map((n) => log.append('single', call(n))));
    const texts = textsOf(await readAll(log, 'single', 0));
    assert.deepEqual(
      texts,
      [1, 2, 3].flatMap((n) => [0, 1, 2, 3, 4].map((i) => `${n}.${i}`)),
    );
  });

  check('[LOG-5] what was acknowledged is there after reopening, and offsets go on', async (under) => {
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

  check('[LOG-5] keys and values come back byte for byte', async ({ log }) => {
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

  check('[LOG-15] a record too large or an unknown topic is refused whole', async ({ log }) => {
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

function readLaws(check: Check): void {
  check('[LOG-6] read answers a range in order, and nothing only at the end', async ({ log }) => {
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

function groupLaws(check: Check): void {
  check('[LOG-7] [LOG-11] every group gets every record from the oldest on', async ({ log }) => {
    await appendNumbers(log, 'events', 0, 50);
    const one = await join(log, { group: 'one' });
    const two = await join(log, { group: 'two' });
    await one.until(() => one.count() === 50);
    await appendNumbers(log, 'events', 50, 80);
    for (const member of [one, two]) {
      await member.until(() => member.count() === 80);
      assert.deepEqual(sorted(member.all()), numbers(0, 80).sort());
      await member.close();
    }
  });

  check('[LOG-7] partitions are shared evenly and never with two members', async ({ log }) => {
    const holders = new Map<number, Member>();
    const members = [await join(log, { group: 'g', holders })];
    await members[0]!.until(() => members[0]!.held.size === 4);
    for (const size of [2, 3, 4, 5]) {
      members.push(await join(log, { group: 'g', holders }));
      const settled = () =>
        holders.size === 4 && spread(members) <= 1 && members.every((m) => m.held.size <= 4);
      await anyOf(members, settled);
      assert.equal(members.length, size);
    }
    while (members.length > 1) {
      await members.shift()!.close();
      await anyOf(members, () => holders.size === 4 && spread(members) <= 1);
    }
    await members[0]!.close();
    assert.equal(holders.size, 0);
  });

  check('[LOG-8] batches come one at a time, in order, bounded by batchMax', async ({ log }) => {
    await appendNumbers(log, 'events', 0, 500);
    const running = new Set<number>();
    const member = await join(log, {
      group: 'g',
      batchMax: 7,
      async onBatch(batch) {
        assert.ok(!running.has(batch.partition), 'two batches of a partition at once');
        assert.ok(batch.records.length >= 1 && batch.records.length <= 7);
        running.add(batch.partition);
        await later();
        running.delete(batch.partition);
      },
    });
    await member.until(() => member.count() === 500);
    await member.close();
    for (let partition = 0; partition < 4; partition++) {
      const records = await readAll(log, 'events', partition);
      assert.deepEqual(member.of(partition), textsOf(records));
    }
    assert.deepEqual(member.errors, []);
  });

  check(
    '[LOG-9] a rejected batch comes again from the same record, other partitions go on',
    async ({ log }) => {
      const keys = keysOf(log, 'events');
      await log.append('events', [text(keys[0]!, 'a'), text(keys[0]!, 'b'), text(keys[1]!, 'c')]);
      const tries: string[][] = [];
      const member = await join(log, {
        group: 'g',
        async onBatch(batch) {
          if (batch.partition !== 0) return;
          tries.push(textsOf(batch.records));
          if (tries.length <= 3) throw new Error(`try ${tries.length}`);
        },
      });
      await member.until(() => member.count() === 3);
      assert.deepEqual(member.of(0), ['a', 'b']);
      assert.deepEqual(member.of(1), ['c']);
      for (const texts of tries) assert.equal(texts[0], 'a');
      assert.deepEqual(
        member.errors.map((error) => (error as Error).message),
        ['try 1', 'try 2', 'try 3'],
      );
      await member.close();
    },
  );

  check('[LOG-9] a rejected onAssign is tried again', async ({ log }) => {
    await log.append('single', [text('k', '1')]);
    let tries = 0;
    const member = await join(log, {
      group: 'g',
      topic: 'single',
      async onAssign() {
        if (++tries < 3) throw new Error('not yet');
        return 'committed';
      },
    });
    await member.until(() => member.count() === 1);
    assert.equal(tries, 3);
    assert.equal(member.errors.length, 2);
    await member.close();
  });

  check('[LOG-11] an offset of the member’s own is honoured', async ({ log }) => {
    const places = await log.append(
      'single',
      numbers(0, 10).map((n) => text('k', n)),
    );
    const member = await join(log, {
      group: 'g',
      topic: 'single',
      onAssign: async () => places[6]!.offset,
    });
    await member.until(() => member.count() === 4);
    assert.deepEqual(member.all(), ['6', '7', '8', '9']);
    await member.close();
  });

  check('[LOG-12] an offset beyond the end begins at the oldest, and is told', async ({ log }) => {
    await log.append('single', [text('k', '1'), text('k', '2')]);
    const member = await join(log, { group: 'g', topic: 'single', onAssign: async () => 1_000 });
    await member.until(() => member.count() === 2);
    assert.deepEqual(member.all(), ['1', '2']);
    assert.equal(member.errors.length, 1);
    assert.match(String(member.errors[0]), /1000/);
    await member.close();
  });

  check('[LOG-16] an append wakes a waiting consumer', async ({ log }) => {
    const member = await join(log, { group: 'g', topic: 'single' });
    await member.until(() => member.held.size === 1);
    for (let n = 0; n < 20; n++) {
      await log.append('single', [text('k', String(n))]);
      await member.until(() => member.count() === n + 1);
    }
    await member.close();
  });
}

function commitLaws(check: Check): void {
  check('[LOG-10] [LOG-11] a group goes on where it committed, after a restart too', async (under) => {
    await appendNumbers(under.log, 'single', 0, 10);
    const first = await join(under.log, {
      group: 'g',
      topic: 'single',
      batchMax: 4,
      async onBatch(batch) {
        if (batch.records[0]!.offset === 0) await batch.commit();
      },
    });
    await first.until(() => first.count() === 10);
    await first.close();
    const second = await join(under.log, { group: 'g', topic: 'single' });
    await second.until(() => second.count() === 6);
    assert.deepEqual(second.all(), numbers(4, 10));
    await second.close();
    const log = await under.reopen();
    const third = await join(log, { group: 'g', topic: 'single' });
    await third.until(() => third.count() === 6);
    assert.deepEqual(third.all(), numbers(4, 10));
    await third.close();
  });

  check('[LOG-10] outputs and the offset stand together', async (under) => {
    await appendNumbers(under.log, 'single', 0, 5);
    const member = await join(under.log, {
      group: 'g',
      topic: 'single',
      async onBatch(batch) {
        const outputs = batch.records.map((record) => ({ topic: 'outputs', key: 'o', value: record.value }));
        await batch.commit(outputs);
      },
    });
    await member.until(() => member.count() === 5);
    await member.close();
    const log = await under.reopen();
    const partition = log.partitionOf('outputs', 'o');
    assert.deepEqual(textsOf(await readAll(log, 'outputs', partition)), numbers(0, 5));
  });

  check('[LOG-10] a refused output leaves the offset where it was', async ({ log }) => {
    await appendNumbers(log, 'single', 0, 3);
    let tries = 0;
    const member = await join(log, {
      group: 'g',
      topic: 'single',
      async onBatch(batch) {
        tries++;
        const topic = tries === 1 ? 'nowhere' : 'outputs';
        await batch.commit([
          { topic: 'outputs', key: 'o', value: encode('good') },
          { topic, key: 'o', value: encode('other') },
        ]);
      },
    });
    await member.until(() => member.count() === 3);
    await member.close();
    assert.equal(tries, 2);
    assert.deepEqual(textsOf(await readAll(log, 'outputs', log.partitionOf('outputs', 'o'))), [
      'good',
      'other',
    ]);
  });

  check('[LOG-8] [LOG-10] a part of a batch can be committed; the rest comes again', async ({ log }) => {
    await appendNumbers(log, 'single', 0, 6);
    const batches: string[][] = [];
    const member = await join(log, {
      group: 'g',
      topic: 'single',
      async onBatch(batch) {
        batches.push(textsOf(batch.records));
        await batch.commit([], batch.records[Math.min(1, batch.records.length - 1)]!.offset + 1);
      },
    });
    await member.until(() => batches.length === 3);
    await member.close();
    assert.deepEqual(
      batches.map((batch) => batch[0]),
      ['0', '2', '4'],
    );
  });

  check('[LOG-9] what was committed before a rejection does not come again', async ({ log }) => {
    await appendNumbers(log, 'single', 0, 4);
    const batches: string[][] = [];
    const member = await join(log, {
      group: 'g',
      topic: 'single',
      batchMax: 2,
      async onBatch(batch) {
        batches.push(textsOf(batch.records));
        await batch.commit();
        if (batches.length === 1) throw new Error('after the commit');
      },
    });
    await member.until(() => batches.length === 2);
    await member.close();
    assert.deepEqual(batches, [
      ['0', '1'],
      ['2', '3'],
    ]);
  });

  check('[LOG-14] a batch that has ended cannot be committed', async ({ log }) => {
    await appendNumbers(log, 'single', 0, 2);
    const kept: Batch[] = [];
    const member = await join(log, {
      group: 'g',
      topic: 'single',
      async onBatch(batch) {
        kept.push(batch);
      },
    });
    await member.until(() => member.count() === 2);
    await member.close();
    const late = kept[0]!.commit([{ topic: 'outputs', key: 'o', value: encode('late') }]);
    await assert.rejects(late, ServiceError);
    assert.deepEqual(await readAll(log, 'outputs', log.partitionOf('outputs', 'o')), []);
    const again = await join(log, { group: 'g', topic: 'single' });
    await again.until(() => again.count() === 2);
    await again.close();
  });
}

function handoverLaws(check: Check): void {
  check('[LOG-13] a partition changes hands after the batch under way has ended', async ({ log }) => {
    await appendNumbers(log, 'events', 0, 40);
    const events: string[] = [];
    const gates = new Map<number, () => void>();
    const one = await join(log, {
      group: 'g',
      onBatch: (batch) => new Promise<void>((resolve) => gates.set(batch.partition, resolve)),
      onRevoke: (partition) => events.push(`one gives ${partition}`),
    });
    await one.until(() => one.started === 4);
    const two = await join(log, {
      group: 'g',
      onAssign: async (partition) => {
        events.push(`two takes ${partition}`);
        return 'committed';
      },
    });
    await later();
    assert.equal(events.length, 0, 'handed over during a batch');
    for (const open of gates.values()) open();
    await two.until(() => two.held.size === 2);
    for (const partition of two.held) {
      assert.ok(events.indexOf(`one gives ${partition}`) < events.indexOf(`two takes ${partition}`));
      assert.ok(events.includes(`one gives ${partition}`));
    }
    await Promise.all([one.close(), two.close()]);
  });

  check('[LOG-13] close of a consumer gives up all it has', async ({ log }) => {
    await appendNumbers(log, 'events', 0, 40);
    const one = await join(log, { group: 'g', onBatch: (batch) => batch.commit() });
    await one.until(() => one.count() === 40);
    await one.close();
    assert.equal(one.held.size, 0);
    await appendNumbers(log, 'events', 40, 60);
    const two = await join(log, { group: 'g' });
    await two.until(() => two.count() === 20);
    assert.equal(one.count(), 40);
    await two.close();
  });
}

function randomLaws(check: Check): void {
  check('[LOG-3] [LOG-5] [LOG-6] random appends, reads and reopenings equal a list', async (under, t) => {
    const random = seeded(t);
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

  check(
    '[LOG-7] [LOG-8] [LOG-10] members that come, go and fail lose and double nothing',
    async ({ log }, t) => {
      const random = seeded(t);
      const seen: string[][] = [[], [], [], []];
      let members: Member[] = [];
      const wake = new Wake();
      const add = async () => {
        const member = await join(log, {
          group: 'g',
          batchMax: 1 + Math.floor(random() * 20),
          async onBatch(batch) {
            if (random() < 0.2) throw new Error('a fault before the commit');
            await batch.commit();
            seen[batch.partition]!.push(...textsOf(batch.records));
            wake.all();
            if (random() < 0.2) throw new Error('a fault after the commit');
          },
        });
        members.push(member);
      };
      for (let step = 0; step < 60; step++) {
        const dice = random();
        if (dice < 0.6) await appendNumbers(log, 'events', step * 20, step * 20 + 20);
        else if (dice < 0.8 || members.length === 0) await add();
        else {
          const [leaving] = members.splice(Math.floor(random() * members.length), 1);
          await leaving!.close();
        }
      }
      if (members.length === 0) await add();
      const logged = await Promise.all([0, 1, 2, 3].map((partition) => readAll(log, 'events', partition)));
      await wake.until(() => seen.every((texts, partition) => texts.length >= logged[partition]!.length));
      for (const member of members) await member.close();
      members = [];
      assert.deepEqual(seen, logged.map(textsOf));
    },
  );
}

// What the laws are told with.

interface JoinOptions {
  group: string;
  topic?: string;
  batchMax?: number;
  holders?: Map<number, Member>;
  onBatch?: (batch: Batch) => Promise<void>;
  onAssign?: (partition: number) => Promise<'committed' | number>;
  onRevoke?: (partition: number) => void;
}

/** Wakes those who wait for a condition whenever something has happened. */
class Wake {
  #waiting: (() => void)[] = [];
  all(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.next();
  }
}

/** A member of a group that keeps what it was given. */
class Member {
  readonly held = new Set<number>();
  readonly errors: unknown[] = [];
  readonly wake = new Wake();
  started = 0;
  consumer: Consumer | null = null;
  readonly #records: { partition: number; text: string }[] = [];

  take(batch: Batch): void {
    for (const record of batch.records) {
      this.#records.push({ partition: batch.partition, text: decode(record) });
    }
  }
  count(): number {
    return this.#records.length;
  }
  all(): string[] {
    return this.#records.map((record) => record.text);
  }
  of(partition: number): string[] {
    return this.#records.filter((record) => record.partition === partition).map((record) => record.text);
  }
  until(condition: () => boolean): Promise<void> {
    return this.wake.until(condition);
  }
  async close(): Promise<void> {
    await this.consumer?.close();
  }
}

async function join(log: Log, options: JoinOptions): Promise<Member> {
  const member = new Member();
  member.consumer = await log.consume({
    group: options.group,
    topic: options.topic ?? 'events',
    batchMax: options.batchMax ?? 100,
    async onAssign(partition) {
      const offset = (await options.onAssign?.(partition)) ?? 'committed';
      const holder = options.holders?.get(partition);
      assert.equal(holder, undefined, `partition ${partition} is with two members`);
      options.holders?.set(partition, member);
      member.held.add(partition);
      member.wake.all();
      return offset;
    },
    async onBatch(batch) {
      assert.ok(member.held.has(batch.partition), 'a batch of a partition it does not have');
      member.started++;
      member.wake.all();
      await options.onBatch?.(batch);
      member.take(batch);
      member.wake.all();
    },
    async onRevoke(partition) {
      options.onRevoke?.(partition);
      options.holders?.delete(partition);
      member.held.delete(partition);
      member.wake.all();
    },
    onError(error) {
      member.errors.push(error);
      member.wake.all();
    },
  });
  return member;
}

async function anyOf(members: readonly Member[], condition: () => boolean): Promise<void> {
  while (!condition()) await Promise.race(members.map((member) => member.wake.next()));
}

function spread(members: readonly Member[]): number {
  const sizes = members.map((member) => member.held.size);
  return Math.max(...sizes) - Math.min(...sizes);
}

const encode = (value: string): Uint8Array => new TextEncoder().encode(value);
const decode = (record: LogRecord): string => new TextDecoder().decode(record.value);
const text = (key: string, value: string): NewRecord => ({ key, value: encode(value) });
const textsOf = (records: readonly LogRecord[]): string[] => records.map(decode);
const sorted = (texts: string[]): string[] => [...texts].sort();
const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => String(from + i));

async function appendNumbers(log: Log, topic: string, from: number, to: number): Promise<Place[]> {
  return log.append(
    topic,
    numbers(from, to).map((n) => text(`k${n}`, n)),
  );
}

async function readAll(log: Log, topic: string, partition: number): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  let { first: offset } = await log.bounds(topic, partition);
  for (;;) {
    const records = await log.read(topic, partition, offset, 1_000);
    if (records.length === 0) return all;
    all.push(...records);
    offset = records[records.length - 1]!.offset + 1;
  }
}

/** A key for each partition. */
function keysOf(log: Log, topic: string): string[] {
  const keys: string[] = [];
  for (let n = 0; keys.filter(Boolean).length < log.partitions(topic); n++) {
    keys[log.partitionOf(topic, `key${n}`)] ??= `key${n}`;
  }
  return keys;
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
function seeded(t: TestContext): () => number {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`SEED=${seed}`);
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
