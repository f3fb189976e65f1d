import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { linesUntilKilled } from '../../test/kit/killed-process.ts';
import { systemClock } from '../clock.ts';
import { type Random, seededRandom } from '../random.ts';
import { openEmbeddedStore } from '../store/store.embedded.ts';
import { createEmbeddedBus } from './bus.embedded.ts';
import type { Bus } from './bus.ts';

/**
 * A process appends to channels, repeating what it is not sure of as writers do, and says what it was told,
 * until it is killed without warning; the next one takes over the folder. This file is both: the test, and
 * with arguments the process.
 */
const lives = 6;
const channels = ['feed:1', 'feed:2', 'user:1'];

if (process.argv[2] === 'life') await live(process.argv[3]!, Number(process.argv[4]));
else {
  test('[BUS-8] [BUS-14] kill -9 loses and doubles nothing told', { timeout: 60_000 }, async (t) => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
    t.diagnostic(`SEED=${seed}`);
    const random = seededRandom(seed);
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-bus-kill-'));
    try {
      const told: string[] = [];
      for (let no = 0; no < lives; no++) {
        const sure = told
          .filter((line) => line.startsWith('appended'))
          .map((line) => Number(line.split(' ')[4]));
        const lines = await killed(folder, Math.max(0, ...sure) - 10, random);
        told.push(...lines);
      }
      await verify(folder, told);
      t.diagnostic(`${lives} lives, ${told.length} lines`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function killed(folder: string, from: number, random: Random): Promise<string[]> {
  const enough = 1 + Math.floor(random() * 600);
  return await linesUntilKilled(
    fileURLToPath(import.meta.url),
    ['life', folder, String(Math.max(0, from))],
    enough,
  );
}

/** Lines: what, channel, epoch, position, id. */
async function verify(folder: string, told: readonly string[]): Promise<void> {
  const { bus, close } = open(folder);
  for (const channel of channels) {
    const { epoch, head, first, messages } = await bus.history(channel, 0, 1_000_000);
    assert.equal(first, 1);
    assert.deepEqual(
      messages.map((message) => message.position),
      messages.map((_, index) => index + 1),
    );
    assert.equal(head, messages.length);
    assert.equal(new Set(messages.map((message) => message.id)).size, messages.length, 'nothing twice');
    for (const line of told) {
      const [, where, underEpoch, position, id] = line.split(' ');
      if (where !== channel) continue;
      assert.equal(underEpoch, epoch);
      assert.equal(messages[Number(position) - 1]?.id, id);
    }
  }
  await close();
}

function open(folder: string): { bus: Bus; close(): Promise<void> } {
  const store = openEmbeddedStore(folder);
  const bus = createEmbeddedBus({
    store,
    clock: systemClock,
    newEpoch: () => `e${process.pid}`,
    options: { historyMessagesMax: 1_000_000 },
    onError: fail,
  });
  return {
    bus,
    async close() {
      await bus.close();
      await store.close();
    },
  };
}

async function live(folder: string, from: number): Promise<void> {
  const { bus } = open(folder);
  const say = (what: string, channel: string, epoch: string, position: number, id: string): void => {
    process.stdout.write(`${what} ${channel} ${epoch} ${position} ${id}\n`);
  };
  for (const channel of channels) {
    await bus.follow(channel, ({ epoch, position, id }) => say('told', channel, epoch, position, id));
  }
  for (let n = from; ; n += 4) {
    const some = [n, n + 1, n + 2, n + 3].map(async (id) => {
      const channel = channels[id % channels.length]!;
      const { epoch, position } = await bus.append(channel, { id: `${id}`, at: id, data: Buffer.from('{}') });
      say('appended', channel, epoch, position, `${id}`);
    });
    await Promise.all(some);
  }
}

function fail(error: unknown): never {
  throw error;
}
