import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Bus } from '../channels/bus/bus.ts';
import type { Clock } from '../channels/clock.ts';
import {
  createDependency,
  type Dependency,
  type DependencyParts,
} from '../channels/dependency/dependency.ts';
import type { Lookup } from '../channels/lookup/lookup.ts';
import type { Pages } from '../channels/pages/pages.ts';
import type { RankedSets } from '../channels/sets/ranked-sets.ts';
import { ServiceError } from '../proto/codes.ts';
import type { Archive } from '../workers/archive/archive.ts';
import type { Graph } from '../workers/graph/graph.ts';
import type { Log } from '../workers/log/log.ts';
import type { Options } from './options.ts';
import { topicsOf } from './topics.ts';

export interface ServerContext {
  options: Options;
  clock: Clock;
  logger: Logger;
  registry: Registry;
}
type States = Record<string, () => string>;

export interface RedisEngines {
  bus(): Promise<Bus>;
  lookup(): Promise<Lookup>;
  sets(): Promise<RankedSets>;
  pages(): Promise<Pages>;
  close(): Promise<void>;
}

/** Without the keys that are not set: modules tell a missing option from one that is there. */
type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };
function defined<T extends object>(options: T): Partial<Defined<T>> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Defined<T>>;
}

function newDependency(
  name: string,
  { clock, logger, registry }: ServerContext,
  states: States,
  own: Pick<Partial<DependencyParts>, 'options' | 'isRetryable' | 'isAnswer'> = {},
): Dependency {
  const parts = { name, clock, logger: logger.child({ part: name }), registry };
  const dependency = createDependency({ ...parts, ...own });
  states[name] = () => dependency.state();
  return dependency;
}

/** Files of TLS to one server, from the options that begin with its name. */
function tlsOf(options: Options, server: 'redis' | 'kafka' | 'gremlin' | 'cassandra') {
  return defined({
    caFile: options[`${server}CaFile`],
    certFile: options[`${server}CertFile`],
    keyFile: options[`${server}KeyFile`],
    serverName: options[`${server}ServerName`],
  });
}

/** Bus, small values, sorted sets and pages over one connection for commands, and some for subscriptions. */
export async function openRedis(context: ServerContext, states: States): Promise<RedisEngines> {
  const { connectRedis, redisDefaults } = await import('../channels/redis/connect-redis.ts');
  const { options, clock, logger, registry } = context;
  const { faultOf } = await import('../channels/bus/faults.redis.ts');
  const dependency = newDependency('redis', context, states, {
    isRetryable: (error) => (error instanceof ServiceError ? error.retryable : faultOf(error) !== 'final'),
    isAnswer: (error) => ['full', 'final'].includes(faultOf(error)),
  });
  const connection = connectRedis({
    options: {
      ...redisDefaults,
      ...tlsOf(options, 'redis'),
      ...defined({
        url: options.redisUrl,
        sentinels: options.redisSentinels,
        sentinelMaster: options.redisSentinelMaster,
        cluster: options.redisCluster,
        user: options.redisUser,
        password: options.redisPassword,
        sentinelPassword: options.redisSentinelPassword,
      }),
      tls: options.redisTls,
    },
    clock,
    random: Math.random,
    onConnected: dependency.connected,
    onLost: dependency.lost,
  });
  const { redis } = connection;
  return {
    async bus() {
      const { createRedisBus } = await import('../channels/bus/bus.redis.ts');
      const onError = (error: unknown) => logger.error({ err: error }, 'A callback of the bus failed.');
      const own = logger.child({ part: 'bus' });
      return createRedisBus({ redis, clock, logger: own, registry, dependency, onError });
    },
    async lookup() {
      const { createRedisLookup } = await import('../channels/lookup/lookup.redis.ts');
      return createRedisLookup({ redis, dependency });
    },
    async sets() {
      const { createRedisRankedSets } = await import('../channels/sets/ranked-sets.redis.ts');
      return createRedisRankedSets({ redis, dependency });
    },
    async pages() {
      const { createRedisPages } = await import('../channels/pages/pages.redis.ts');
      return createRedisPages({ redis, dependency });
    },
    close: () => connection.close(),
  };
}

export async function openKafka(context: ServerContext, states: States): Promise<Log> {
  const { createKafkaLog } = await import('../workers/log/log.kafka.ts');
  const { kafkaLogDefaults } = await import('../workers/log/options.kafka.ts');
  const { options, clock, logger } = context;
  // an append is tried over a broker's restart
  const callTimeoutMs = kafkaLogDefaults.appendTimeoutMs + 5_000;
  return await createKafkaLog({
    clock,
    logger: logger.child({ part: 'kafka' }),
    topics: topicsOf(options),
    onError: (error: unknown) => logger.error({ err: error }, 'The log failed in the background.'),
    dependency: newDependency('kafka', context, states, { options: { callTimeoutMs } }),
    options: {
      ...kafkaLogDefaults,
      ...tlsOf(options, 'kafka'),
      brokers: options.kafkaBrokers ?? [],
      ...defined({
        saslMechanism: options.kafkaSaslMechanism,
        user: options.kafkaUser,
        password: options.kafkaPassword,
      }),
      tls: options.kafkaTls,
      topicPrefix: options.kafkaTopicPrefix,
      replication: options.kafkaReplication,
      minInsync: options.kafkaMinInsync,
    },
  });
}

export async function openGremlin(context: ServerContext, states: States): Promise<Graph> {
  const { createGremlinGraph } = await import('../workers/graph/graph.gremlin.ts');
  const { options, clock, logger, registry } = context;
  const graph = createGremlinGraph({
    clock,
    logger: logger.child({ part: 'gremlin' }),
    registry,
    onError: (error: unknown) => logger.error({ err: error }, 'The graph failed in the background.'),
    options: {
      ...tlsOf(options, 'gremlin'),
      url: options.gremlinUrl ?? '',
      ...defined({
        awsRegion: options.gremlinAwsRegion,
        user: options.gremlinUser,
        password: options.gremlinPassword,
      }),
      edgeIds: options.gremlinEdgeIds,
    },
  });
  states['gremlin'] = () => graph.state();
  return graph;
}

export async function openCassandra(context: ServerContext, states: States): Promise<Archive> {
  const { createCassandraArchive } = await import('../workers/archive/archive.cassandra.ts');
  const { cassandraArchiveDefaults } = await import('../workers/archive/cassandra-options.ts');
  const { options, clock, logger, registry } = context;
  return createCassandraArchive({
    clock,
    logger: logger.child({ part: 'cassandra' }),
    registry,
    dependency: newDependency('cassandra', context, states),
    options: {
      ...cassandraArchiveDefaults,
      ...tlsOf(options, 'cassandra'),
      ...defined({
        contactPoints: options.cassandraContactPoints,
        user: options.cassandraUser,
        password: options.cassandraPassword,
      }),
      localDataCenter: options.cassandraDataCenter,
      keyspace: options.cassandraKeyspace,
      createSchema: options.cassandraCreateSchema,
      replication: options.cassandraReplication,
      intervalKeepMs: options.cassandraKeepMs,
      tls: options.cassandraTls,
    },
  });
}
