import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManualClock, type ManualClock } from '../../channels/clock.manual.ts';
import { type Clock, systemClock } from '../../channels/clock.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { logConformance } from './log.conformance.ts';
import { createEmbeddedLog, type EmbeddedLogOptions, type EmbeddedTopic } from './log.embedded.ts';
import type { Log } from './log.ts';

const fail = (error: unknown): never => {
  throw error;
};
const encode = (value: string): Uint8Array => new TextEncoder().encode(value);

interface Opened {
  log: Log;
  close(): Promise<void>;
}

function open(
  folder: string,
  topics: Record<string, EmbeddedTopic>,
  options: Partial<EmbeddedLogOptions> = {},
  clock: Clock = systemClock,
): Opened {
  const store = openEmbeddedStore(folder);
  const log = createEmbeddedLog({ store, clock, topics, options, onError: fail });
  return {
    log,
    async close() {
      await log.close();
      await store.close();
    },
  };
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-log-'));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

logConformance('embedded', {
  recordBytesMax: 10_000,
  async open(counts) {
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-log-'));
    const topics: Record<string, EmbeddedTopic> = {};
    for (const [name, partitions] of Object.entries(counts))
      topics[name] = { partitions, deleteOlderThanMs: 0 };
    const options = { recordBytesMax: 10_000, retryMinMs: 1, retryMaxMs: 4 };
    let opened = open(folder, topics, options);
    return {
      log: opened.log,
      async reopen() {
        await opened.close();
        opened = open(folder, topics, options);
        return opened.log;
      },
      async close() {
        await opened.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});

test('[LOG-2] a topic cannot be opened with another number of partitions', () =>
  withFolder(async (folder) => {
    await open(folder, { events: { partitions: 4, deleteOlderThanMs: 0 } }).close();
    const store = openEmbeddedStore(folder);
    const topics = { events: { partitions: 3, deleteOlderThanMs: 0 } };
    assert.throws(
      () => createEmbeddedLog({ store, clock: systemClock, topics, onError: fail }),
      /"events" has 4 partitions.*with 3/,
    );
    await store.close();
  }));

test('[LOG-3] [LOG-6] [LOG-12] [LOG-17] old records go from the front, offsets are not given again', () =>
  withFolder(async (folder) => {
    const clock = createManualClock();
    const topics = { events: { partitions: 1, deleteOlderThanMs: 1_000 } };
    const options = { retentionSweepMs: 100 };
    let { log, close } = open(folder, topics, options, clock);
    await log.append(
      'events',
      [1, 2, 3].map((n) => ({ key: 'k', value: encode(String(n)) })),
    );
    await advance(clock, 600);
    await log.append('events', [{ key: 'k', value: encode('4') }]);
    await advance(clock, 401);
    await swept(log, 3);
    await assert.rejects(log.read('events', 0, 0, 10), /Offset 0 of events\/0 is gone: 3 is the oldest/);
    assert.equal((await log.read('events', 0, 3, 10)).length, 1);
    await advance(clock, 10_000);
    await swept(log, 4);
    assert.deepEqual(await log.bounds('events', 0), { first: 4, next: 4 });
    await close();

    ({ log, close } = open(folder, topics, options, clock));
    assert.deepEqual(await log.bounds('events', 0), { first: 4, next: 4 });
    assert.deepEqual(await log.append('events', [{ key: 'k', value: encode('5') }]), [
      { partition: 0, offset: 4 },
    ]);
    const told: unknown[] = [];
    const got = await new Promise<number>((resolve) => {
      void log.consume({
        group: 'g',
        topic: 'events',
        batchMax: 10,
        onAssign: async () => 1,
        onBatch: async (batch) => resolve(batch.records[0]!.offset),
        onRevoke: async () => undefined,
        onError: (error) => told.push(error),
      });
    });
    assert.equal(got, 4);
    assert.match(String(told[0]), /offset 1 of events\/0 is not kept \(4 to 5 are\); going on at 4/);
    await close();
  }));

test('an append beyond what may wait for the disk is refused at once', () =>
  withFolder(async (folder) => {
    const topics = { events: { partitions: 1, deleteOlderThanMs: 0 } };
    const { log, close } = open(folder, topics, { pendingBytesMax: 1_000 });
    const record = { key: 'k', value: new Uint8Array(600) };
    const first = log.append('events', [record]);
    await assert.rejects(log.append('events', [record]), /The log is behind: 600 bytes wait/);
    await first;
    await log.append('events', [record]);
    assert.equal((await log.bounds('events', 0)).next, 2);
    await close();
    await assert.rejects(log.append('events', [record]), /closed/);
  }));

test('[LOG-6] a read stops after readBytesMax but gives at least one record', () =>
  withFolder(async (folder) => {
    const topics = { events: { partitions: 1, deleteOlderThanMs: 0 } };
    const { log, close } = open(folder, topics, { readBytesMax: 1_500 });
    const record = (bytes: number) => ({ key: 'k', value: new Uint8Array(bytes) });
    await log.append('events', [record(5_000), record(700), record(700), record(700)]);
    assert.equal((await log.read('events', 0, 0, 10)).length, 1);
    assert.equal((await log.read('events', 0, 1, 10)).length, 3);
    await close();
  }));

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Moves time and has a sweep begin after it: the one before has set its timer first. */
async function advance(clock: ManualClock, ms: number): Promise<void> {
  for (const step of [ms - 100, 100]) {
    while (clock.pending === 0) await turn();
    clock.advance(step);
  }
}

/** Until the sweep has moved the oldest offset. */
async function swept(log: Log, first: number): Promise<void> {
  while ((await log.bounds('events', 0)).first !== first) await turn();
}
