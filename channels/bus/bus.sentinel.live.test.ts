import { after, before } from 'node:test';
import { type RedisSentinel, startRedisSentinel } from '../../test/services/redis-sentinel.ts';
import { busConformance } from './bus.conformance.ts';
import { redisHarness } from './redis-bus.conformance.ts';

let set: RedisSentinel;
before(async () => {
  set = await startRedisSentinel();
});
after(() => set?.kill());

busConformance(
  'redis sentinel',
  redisHarness(() => ({
    sentinels: set.sentinelAddresses.map(({ host, port }) => `${host}:${port}`),
    sentinelMaster: set.masterName,
  })),
);
