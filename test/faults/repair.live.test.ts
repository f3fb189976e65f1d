import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRedisRankedSets } from '../../channels/sets/ranked-sets.redis.ts';
import { emptyGraph, openGraph } from '../../workers/graph/graph.gremlin.testbed.ts';
import { forgetAll, openRedis, redisKinds } from '../services/redis-clients.ts';
import { sharedGremlin } from '../services/shared.ts';
import { createFollowWorld } from './follow-world.ts';
import { playRepairs, seed } from './repair-rounds.ts';

/** The same as repair.test.ts on Redis and Gremlin. */
const rounds = Number(process.env['ROUNDS'] ?? 8);

for (const kind of redisKinds) {
  test(`[FEED-11] repair beside writers on ${kind.name} and Gremlin (SEED=${seed})`, async (t) => {
    const url = await sharedGremlin();
    await emptyGraph(url);
    const client = openRedis(await kind.options());
    await forgetAll(client.redis);
    const world = await createFollowWorld({
      openGraph: (clock) => openGraph(url, { traversalSource: 'g', sweepIntervalMs: 100 }, clock),
      openSets: () => createRedisRankedSets(client),
    });
    const { mended } = await playRepairs(world, rounds);
    t.diagnostic(`${mended} members mended in ${rounds} rounds`);
    assert.ok(mended > rounds);
    await client.close();
  });
}
