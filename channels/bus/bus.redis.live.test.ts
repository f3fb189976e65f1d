import { after, before } from 'node:test';
import { type RedisServer, startRedis } from '../../test/services/redis.ts';
import { busConformance } from './bus.conformance.ts';
import { redisHarness } from './redis-bus.conformance.ts';

let server: RedisServer;
before(async () => {
  server = await startRedis();
});
after(() => server?.kill());

busConformance(
  'redis',
  redisHarness(() => ({ url: server.url })),
);
