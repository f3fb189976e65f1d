/**
 * The servers that many test files share: those that `npm run test:live` started and named in the
 * environment, or else one started for this file. Tests on them use names (topics, keyspaces, ids) of their
 * own.
 */
import { startCassandra } from './cassandra.ts';
import { startGremlin } from './gremlin.ts';
import { startKafka } from './kafka.ts';
import { startRedis } from './redis.ts';

/** Where the runner says the address. */
export const sharedNames = {
  redis: 'RANKCAST_TEST_REDIS',
  kafka: 'RANKCAST_TEST_KAFKA',
  cassandra: 'RANKCAST_TEST_CASSANDRA',
  gremlin: 'RANKCAST_TEST_GREMLIN',
} as const;
export type SharedService = keyof typeof sharedNames;

interface Shared {
  address: string;
  stop(): Promise<void>;
}

/** Starts one as the tests share it. Its address is a URL for Redis and Gremlin, else `host:port`. */
export const startShared: Record<SharedService, () => Promise<Shared>> = {
  redis: async () => {
    const server = await startRedis();
    return { address: server.url, stop: server.stop };
  },
  kafka: startKafka,
  cassandra: () => startCassandra({ killable: false }),
  gremlin: async () => {
    const server = await startGremlin();
    return { address: server.url, stop: server.stop };
  },
};

const own = new Map<SharedService, Promise<Shared>>();

async function shared(service: SharedService): Promise<string> {
  const said = process.env[sharedNames[service]];
  if (said !== undefined && said !== '') return said;
  let started = own.get(service);
  if (started === undefined) {
    started = startShared[service]();
    own.set(service, started);
  }
  return (await started).address;
}

/** `redis://127.0.0.1:<port>`. */
export const sharedRedis = () => shared('redis');
/** `127.0.0.1:<port>`. */
export const sharedKafka = () => shared('kafka');
/** `127.0.0.1:<port>`; the data centre is `datacenter1`. */
export const sharedCassandra = () => shared('cassandra');
/** `ws://127.0.0.1:<port>/gremlin`. */
export const sharedGremlin = () => shared('gremlin');
