import { setTimeout as delay } from 'node:timers/promises';
import { forgetAll, openRedis, redisKinds } from '../../test/services/redis-clients.ts';
import { pagesConformance } from './pages.conformance.ts';
import { createRedisPages } from './pages.redis.ts';

for (const { name, options } of redisKinds) {
  pagesConformance(name, {
    async open() {
      let client = openRedis(await options());
      await forgetAll(client.redis);
      return {
        pages: createRedisPages(client),
        pass: (ms) => delay(ms),
        async reopen() {
          await client.close();
          client = openRedis(await options());
          return createRedisPages(client);
        },
        close: () => client.close(),
      };
    },
  });
}
