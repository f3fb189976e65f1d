import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedBus } from '../../channels/bus/bus.embedded.ts';
import type { Bus } from '../../channels/bus/bus.ts';
import { systemClock } from '../../channels/clock.ts';
import { createEmbeddedRankedSets } from '../../channels/sets/ranked-sets.embedded.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { createEmbeddedLog } from '../../workers/log/log.embedded.ts';
import type { Log } from '../../workers/log/log.ts';

/**
 * What the embedded stores cost: `node dist/test/bench/stores.js`. One line of JSON per figure; latencies in
 * ms, durable (flushed) where something is written. About ten seconds.
 */
const folder = mkdtempSync(join(tmpdir(), 'rankcast-bench-'));
const store = openEmbeddedStore(folder);
const log = createEmbeddedLog({
  store,
  clock: systemClock,
  topics: { events: { partitions: 4, deleteOlderThanMs: 0 }, one: { partitions: 1, deleteOlderThanMs: 0 } },
  onError: console.error,
});
const bus = createEmbeddedBus({ store, clock: systemClock, newEpoch: () => 'e', onError: console.error });
const sets = createEmbeddedRankedSets({ store });
try {
  await appends(log);
  await replay(log);
  await wakes(log);
  await channelAppends(bus);
  await publishes(bus);
  await deepPages(sets);
} finally {
  await Promise.all([log.close(), bus.close(), sets.close()]);
  await store.close();
  rmSync(folder, { recursive: true });
}

async function appends(log: Log): Promise<void> {
  const record = { key: 'match1', value: Buffer.alloc(200, 1) };
  await latency('log: one append of 200 bytes', 2_000, () => log.append('one', [record]));
  await throughput('log: records a second, calls of one, 1,000 at once', 100_000, async () => {
    for (let call = 0; call < 100; call++) {
      await Promise.all(Array.from({ length: 1_000 }, () => log.append('events', [record])));
    }
  });
  const thousand = Array.from({ length: 1_000 }, (_, i) => ({ key: `m${i}`, value: record.value }));
  await throughput('log: records a second, calls of 1,000', 400_000, async () => {
    for (let call = 0; call < 400; call++) await log.append('events', thousand);
  });
}

async function replay(log: Log): Promise<void> {
  let left = 500_000;
  await throughput('log: records a second consumed from the start', left, async () => {
    const { promise, resolve } = deferred();
    const consumer = await log.consume({
      ...group('replay', 'events'),
      async onBatch(batch) {
        left -= batch.records.length;
        if (left <= 0) resolve();
      },
    });
    await promise;
    await consumer.close();
  });
}

async function wakes(log: Log): Promise<void> {
  let heard = (): void => undefined;
  const consumer = await log.consume({
    ...group('wakes', 'one'),
    onAssign: async () => (await log.bounds('one', 0)).next,
    onBatch: async () => heard(),
  });
  await latency('log: append until the consumer has it', 1_000, async () => {
    const { promise, resolve } = deferred();
    heard = resolve;
    await Promise.all([log.append('one', [{ key: 'k', value: Buffer.alloc(200) }]), promise]);
  });
  await consumer.close();
}

async function channelAppends(bus: Bus): Promise<void> {
  const data = Buffer.alloc(150, 32);
  let id = 0;
  await latency('bus: one append', 2_000, () => bus.append('feed:1', { id: `${id++}`, at: 1, data }));
  await throughput('bus: appends a second, 1,000 at once, 5,000 channels', 100_000, async () => {
    for (let call = 0; call < 100; call++) {
      const some = Array.from({ length: 1_000 }, () => {
        return bus.append(`feed:${id % 5_000}`, { id: `${id++}`, at: 1, data });
      });
      await Promise.all(some);
    }
  });
}

async function publishes(bus: Bus): Promise<void> {
  const bytes = Buffer.alloc(2_000);
  let heard = 0;
  await bus.subscribe('t', () => {
    heard++;
  });
  await throughput('bus: publishes a second to one listener', 1_000_000, async () => {
    for (let call = 0; call < 1_000_000; call++) await bus.publish('t', bytes);
  });
  if (heard !== 1_000_000) throw new Error(`${heard} of 1000000 heard`);
}

async function deepPages(sets: RankedSets): Promise<void> {
  const members = 500_000;
  await throughput('sets: new members a second, calls of 1,000', members, async () => {
    for (let from = 0; from < members; from += 1_000) {
      const changes = Array.from({ length: 1_000 }, (_, i) => {
        return { set: 'followers_1', member: `u${from + i}`, score: ((from + i) * 7_919) % 100_003 };
      });
      await sets.apply(changes);
    }
  });
  await latency('sets: page of 100 at the top', 200, () => sets.page('followers_1', 0, 100));
  await latency('sets: page of 100 at 450,000 of 500,000', 50, () => sets.page('followers_1', 450_000, 100));
}

async function latency(what: string, times: number, call: () => Promise<unknown>): Promise<void> {
  const taken: number[] = [];
  for (let n = 0; n < times; n++) {
    const began = performance.now();
    await call();
    taken.push(performance.now() - began);
  }
  taken.sort((a, b) => a - b);
  const at = (share: number): number => Number(taken[Math.floor(times * share)]!.toFixed(3));
  say({ what, p50: at(0.5), p99: at(0.99) });
}

async function throughput(what: string, count: number, call: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await call();
  say({ what, perSecond: Math.round(count / ((performance.now() - began) / 1_000)) });
}

function say(figure: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(figure)}\n`);
}

function group(name: string, topic: string) {
  return {
    group: name,
    topic,
    batchMax: 1_000,
    onAssign: async (): Promise<'committed' | number> => 'committed',
    onRevoke: async (): Promise<void> => undefined,
    onError: (error: unknown): void => console.error(error),
  };
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
