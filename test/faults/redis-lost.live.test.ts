import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createRedisBus } from '../../channels/bus/bus.redis.ts';
import { systemClock } from '../../channels/clock.ts';
import { redisDefaults } from '../../channels/redis/connect-redis.ts';
import { createRedisRankedSets } from '../../channels/sets/ranked-sets.redis.ts';
import { encodeRebuild, rebuildSubject } from '../../channels/sets/rebuild-question.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { openRedis, type RedisClient } from '../services/redis-clients.ts';
import { createFollowWorld, type FollowWorld } from './follow-world.ts';

/** Redis forgets everything, or goes back to a moment before its death, under the followers worker. */

async function onRedis(
  body: (world: FollowWorld, server: RedisServer, client: RedisClient) => Promise<void>,
): Promise<void> {
  const server = await startRedis();
  const client = openRedis({ ...redisDefaults, url: server.url });
  const onError = (error: unknown): never => {
    throw error;
  };
  const world = await createFollowWorld({
    openSets: () => createRedisRankedSets(client),
    openBus: () => createRedisBus({ redis: client.redis, clock: systemClock, onError }),
    followers: { doAgainRetryMs: 50 },
  });
  try {
    await body(world, server, client);
  } finally {
    await world.discard();
    await client.close();
    await server.stop();
  }
}

let commands = 0;
async function give(world: FollowWorld, kind: string, from: string, to: string): Promise<void> {
  world.now += 1_000;
  const value = Buffer.from(JSON.stringify({ id: `c${++commands}`, at: world.now, kind, from, to }));
  await world.log.append('graph-commands', [{ key: [from, to].sort().join(':'), value }]);
  await world.settled();
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds().catch(() => false)); tries++) {
    assert.ok(tries < 400, `${what} did not come to be`);
    await delay(25);
  }
}

async function membersOf(world: FollowWorld, set: string): Promise<string[] | null> {
  const page = await world.sets.page(set, 0, 100);
  return page === null ? null : page.rows.map(([member]) => member).sort();
}

async function told(world: FollowWorld, channel: string): Promise<string[]> {
  const { messages } = await world.bus.history(channel, 0, 1_000);
  return messages.map(({ data }) => {
    const { type, user } = JSON.parse(Buffer.from(data).toString()) as { type: string; user: string };
    return `${type} ${user}`;
  });
}

test('[FEED-9] lists that Redis forgot are not zero, and are rebuilt when somebody asks', () =>
  onRedis(async (world, server) => {
    await world.start(100);
    const whole = async () =>
      (await world.sets.counts(['followers_bob', 'followers_nobody'])).join() === '0,0';
    await until('the lists of a new store are known to be empty', whole);
    for (const fan of ['ann', 'cid', 'dan']) await give(world, 'follow', fan, 'bob');
    await server.kill();
    await server.start();
    await until('Redis answers', async () => (await world.sets.counts(['followers_bob']))[0] === null);
    // Written since, but not whole.
    await give(world, 'follow', 'eve', 'bob');
    await give(world, 'unfollow', 'dan', 'bob');
    assert.deepEqual(await world.sets.counts(['followers_bob', 'followers_nobody']), [null, null]);
    await world.bus.ask(rebuildSubject, encodeRebuild(['bob', 'nobody', 'ann']), 2_000);
    assert.deepEqual(await membersOf(world, 'followers_bob'), ['ann', 'cid', 'eve']);
    assert.deepEqual(await membersOf(world, 'following_ann'), ['bob']);
    assert.deepEqual(await membersOf(world, 'followers_nobody'), []);
    assert.equal(await membersOf(world, 'following_cid'), null);
  }));

test('[FEED-10] what Redis lost of the last minute is applied and told again, once', () =>
  onRedis(async (world, server, client) => {
    await world.start(3);
    await give(world, 'follow', 'ann', 'bob');
    await give(world, 'follow', 'cid', 'bob');
    await client.redis.call('SAVE');
    await give(world, 'unfollow', 'ann', 'bob');
    await give(world, 'follow', 'dan', 'bob');
    await give(world, 'follow', 'eve', 'bob');
    await give(world, 'unfollow', 'eve', 'bob');
    assert.deepEqual(await membersOf(world, 'followers_bob'), ['cid', 'dan']);
    await server.kill();
    await server.start();
    await until('the set is mended', async () => {
      const members = await membersOf(world, 'followers_bob');
      return members?.join() === 'cid,dan';
    });
    await give(world, 'unfollow', 'cid', 'bob');
    assert.deepEqual(await membersOf(world, 'followers_bob'), ['dan']);
    // Of eve only the last word comes again: nothing old may come to stand behind it.
    assert.deepEqual(await told(world, 'feed:bob'), [
      ...['follower ann', 'follower cid', 'unfollower ann', 'follower dan', 'unfollower eve'],
      'unfollower cid',
    ]);
  }));
