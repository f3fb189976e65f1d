import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { forgetAll, openRedis, redisKinds } from '../../test/services/redis-clients.ts';
import { systemClock } from '../clock.ts';
import { createEmbeddedPages } from '../pages/pages.embedded.ts';
import { createRedisPages } from '../pages/pages.redis.ts';
import type { Pages } from '../pages/pages.ts';
import { seededRandom } from '../random.ts';
import { openEmbeddedStore } from '../store/store.embedded.ts';
import { createEmbeddedLookup } from './lookup.embedded.ts';
import { createRedisLookup } from './lookup.redis.ts';
import type { Lookup } from './lookup.ts';

/** The same random calls to both kinds of small values and of pages must have the same answers. */
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const steps = Number(process.env['STEPS'] ?? 1_500);

const random = seededRandom(seed);
const below = (count: number) => Math.floor(random() * count);
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;

const keys = [
  'contest_c1',
  'k',
  '{',
  '}',
  '{}',
  'a}b',
  'a{b}c',
  'ü',
  '\u0000',
  'k'.repeat(255),
  'k'.repeat(256),
];
const contests = ['c1', 'c11', 'c1_', '{c1}', 'c}'];
const fences = [0, 0, 1, 2, 3, 1.5, -1, 1.8e12, 1.8e12 + 1, 2 ** 53];
const bytes = () => Uint8Array.from({ length: below(40) }, () => below(256));
/** Never within the test, or at once: nothing here waits. */
const expiries = [0, 0, 3_600_000];

interface Stores {
  lookup: Lookup;
  pages: Pages;
}

async function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => ({ value: plain(value) }),
    (error: Error & { code?: string }) => ({ code: error.code, message: error.message }),
  );
}
/** Bytes as text: either kind may hand out a Buffer. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

function nextCall(): (stores: Stores) => Promise<unknown> {
  const [key, fence, value, expireMs] = [pick(keys), pick(fences), bytes(), pick(expiries)];
  const [contest, page, epoch, version] = [pick(contests), below(4), `e${below(2)}`, below(30)];
  const dice = random();
  if (dice < 0.2) return ({ lookup }) => lookup.put(key, fence, value, expireMs);
  if (dice < 0.3) return async ({ lookup }) => plain(await lookup.putIfAbsent(key, fence, value, expireMs));
  const gone = [key, pick(keys.slice(0, 3))];
  if (dice < 0.35) return ({ lookup }) => lookup.remove(gone);
  if (dice < 0.5) {
    const asked = Array.from({ length: below(8) }, () => pick(keys));
    return async ({ lookup }) => (await lookup.get(asked)).map(plain);
  }
  if (dice < 0.7) return ({ pages }) => pages.put(contest, page, epoch, version, value, expireMs);
  if (dice < 0.72) return ({ pages }) => pages.remove(contest);
  return async ({ pages }) => {
    const kept = await pages.get(contest, page);
    return kept === null ? null : [kept.epoch, kept.version, plain(kept.bytes)];
  };
}

for (const kind of redisKinds) {
  test(`small values and pages on ${kind.name} and embedded answer alike (SEED=${seed})`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-lookup-'));
    const store = openEmbeddedStore(folder);
    const onError = (error: unknown): never => {
      throw error;
    };
    const parts = { store, clock: systemClock, onError };
    const embedded = { lookup: createEmbeddedLookup(parts), pages: createEmbeddedPages(parts) };
    const client = openRedis(await kind.options());
    await forgetAll(client.redis);
    const real = { lookup: createRedisLookup(client), pages: createRedisPages(client) };
    try {
      for (let step = 0; step < steps; step++) {
        const call = nextCall();
        assert.deepEqual(await outcome(call(real)), await outcome(call(embedded)), `step ${step}`);
      }
    } finally {
      await client.close();
      await embedded.lookup.close();
      await embedded.pages.close();
      await store.close();
      await rm(folder, { recursive: true });
    }
  });
}
