import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../channels/random.ts';
import { lists, repairUser } from '../../workers/followers/repair.ts';
import type { FollowWorld } from './follow-world.ts';

/**
 * Sorted sets that were spoiled are repaired while commands go through the workers. Calls of the repair take
 * a while at random, so that changes come between any two of its steps.
 */
export const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const random = seededRandom(seed);
/** Numbers of its own: how long calls take must not change what the seed repeats. */
const luck = seededRandom(seed + 1);
const below = (count: number) => Math.floor(random() * count);
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;

const users = ['ann', 'bob', 'c-3', 'D_4'];
const kinds = [
  ...Array<string>(6).fill('follow'),
  ...Array<string>(5).fill('unfollow'),
  ...['affinity', 'interaction', 'interaction', 'block', 'unblock', 'unblock'],
];
let commands = 0;

/** Some turns of the event loop; now and then so long that a command goes all the way meanwhile. */
async function turns(most: number): Promise<void> {
  if (luck() < 0.2) await delay(luck() * most * 3);
  for (let left = luck() * most; left > 1; left--) await new Promise((resolve) => setImmediate(resolve));
}

/** The same port, with calls that take turns of the event loop, and answers that come late. */
function slow<T extends object>(port: T): T {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        await turns(6);
        const answer: unknown = await Reflect.apply(member, target, args);
        await turns(6);
        return answer;
      };
    },
  });
}

async function give(world: FollowWorld, count: number): Promise<void> {
  for (let given = 0; given < count; given++) {
    commands += 1;
    const [from, to] = [pick(users), pick(users)];
    const kind = pick(kinds);
    const more = kind === 'affinity' ? { affinity: below(11) / 10 } : { weight: below(11) / 10 };
    const command = { id: `r${commands}`, at: world.now, kind, from, to };
    const value = JSON.stringify(
      kind === 'affinity' || kind === 'interaction' ? { ...command, ...more } : command,
    );
    world.now += 1;
    await world.log.append('graph-commands', [
      { key: [from, to].sort().join(':'), value: Buffer.from(value) },
    ]);
    await turns(10);
  }
}

/** As if writes had been lost, and as if others had never been undone. */
async function spoil(world: FollowWorld): Promise<void> {
  for (let i = 0; i < 20; i++) {
    const set = `${pick(lists)}_${pick(users)}`;
    const score = random() < 0.4 ? null : below(20) / 10;
    await world.sets.apply([{ set, member: pick([...users, `nobody${i}`]), score }]);
  }
}

async function compare(world: FollowWorld): Promise<void> {
  for (const user of users) {
    for (const list of lists) {
      const edges = await world.graph.list(user, list, null, 100);
      const page = await world.sets.page(`${list}_${user}`, 0, 100);
      const rows = page?.rows.map(([other, affinity]) => ({ other, affinity }));
      rows?.sort((a, b) => (a.other < b.other ? -1 : 1));
      assert.deepEqual(rows, edges, `${list} of ${user}`);
    }
  }
}

export async function playRepairs(world: FollowWorld, rounds: number): Promise<{ mended: number }> {
  let mended = 0;
  try {
    await world.start(7);
    await give(world, 30);
    for (let round = 0; round < rounds; round++) {
      await spoil(world);
      const repairs = users.map(async (user) => {
        for (const { put, removed } of await repairUser(slow(world.graph), slow(world.sets), user)) {
          mended += put + removed;
        }
      });
      await Promise.all([give(world, 40), ...repairs]);
      assert.ok(await world.settled());
      await compare(world);
    }
    assert.equal(await world.failures(), 0);
  } finally {
    await world.discard();
  }
  return { mended };
}
