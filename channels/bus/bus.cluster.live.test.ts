import { after, before } from 'node:test';
import { type RedisCluster, startRedisCluster } from '../../test/services/redis-cluster.ts';
import { busConformance } from './bus.conformance.ts';
import { redisHarness } from './redis-bus.conformance.ts';

let cluster: RedisCluster;
before(async () => {
  cluster = await startRedisCluster({ masters: 3, replicasEach: 1 });
});
after(() => cluster?.kill());

busConformance(
  'redis cluster',
  redisHarness(() => ({ cluster: cluster.addresses.map(({ host, port }) => `${host}:${port}`) })),
);
