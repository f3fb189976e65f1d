import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { forgetAll, openRedis, redisKinds } from '../../test/services/redis-clients.ts';
import { seededRandom } from '../random.ts';
import { openEmbeddedStore } from '../store/store.embedded.ts';
import { createEmbeddedRankedSets } from './ranked-sets.embedded.ts';
import { createRedisRankedSets } from './ranked-sets.redis.ts';
import type { RankedSets, SetRow } from './ranked-sets.ts';

/** The same random calls to both kinds of sorted sets must have the same answers. */
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const steps = Number(process.env['STEPS'] ?? 1_500);

const random = seededRandom(seed);
const below = (count: number) => Math.floor(random() * count);
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;

const sets = ['followers_1', 'following_1', 'top_c', '{a}', 'a}b', '}{', 'ü{x}', '\u0001', 'x'.repeat(255)];
const members = [...Array.from({ length: 30 }, (_, i) => `m${i}`), 'ü', 'Z', '-', '_', '\u0000', '😀', '{a}'];
const scores = [0, -0, 1, -1, 0.1, 1 / 3, 5e-324, -1.7976931348623157e308, 2 ** 53, 1e-7, 123456789.125];
const anyScore = () => (random() < 0.5 ? pick(scores) : (random() - 0.5) * 10 ** below(20));

/** Settles as a value, so that refusals can be compared. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => ({ value }),
    (error: Error & { code?: string }) => ({ code: error.code, message: error.message }),
  );
}

function nextCall(fence: number): (target: RankedSets) => Promise<unknown> {
  const set = pick(sets);
  const some = (count: number) => Array.from({ length: below(count) }, () => pick(members));
  const dice = random();
  if (dice < 0.35) {
    const changes = Array.from({ length: below(40) }, () => ({
      set: pick(sets),
      member: pick(members),
      score: random() < 0.3 ? null : random() < 0.002 ? Number.NaN : anyScore(),
      ifMember: random() < 0.2,
    }));
    return (target) => target.apply(changes);
  }
  if (dice < 0.4) {
    const rows = some(20).map((member): SetRow => [member, anyScore()]);
    const lowered = below(fence + 1);
    return (target) => target.replace(set, lowered, rows);
  }
  const asked = some(10);
  if (dice < 0.5) return (target) => target.scores(set, asked);
  if (dice < 0.6) {
    const places = asked.map((member) => ({ set: pick(sets), member }));
    return (target) => target.scoresOf(places);
  }
  if (dice < 0.7) return (target) => target.counts(sets);
  if (dice < 0.75) {
    return async (target) => (await target.scan(set, null, 1_000)).members.sort();
  }
  const [offset, limit] = [below(45), below(45)];
  return (target) => target.page(set, offset, limit);
}

for (const kind of redisKinds) {
  test(`sorted sets on ${kind.name} and embedded answer alike (SEED=${seed})`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-sets-'));
    const store = openEmbeddedStore(folder);
    const embedded = createEmbeddedRankedSets({ store, options: { blockMembersMax: 4 } });
    const client = openRedis(await kind.options());
    await forgetAll(client.redis);
    const real = createRedisRankedSets(client);
    await real.markNew();
    try {
      for (let step = 0; step < steps; step++) {
        const call = nextCall(step);
        assert.deepEqual(await outcome(call(real)), await outcome(call(embedded)), `step ${step}`);
      }
    } finally {
      await client.close();
      await embedded.close();
      await store.close();
      await rm(folder, { recursive: true });
    }
  });
}
