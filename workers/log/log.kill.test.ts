import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../channels/clock.ts';
import { type Random, seededRandom } from '../../channels/random.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { linesUntilKilled } from '../../test/kit/killed-process.ts';
import { createEmbeddedLog } from './log.embedded.ts';
import type { Log, LogRecord } from './log.ts';

/**
 * A process appends, copies what it reads to another topic and says what was acknowledged, until it is killed
 * without warning; the next one takes over the folder. This file is both: the test, and with arguments the
 * process.
 */
const lives = 8;
const partitions = [0, 1, 2];

if (process.argv[2] === 'life') await live(process.argv[3]!, Number(process.argv[4]));
else {
  test('[LOG-5] [LOG-10] kill -9 loses and doubles nothing acknowledged', { timeout: 60_000 }, async (t) => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
    t.diagnostic(`SEED=${seed}`);
    const random = seededRandom(seed);
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-log-kill-'));
    try {
      const acknowledged: string[] = [];
      for (let no = 0; no < lives; no++) acknowledged.push(...(await killed(folder, no, random)));
      await verify(folder, acknowledged, t.diagnostic.bind(t));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Lets one process live until it has said so many lines; answers all it has said. */
async function killed(folder: string, no: number, random: Random): Promise<string[]> {
  const enough = 1 + Math.floor(random() * 400);
  return await linesUntilKilled(fileURLToPath(import.meta.url), ['life', folder, String(no)], enough);
}

async function verify(folder: string, acknowledged: string[], say: (line: string) => void): Promise<void> {
  const { log, close } = open(folder);
  const logged = new Map<string, string>();
  let count = 0;
  const events: string[][] = [];
  for (const partition of partitions) {
    const records = await readAll(log, 'events', partition);
    for (const [index, record] of records.entries()) {
      assert.equal(record.offset, index, 'offsets without a hole');
      logged.set(`${partition} ${record.offset}`, decode(record));
    }
    events.push(records.map(decode));
    count += records.length;
  }
  assert.equal(new Set(logged.values()).size, count, 'nothing twice');
  for (const line of acknowledged) {
    const [partition, offset, text] = line.split(' ');
    assert.equal(logged.get(`${partition} ${offset}`), text);
  }
  await copyAll(log, count);
  const copies = (await readAll(log, 'copies', 0)).map(decode);
  for (const partition of partitions) {
    const own = copies.filter((copy) => copy.startsWith(`${partition}:`));
    assert.deepEqual(
      own,
      events[partition]!.map((event) => `${partition}:${event}`),
    );
  }
  say(`${lives} lives, ${acknowledged.length} acknowledged, ${count} logged, ${copies.length} copied`);
  await close();
}

/** The rest of the copying. */
async function copyAll(log: Log, count: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      void log.bounds('copies', 0).then(({ next }) => next >= count && resolve());
    };
    done();
    void copy(log, done);
  });
}

function open(folder: string) {
  const store = openEmbeddedStore(folder);
  const topics = {
    events: { partitions: partitions.length, deleteOlderThanMs: 0 },
    copies: { partitions: 1, deleteOlderThanMs: 0 },
  };
  const log = createEmbeddedLog({ store, clock: systemClock, topics, onError: fail });
  return {
    log,
    async close() {
      await log.close();
      await store.close();
    },
  };
}

async function live(folder: string, no: number): Promise<void> {
  const { log } = open(folder);
  await copy(log, () => undefined);
  for (let turn = 0; ; turn++) {
    // Some calls at once, of some records each.
    const calls = Array.from({ length: 1 + (turn % 5) }, async (_, call) => {
      const records = Array.from({ length: 1 + (turn % 3) }, (_, i) => {
        return { key: `k${call}${i}`, value: Buffer.from(`${no}.${turn}.${call}.${i}`) };
      });
      const places = await log.append('events', records);
      for (const [i, { partition, offset }] of places.entries()) {
        process.stdout.write(`${partition} ${offset} ${records[i]!.value}\n`);
      }
    });
    await Promise.all(calls);
  }
}

async function copy(log: Log, onCopied: () => void): Promise<void> {
  await log.consume({
    group: 'copier',
    topic: 'events',
    batchMax: 10,
    onAssign: async () => 'committed',
    async onBatch(batch) {
      const text = (record: LogRecord) => `${batch.partition}:${decode(record)}`;
      const outputs = batch.records.map((record) => {
        return { topic: 'copies', key: 'one', value: Buffer.from(text(record)) };
      });
      await batch.commit(outputs);
      onCopied();
    },
    onRevoke: async () => undefined,
    onError: fail,
  });
}

function fail(error: unknown): never {
  throw error;
}
function decode(record: LogRecord): string {
  return Buffer.from(record.value).toString();
}
async function readAll(log: Log, topic: string, partition: number): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (;;) {
    const records = await log.read(topic, partition, all.length, 10_000);
    if (records.length === 0) return all;
    all.push(...records);
  }
}
