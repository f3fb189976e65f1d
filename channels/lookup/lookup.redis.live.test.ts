import { setTimeout as delay } from 'node:timers/promises';
import { forgetAll, openRedis, redisKinds } from '../../test/services/redis-clients.ts';
import { lookupConformance } from './lookup.conformance.ts';
import { createRedisLookup } from './lookup.redis.ts';

const valueBytesMax = 10_000;

for (const { name, options } of redisKinds) {
  lookupConformance(name, {
    valueBytesMax,
    async open() {
      let client = openRedis(await options());
      await forgetAll(client.redis);
      return {
        lookup: createRedisLookup({ ...client, options: { valueBytesMax } }),
        pass: (ms) => delay(ms),
        async reopen() {
          await client.close();
          client = openRedis(await options());
          return createRedisLookup({ ...client, options: { valueBytesMax } });
        },
        close: () => client.close(),
      };
    },
  });
}
