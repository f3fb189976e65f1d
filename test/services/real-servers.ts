import { randomBytes } from 'node:crypto';
import { type GremlinServer, startGremlin } from './gremlin.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { sharedCassandra, sharedKafka } from './shared.ts';

/** One of each real server for a journey of its own, and where they are as the product is told. */
export interface RealServers {
  redis: RedisServer;
  gremlin: GremlinServer;
  kafkaBrokers: string;
  kafkaTopicPrefix: string;
  cassandraContactPoint: string;
  cassandraKeyspace: string;
  /** `RANKCAST_...` of all of it. */
  environment: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/** Redis and Gremlin are fresh; of Kafka and Cassandra a prefix and a keyspace that nobody has used. */
export async function openRealServers(): Promise<RealServers> {
  const [redis, gremlin, kafkaBrokers, cassandraContactPoint] = await Promise.all([
    startRedis(),
    startGremlin(),
    sharedKafka(),
    sharedCassandra(),
  ]);
  const unique = randomBytes(4).toString('hex');
  const kafkaTopicPrefix = `t${unique}-`;
  const cassandraKeyspace = `t${unique}`;
  return {
    redis,
    gremlin,
    kafkaBrokers,
    kafkaTopicPrefix,
    cassandraContactPoint,
    cassandraKeyspace,
    environment: {
      RANKCAST_REDIS_URL: redis.url,
      RANKCAST_KAFKA_BROKERS: kafkaBrokers,
      RANKCAST_KAFKA_TOPIC_PREFIX: kafkaTopicPrefix,
      RANKCAST_KAFKA_REPLICATION: '1',
      RANKCAST_KAFKA_MIN_INSYNC: '1',
      RANKCAST_GREMLIN_URL: gremlin.url,
      RANKCAST_CASSANDRA_CONTACT_POINTS: cassandraContactPoint,
      RANKCAST_CASSANDRA_KEYSPACE: cassandraKeyspace,
      RANKCAST_CASSANDRA_REPLICATION: '1',
    },
    async close() {
      await Promise.all([redis.stop(), gremlin.stop()]);
    },
  };
}
