/**
 * Our own connections to a Redis of each kind, for the tests of what stands on it: one server, a master
 * behind Sentinels, a cluster of three masters with a replica each. Each kind is started when it is first
 * used, once for a file.
 */
import { Cluster, type Redis } from 'ioredis';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from '../../channels/clock.ts';
import { createDependency, type Dependency } from '../../channels/dependency/dependency.ts';
import { connectRedis, type RedisOptions, redisDefaults } from '../../channels/redis/connect-redis.ts';
import { startRedis } from './redis.ts';
import { startRedisCluster } from './redis-cluster.ts';
import { startRedisSentinel } from './redis-sentinel.ts';

export interface RedisClient {
  readonly redis: Redis | Cluster;
  readonly dependency: Dependency;
  openSubscriber(): Redis | Cluster;
  close(): Promise<void>;
}
export interface RedisKind {
  readonly name: string;
  /** Where it is; starts it. */
  options(): Promise<RedisOptions>;
}

export const redisKinds: readonly RedisKind[] = [
  { name: 'redis', options: once(single) },
  { name: 'redis behind Sentinels', options: once(behindSentinels) },
  { name: 'redis cluster', options: once(cluster) },
];

async function single(): Promise<RedisOptions> {
  return { ...redisDefaults, url: (await startRedis()).url };
}
async function behindSentinels(): Promise<RedisOptions> {
  const { sentinelAddresses, masterName } = await startRedisSentinel();
  return { ...redisDefaults, sentinels: sentinelAddresses.map(toText), sentinelMaster: masterName };
}
async function cluster(): Promise<RedisOptions> {
  const { addresses } = await startRedisCluster({ masters: 3, replicasEach: 1 });
  return { ...redisDefaults, cluster: addresses.map(toText) };
}

export function openRedis(options: RedisOptions): RedisClient {
  const dependency = createDependency({
    name: 'redis',
    clock: systemClock,
    registry: new Registry(),
    logger: pino({ level: 'silent' }),
  });
  const connection = connectRedis({
    options,
    clock: systemClock,
    random: Math.random,
    onConnected: () => dependency.connected(),
    onLost: (error) => dependency.lost(error),
  });
  return { ...connection, dependency };
}

/** Everything goes: what a server without persistence has after a restart. */
export async function forgetAll(redis: Redis | Cluster): Promise<void> {
  // Before that a cluster's client knows only some nodes.
  if (redis.status !== 'ready') await new Promise<void>((resolve) => redis.once('ready', resolve));
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
  await Promise.all(nodes.map((node) => node.flushall()));
}

const toText = ({ host, port }: { host: string; port: number }): string => `${host}:${port}`;

function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => {
    started ??= start();
    return started;
  };
}
