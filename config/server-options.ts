import { z } from 'zod';
import { count, dayMs, flag, list, ms, type OptionSpec, text } from './option-schemas.ts';

const password = z.string().min(1, 'it is empty');
const hosts = list.pipe(
  z
    .array(z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:/]+):\d{1,5}$/, 'each must be host:port'))
    .min(1, 'it names no host'),
);
const addressOf = (...schemes: string[]) =>
  z
    .string()
    .regex(new RegExp(`^(${schemes.join('|')})://`), `it must begin with ${schemes.join(':// or ')}://`);

/** Files of TLS to one server. */
const tlsOptions = (server: string) => ({
  CaFile: { schema: text.optional(), about: `CA of ${server}'s certificate (PEM file); given: TLS.` },
  CertFile: { schema: text.optional(), about: `Client certificate for ${server} (PEM file).` },
  KeyFile: { schema: text.optional(), about: `Key of the client certificate for ${server} (PEM file).` },
  ServerName: { schema: text.optional(), about: `Name that ${server}'s certificate must carry.` },
});
const redisTls = tlsOptions('Redis');
const kafkaTls = tlsOptions('Kafka');
const gremlinTls = tlsOptions('the Gremlin server');
const cassandraTls = tlsOptions('Cassandra');

/**
 * Options of the real servers. One that is not named is embedded: Redis stands for the bus, sorted sets,
 * pages and small values; Kafka for the log; Gremlin for the graph; Cassandra for the archive.
 */
export const serverOptionTable = {
  redisUrl: {
    schema: addressOf('redis', 'rediss').optional(),
    about: 'Redis, one server: redis://host:port/db or rediss:// (TLS).',
  },
  redisSentinels: {
    schema: hosts.optional(),
    about: 'Redis behind Sentinels: host:port, separated by commas.',
  },
  redisSentinelMaster: { schema: text.optional(), about: 'Name of the master that the Sentinels watch.' },
  redisCluster: { schema: hosts.optional(), about: 'Redis Cluster: some of its nodes, host:port.' },
  redisUser: { schema: text.optional(), about: 'User of Redis (ACL).' },
  redisPassword: { schema: password.optional(), about: 'Password of Redis.', secret: true },
  redisSentinelPassword: { schema: password.optional(), about: 'Password of the Sentinels.', secret: true },
  redisTls: { schema: flag.default(false), about: 'TLS with the CAs that Node knows (true or false).' },
  redisCaFile: redisTls.CaFile,
  redisCertFile: redisTls.CertFile,
  redisKeyFile: redisTls.KeyFile,
  redisServerName: redisTls.ServerName,

  kafkaBrokers: { schema: hosts.optional(), about: 'Kafka: some of its brokers, host:port.' },
  kafkaTopicPrefix: {
    schema: z.string().default(''),
    about: 'Put before the names of all topics and groups.',
  },
  kafkaReplication: { schema: count(15, 3), about: 'Copies of each topic that is created.' },
  kafkaMinInsync: { schema: count(15, 2), about: 'Copies that must have a record before it counts.' },
  kafkaTls: { schema: flag.default(false), about: 'TLS with the CAs that Node knows (true or false).' },
  kafkaSaslMechanism: {
    schema: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
    about: 'How the user of Kafka is proved.',
  },
  kafkaUser: { schema: text.optional(), about: 'User of Kafka.' },
  kafkaPassword: { schema: password.optional(), about: 'Password of Kafka.', secret: true },
  kafkaCaFile: kafkaTls.CaFile,
  kafkaCertFile: kafkaTls.CertFile,
  kafkaKeyFile: kafkaTls.KeyFile,
  kafkaServerName: kafkaTls.ServerName,

  gremlinUrl: {
    schema: addressOf('ws', 'wss').optional(),
    about: 'The Gremlin server: ws://host:port/gremlin or wss:// (TLS; Neptune).',
  },
  gremlinAwsRegion: { schema: text.optional(), about: 'Region of Neptune: requests are signed (SigV4).' },
  gremlinEdgeIds: {
    schema: z.enum(['given', 'key']).default('given'),
    about: 'Edges by their id, or by an indexed property `key` where ids cannot be given.',
  },
  gremlinUser: { schema: text.optional(), about: 'User of the Gremlin server.' },
  gremlinPassword: { schema: password.optional(), about: 'Password of the Gremlin server.', secret: true },
  gremlinCaFile: gremlinTls.CaFile,
  gremlinCertFile: gremlinTls.CertFile,
  gremlinKeyFile: gremlinTls.KeyFile,
  gremlinServerName: gremlinTls.ServerName,

  cassandraContactPoints: { schema: hosts.optional(), about: 'Cassandra: some of its nodes, host:port.' },
  cassandraDataCenter: { schema: text.default('datacenter1'), about: 'The data center nearest to here.' },
  cassandraKeyspace: { schema: text.default('rankcast'), about: 'Keyspace of the archive.' },
  cassandraCreateSchema: {
    schema: flag.default(true),
    about: 'Make keyspace and tables where they are missing; false: an operator does, by schema.cql.',
  },
  cassandraReplication: {
    schema: z
      .union([z.string(), z.number().transform(String)])
      .pipe(z.string().regex(/^([1-9]\d?|[^:,\s]+:\d+(,[^:,\s]+:\d+)*)$/, 'it is neither 3 nor dc1:3,dc2:3'))
      .default('3'),
    about: 'Copies of a keyspace that is created: 3, or dc1:3,dc2:3.',
  },
  cassandraKeepMs: {
    schema: ms(3_650 * dayMs, 0),
    about: 'Archived versions that are not final are gone after this; 0: never.',
  },
  cassandraTls: { schema: flag.default(false), about: 'TLS with the CAs that Node knows (true or false).' },
  cassandraUser: { schema: text.optional(), about: 'User of Cassandra.' },
  cassandraPassword: { schema: password.optional(), about: 'Password of Cassandra.', secret: true },
  cassandraCaFile: cassandraTls.CaFile,
  cassandraCertFile: cassandraTls.CertFile,
  cassandraKeyFile: cassandraTls.KeyFile,
  cassandraServerName: cassandraTls.ServerName,
} as const satisfies Record<string, OptionSpec>;

