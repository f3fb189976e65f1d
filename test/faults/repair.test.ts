import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storedAffinity } from '../../channels/sets/affinity.ts';
import { repairUser } from '../../workers/followers/repair.ts';
import type { Graph } from '../../workers/graph/graph.ts';
import { createFollowWorld, type FollowWorld } from './follow-world.ts';
import { playRepairs, seed } from './repair-rounds.ts';

const rounds = Number(process.env['ROUNDS'] ?? 8);

test(`[FEED-11] spoiled lists equal the graph after a repair beside writers (SEED=${seed})`, async (t) => {
  const { mended } = await playRepairs(await createFollowWorld(), rounds);
  t.diagnostic(`${mended} members mended in ${rounds} rounds`);
  assert.ok(mended > rounds);
});

let commands = 0;
/** Goes all the way: to the graph, the log of changes and the sets. */
async function give(world: FollowWorld, kind: string, more: object = {}): Promise<void> {
  world.now += 1_000;
  const command = { id: `c${++commands}`, at: world.now, kind, from: 'ann', to: 'bob', ...more };
  const value = Buffer.from(JSON.stringify(command));
  await world.log.append('graph-commands', [{ key: 'ann:bob', value }]);
  await world.settled();
}

/** Between a read of the graph and its answer, once, something else happens. */
function interrupted(graph: Graph, method: 'list' | 'read', happen: () => Promise<void>): Graph {
  let isDue = true;
  return new Proxy(graph, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (name !== method || typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        const answer: unknown = await Reflect.apply(member, target, args);
        if (isDue) {
          isDue = false;
          await happen();
        }
        return answer;
      };
    },
  });
}

const cases: {
  title: string;
  before: string[];
  spoil: number | null;
  method: 'list' | 'read';
  happen: [kind: string, more?: object];
  left: number | null;
}[] = [
  {
    title: 'an unfollow after the graph was read is not undone',
    ...{ before: ['follow'], spoil: null, method: 'list', happen: ['unfollow'], left: null },
  },
  {
    title: 'a follow after the graph was read is not undone',
    ...{ before: ['follow', 'unfollow'], spoil: 0.5, method: 'read', happen: ['follow'], left: 0.5 },
  },
  {
    title: 'an affinity that found no member in the set is not lost',
    ...{ before: ['follow'], spoil: null, method: 'list', happen: ['affinity', { affinity: 1 }], left: 1 },
  },
  {
    title: 'an affinity after the graph was read is not undone',
    ...{ before: ['follow'], spoil: 9, method: 'list', happen: ['affinity', { affinity: 1 }], left: 1 },
  },
];

for (const { title, before, spoil, method, happen, left } of cases) {
  test(`[FEED-11] repair: ${title}`, async () => {
    const world = await createFollowWorld();
    try {
      await world.start(100);
      for (const kind of before) await give(world, kind);
      await world.sets.apply([{ set: 'followers_bob', member: 'ann', score: spoil }]);
      const graph = interrupted(world.graph, method, () => give(world, ...happen));
      await repairUser(graph, world.sets, 'bob');
      const expected = left === null ? null : storedAffinity(left, world.now);
      assert.deepEqual(await world.sets.scores('followers_bob', ['ann']), [expected]);
    } finally {
      await world.discard();
    }
  });
}

test('[FEED-11] repair: what the sets lose while it goes on is mended as well', async () => {
  const world = await createFollowWorld();
  try {
    await world.start(100);
    await give(world, 'follow');
    const lose = () => world.sets.apply([{ set: 'followers_bob', member: 'ann', score: null }]);
    await lose();
    let interruptions = 0;
    const graph = interrupted(world.graph, 'read', async () => {
      await lose();
      interruptions += 1;
    });
    const mending = { ended: () => false, interruptions: () => interruptions };
    await repairUser(graph, world.sets, 'bob', mending);
    assert.equal((await world.sets.page('followers_bob', 0, 10))?.total, 1);
  } finally {
    await world.discard();
  }
});
