import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultyBus } from '../../channels/bus/bus.faulty.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { encodeRebuild, rebuildSubject } from '../../channels/sets/rebuild-question.ts';
import { ServiceError } from '../../proto/codes.ts';
import { createFollowWorld, type FollowWorld } from './follow-world.ts';

/** What the stores lose under the followers worker, and when it hears of it. */

let commands = 0;
async function follow(world: FollowWorld, from: string, to: string): Promise<void> {
  world.now += 1_000;
  const command = { id: `c${++commands}`, at: world.now, kind: 'follow', from, to };
  const value = Buffer.from(JSON.stringify(command));
  await world.log.append('graph-commands', [{ key: [from, to].sort().join(':'), value }]);
}

/** As if the store had gone back to before these members were written. */
function lose(world: FollowWorld, set: string, members: string[]): Promise<void> {
  return world.sets.apply(members.map((member) => ({ set, member, score: null })));
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    assert.ok(tries < 400, `${what} did not come to be`);
    await delay(5);
  }
}

async function membersOf(world: FollowWorld, set: string): Promise<string> {
  const page = await world.sets.page(set, 0, 100);
  return (page?.rows ?? []).map(([member]) => member).join();
}

async function withWorld(
  body: (world: FollowWorld, bus: FaultyBus) => Promise<void>,
  aroundSets = (sets: RankedSets) => sets,
): Promise<void> {
  const bus = new FaultyBus();
  const followers = { doAgainRetryMs: 5 };
  const world = await createFollowWorld({ openBus: () => bus, followers, aroundSets });
  try {
    await world.start(100);
    await body(world, bus);
  } finally {
    await world.discard();
  }
}

test('[FEED-10] what was done last before an outage is done again, however long the outage was', () =>
  withWorld(async (world, bus) => {
    await follow(world, 'old', 'bob');
    await world.settled();
    world.now += 120_000;
    await follow(world, 'ann', 'bob');
    await world.settled();
    await lose(world, 'followers_bob', ['old', 'ann']);
    world.now += 3_600_000;
    bus.reset('it was away for an hour');
    await until('the set is mended', async () => (await membersOf(world, 'followers_bob')) === 'ann');
  }));

test('[FEED-10] who takes a partition over does again what was done last, though nothing new comes', () =>
  withWorld(async (world) => {
    await follow(world, 'ann', 'bob');
    await world.settled();
    await world.bury('all');
    await lose(world, 'followers_bob', ['ann']);
    world.now += 3_600_000;
    await world.start(100);
    await until('the set is mended', async () => (await membersOf(world, 'followers_bob')) === 'ann');
  }));

test('[FEED-10] of a batch that was told but not applied, what was told is told again', () => {
  let isAway = false;
  let refused = 0;
  return withWorld(
    async (world, bus) => {
      isAway = true;
      await follow(world, 'ann', 'bob');
      await until('a batch failed', () => refused >= 2);
      bus.loseMemory();
      isAway = false;
      bus.reset('it failed over');
      await world.settled();
      await until('it is told again', async () => (await bus.history('feed:bob', 0, 1)).messages.length > 0);
      assert.equal(await membersOf(world, 'followers_bob'), 'ann');
    },
    (sets) => ({
      ...sets,
      async apply(changes) {
        if (!isAway) return sets.apply(changes);
        refused += 1;
        throw new ServiceError('away', true);
      },
    }),
  );
});

test('[FEED-9] lists that were rebuilt last before an outage are rebuilt again after it', () => {
  let isLost = false;
  let failures = 0;
  return withWorld(
    async (world, bus) => {
      await follow(world, 'old', 'bob');
      await world.settled();
      world.now += 3_600_000;
      await follow(world, 'ann', 'bob');
      await world.settled();
      isLost = true;
      await lose(world, 'followers_bob', ['old', 'ann']);
      await bus.ask(rebuildSubject, encodeRebuild(['bob']), 1_000);
      await until('the list is whole', () => !isLost);
      assert.equal(await membersOf(world, 'followers_bob'), 'ann,old');
      await lose(world, 'followers_bob', ['old']);
      world.now += 3_600_000;
      failures = 2;
      bus.reset('it was away for an hour');
      await until('the set is mended', async () => (await membersOf(world, 'followers_bob')) === 'ann,old');
      assert.equal(failures, 0);
    },
    (sets) => ({
      ...sets,
      counts: async (names) => (isLost ? names.map(() => null) : sets.counts(names)),
      async mend(set) {
        if (failures > 0) {
          failures -= 1;
          throw new ServiceError('not back yet', true);
        }
        return sets.mend(set);
      },
      async mended(set, word) {
        isLost = false;
        return sets.mended(set, word);
      },
    }),
  );
});
