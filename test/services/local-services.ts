/** One of each server on fixed ports with data that is kept: what development runs against. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startCassandra } from './cassandra.ts';
import { startGremlin } from './gremlin.ts';
import { install, type Service, services } from './install.ts';
import { startKafka } from './kafka.ts';
import { servicesDir } from './places.ts';
import { startRedis } from './redis.ts';

export type LocalPorts = Record<Service, number>;

/** Each server's usual port with 17 before its last three digits. The two above it must be free too. */
export const localPorts: LocalPorts = { redis: 17_379, kafka: 17_092, cassandra: 17_042, gremlin: 17_182 };

export interface LocalServer {
  name: Service;
  pid: number | undefined;
  address: string;
  /** Where its log is. */
  log: string;
}

export interface LocalServices {
  servers: LocalServer[];
  /** Stops those that run, each in order. */
  stop(): Promise<void>;
  /** Kills them: what was not written is lost. */
  kill(): Promise<void>;
}

const dataDir = join(servicesDir, 'data');
const folderOf = (name: Service) => join(dataDir, name);

/** The option of `rankcast` that takes a server's address, as it stands in the environment. */
export const addressVariables: Record<Service, string> = {
  redis: 'RANKCAST_REDIS_URL',
  kafka: 'RANKCAST_KAFKA_BROKERS',
  cassandra: 'RANKCAST_CASSANDRA_CONTACT_POINTS',
  gremlin: 'RANKCAST_GREMLIN_URL',
};

interface Started {
  pid: number | undefined;
  address: string;
  log: string;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const starters: Record<Service, (port: number, folder: string) => Promise<Started>> = {
  redis: async (port, folder) => {
    const server = await startRedis({ port, folder, appendonly: true });
    return seenAs(server, server.url);
  },
  kafka: async (port, folder) => {
    const server = await startKafka({ port, folder });
    const [node] = server.nodes;
    if (node === undefined) throw new Error('no broker');
    return seenAs(node, server.address);
  },
  cassandra: async (port, folder) => {
    const server = await startCassandra({ port, folder });
    return seenAs(server, server.address);
  },
  gremlin: async (port, folder) => {
    const server = await startGremlin({ port, folder });
    return seenAs(server, server.url);
  },
};

type Node = Pick<Started, 'pid' | 'stop' | 'kill'> & { folder: string };

function seenAs(node: Node, address: string): Started {
  const { pid, stop, kill, folder } = node;
  return { pid, stop, kill, address, log: join(folder, 'log') };
}

export interface LocalOptions {
  /** Which; default all. */
  names?: readonly Service[];
  ports?: LocalPorts;
  /** Throws away the data of earlier runs. */
  fresh?: boolean;
}

/** Installs what is missing and starts the servers. When one does not start, none is left. */
export async function startLocalServices(options: LocalOptions = {}): Promise<LocalServices> {
  const { names = services, ports = localPorts, fresh = false } = options;
  await install(names);
  if (fresh) for (const name of names) rmSync(folderOf(name), { recursive: true, force: true });
  const started = new Map<Service, Started>();
  const results = await Promise.allSettled(
    names.map(async (name) => {
      started.set(name, await starters[name](ports[name], folderOf(name)));
    }),
  );
  const all = (act: (one: Started) => Promise<void>) => async () => {
    await Promise.all([...started.values()].map(act));
  };
  const stop = all((one) => one.stop());
  for (const result of results) {
    if (result.status !== 'rejected') continue;
    await stop();
    throw result.reason;
  }
  const servers = names.flatMap((name) => {
    const one = started.get(name);
    return one === undefined ? [] : [{ name, pid: one.pid, address: one.address, log: one.log }];
  });
  return { servers, stop, kill: all((one) => one.kill()) };
}
