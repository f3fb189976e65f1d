import { forgetAll, openRedis, redisKinds } from '../../test/services/redis-clients.ts';
import { rankedSetsConformance } from './ranked-sets.conformance.ts';
import { createRedisRankedSets } from './ranked-sets.redis.ts';

for (const { name, options } of redisKinds) {
  rankedSetsConformance(name, {
    async open() {
      let client = openRedis(await options());
      await forgetAll(client.redis);
      const sets = createRedisRankedSets(client);
      await sets.markNew();
      return {
        sets,
        async reopen() {
          await client.close();
          client = openRedis(await options());
          return createRedisRankedSets(client);
        },
        lose: () => forgetAll(client.redis),
        close: () => client.close(),
      };
    },
  });
}