/** What must hold between the options of the servers. */
export function serverFaults(
  options: {
    [Name in keyof typeof serverOptionTable]: z.output<(typeof serverOptionTable)[Name]['schema']>;
  },
): string[] {
  const faults: string[] = [];
  const { redisUrl, redisSentinels, redisSentinelMaster, redisCluster } = options;
  if ([redisUrl, redisSentinels, redisCluster].filter((way) => way !== undefined).length > 1) {
    faults.push('--redis-url, --redis-sentinels and --redis-cluster exclude one another: give one');
  }
  if ((redisSentinels === undefined) !== (redisSentinelMaster === undefined)) {
    faults.push('--redis-sentinels and --redis-sentinel-master belong together');
  }
  for (const [flag, address] of [
    ['--redis-url', redisUrl],
    ['--gremlin-url', options.gremlinUrl],
  ]) {
    if (address !== undefined && /:\/\/[^/]*@/.test(address)) {
      faults.push(`${flag} carries credentials, which logs would show: give user and password apart`);
    }
  }
  if ((options.kafkaSaslMechanism === undefined) !== (options.kafkaPassword === undefined)) {
    faults.push('--kafka-sasl-mechanism and --kafka-password (with --kafka-user) belong together');
  }
  if ((options.kafkaUser === undefined) !== (options.kafkaPassword === undefined)) {
    faults.push('--kafka-user and --kafka-password belong together');
  }
  if (options.kafkaMinInsync > options.kafkaReplication) {
    faults.push('--kafka-min-insync is more than --kafka-replication: nothing could ever be acknowledged');
  }
  if ((options.gremlinUser === undefined) !== (options.gremlinPassword === undefined)) {
    faults.push('--gremlin-user and --gremlin-password belong together');
  }
  if (options.gremlinAwsRegion !== undefined && options.gremlinUser !== undefined) {
    faults.push('--gremlin-aws-region (signed requests) and --gremlin-user exclude one another');
  }
  if ((options.cassandraUser === undefined) !== (options.cassandraPassword === undefined)) {
    faults.push('--cassandra-user and --cassandra-password belong together');
  }
  return faults;
}
