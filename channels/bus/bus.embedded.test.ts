import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManualClock } from '../clock.manual.ts';
import { type Clock, systemClock } from '../clock.ts';
import { openEmbeddedStore } from '../store/store.embedded.ts';
import { busConformance } from './bus.conformance.ts';
import { createEmbeddedBus, type EmbeddedBusOptions } from './bus.embedded.ts';
import type { Bus } from './bus.ts';

interface Opened {
  bus: Bus;
  errors: unknown[];
  close(): Promise<void>;
}
let epochs = 0;

function open(folder: string, options: Partial<EmbeddedBusOptions>, clock: Clock = systemClock): Opened {
  const store = openEmbeddedStore(folder);
  const errors: unknown[] = [];
  const newEpoch = (): string => `e${++epochs}`;
  const bus = createEmbeddedBus({ store, clock, newEpoch, options, onError: (error) => errors.push(error) });
  return {
    bus,
    errors,
    async close() {
      await bus.close();
      await store.close();
    },
  };
}

busConformance('embedded', {
  async open(options) {
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-bus-'));
    let opened = open(folder, options);
    return {
      bus: opened.bus,
      other: opened.bus,
      errors: opened.errors,
      async reopen() {
        await opened.close();
        opened = open(folder, options);
        return opened.bus;
      },
      async close() {
        await opened.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});

test('[BUS-12] old messages are no longer kept; their positions and ids are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-bus-'));
  const clock = createManualClock();
  const options = { historyAgeMs: 1_000, historySweepMs: 5_000, messageIdsKept: 3, historyMessagesMax: 10 };
  const { bus, errors, close } = open(folder, options, clock);
  const append = (id: string) => bus.append('c', { id, at: 1, data: Buffer.from('{}') });
  await append('a');
  clock.advance(600);
  await append('b');
  assert.equal((await bus.history('c', 0, 10)).first, 1);
  clock.advance(401);
  const { first, head, messages } = await bus.history('c', 0, 10);
  assert.deepEqual([first, head, messages.map((message) => message.id)], [2, 2, ['b']]);
  clock.advance(7_000);
  assert.deepEqual((await bus.history('c', 0, 10)).first, 3);
  await until(() => clock.pending > 0);
  assert.equal((await append('a')).position, 1);
  assert.equal((await append('b')).position, 2);
  assert.equal((await append('c')).position, 3);
  assert.deepEqual(
    (await bus.history('c', 0, 10)).messages.map((message) => message.id),
    ['c'],
  );
  await append('d');
  await append('e');
  assert.equal((await append('a')).position, 6, 'three messages later the id may be forgotten');
  assert.deepEqual(errors, []);
  await close();
  await rm(folder, { recursive: true });
});

test('what is published beyond the queue is refused at once, and delivered again after', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-bus-'));
  const { bus, close } = open(folder, { publishQueueMax: 2, questionsMax: 1 });
  const heard: number[] = [];
  await bus.subscribe('t', (bytes) => heard.push(bytes[0]!));
  const calls = [1, 2, 3].map((n) => bus.publish('t', Uint8Array.of(n)));
  await assert.rejects(calls[2]!, /2 messages wait/);
  await bus.publish('t', Uint8Array.of(4));
  await until(() => heard.length === 3);
  assert.deepEqual(heard, [1, 2, 4]);
  const open1 = assert.rejects(bus.ask('s', Uint8Array.of(1), 10_000), /closed/);
  await assert.rejects(bus.ask('s', Uint8Array.of(1), 10_000), /1 questions are open/);
  await close();
  await open1;
  await rm(folder, { recursive: true });
});

test('[BUS-4] messages published by a listener do not hold the process', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-bus-'));
  const { bus, close } = open(folder, {});
  let rounds = 0;
  await bus.subscribe('t', (bytes) => {
    rounds++;
    void bus.publish('t', bytes);
  });
  await bus.publish('t', Uint8Array.of(1));
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(rounds >= 2 && rounds < 10);
  await close();
  await rm(folder, { recursive: true });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
