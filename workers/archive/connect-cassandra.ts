import { readFileSync } from 'node:fs';
import cassandra, { type Client } from 'cassandra-driver';
import type { Logger } from 'pino';
import type { Clock } from '../../channels/clock.ts';
import { connectionFault } from '../../channels/dependency/connection-fault.ts';
import type { Dependency } from '../../channels/dependency/dependency.ts';
import { readTls, type TlsMaterial } from '../../channels/dependency/tls-files.ts';
import { ServiceError } from '../../proto/codes.ts';
import { type CassandraArchiveOptions, replicationOf } from './cassandra-options.ts';

/**
 * The way to Cassandra: connects in the background and goes on trying, so that a process starts and works
 * while Cassandra is away; makes the tables where they are missing.
 */
export interface CassandraConnection {
  /**
   * The client, once connected and with its tables there. While the first try, or one after a failure, is
   * under way this waits for it; between tries it rejects at once with a sentence.
   */
  client(): Promise<Client>;
  /** A table is not there any more: makes it again, as at the start. */
  tablesGone(): void;
  close(): Promise<void>;
}

export interface CassandraConnectionParts {
  clock: Clock;
  logger: Logger;
  dependency: Dependency;
  options: CassandraArchiveOptions;
}

const reconnectFirstMs = 250;
const lookMs = 1_000;
/** Schema changes wait for all nodes to have heard of them. */
const schemaTimeoutMs = 30_000;
const schemaFile = new URL('./schema.cql', import.meta.url);
const tableNames = ['versions', 'pages'];

export function connectCassandra(parts: CassandraConnectionParts): CassandraConnection {
  const { clock, logger, dependency, options } = parts;
  const tls = readTls(options);
  let closed = false;
  let failures = 0;
  let cancelNext = (): void => undefined;
  let current = connect();
  let remaking = false;
  let tablesMissing = false;

  function connect(): Promise<Client> {
    const connecting = connectOnce(parts, tls);
    connecting.then(
      (client) => {
        failures = 0;
        if (!closed) watch(client);
      },
      (error: unknown) => {
        if (closed) return;
        dependency.lost(error);
        const wait = Math.min(options.reconnectLongestMs, reconnectFirstMs * 2 ** Math.min(failures, 10));
        failures += 1;
        cancelNext = clock.after(wait, () => {
          current = connect();
        });
      },
    );
    return connecting;
  }

  /** The driver's events come late or not at all (a node that stood still), so it is looked at as well. */
  function watch(client: Client): void {
    const look = (): void => {
      const near = client.hosts.values().filter((host) => host.datacenter === options.localDataCenter);
      if (!near.some((host) => host.isUp())) {
        dependency.lost(new ServiceError(`cassandra: no node of ${options.localDataCenter} is up.`, true));
      } else if (tablesMissing) remakeTables();
      else dependency.connected();
    };
    const lookAgain = (): void => {
      look();
      cancelNext = clock.after(lookMs, lookAgain);
    };
    client.on('hostDown', look);
    client.on('hostRemove', endHost);
    lookAgain();
  }

  /** Where they are to be made by hand: looks whether they have been. */
  function remakeTables(): void {
    if (remaking || closed) return;
    remaking = true;
    tablesMissing = true;
    const made = current.then((client) => makeTables(client, options, logger));
    const known = made.then(() => {
      tablesMissing = false;
      dependency.connected();
    });
    known.catch(dependency.lost).finally(() => {
      remaking = false;
    });
  }

  return {
    client: () => current,
    tablesGone: remakeTables,
    async close() {
      closed = true;
      cancelNext();
      const client = await current.catch(() => null);
      await client?.shutdown().catch((error: unknown) => {
        logger.debug({ fault: connectionFault('cassandra', error) }, 'Cassandra was left with a fault');
      });
    },
  };
}

async function connectOnce(parts: CassandraConnectionParts, tls: TlsMaterial | undefined): Promise<Client> {
  const { logger, options } = parts;
  const client = newClient(options, tls);
  client.on('log', (level: string, part: string, message: string, more?: unknown) =>
    passOn(logger, level, part, message, more),
  );
  try {
    await client.connect();
    await makeTables(client, options, logger);
    return client;
  } catch (error) {
    await client.shutdown().catch(() => undefined);
    throw error;
  }
}

function newClient(options: CassandraArchiveOptions, tls: TlsMaterial | undefined): Client {
  const { user, password, reconnectLongestMs } = options;
  const { local, remote } = cassandra.types.distance;
  const { ExponentialReconnectionPolicy } = cassandra.policies.reconnection;
  return new cassandra.Client({
    contactPoints: [...options.contactPoints],
    localDataCenter: options.localDataCenter,
    applicationName: 'rankcast',
    monitorReporting: { enabled: false },
    ...(user === undefined || password === undefined ? {} : { credentials: { username: user, password } }),
    // The driver takes any certificate unless told not to.
    ...(tls === undefined && !options.tls ? {} : { sslOptions: { ...tls, rejectUnauthorized: true } }),
    policies: { reconnection: new ExponentialReconnectionPolicy(reconnectFirstMs, reconnectLongestMs, true) },
    pooling: {
      coreConnectionsPerHost: { [local]: options.connectionsPerHost, [remote]: 1 },
      heartBeatInterval: options.heartbeatMs,
    },
    socketOptions: { connectTimeout: options.connectTimeoutMs, readTimeout: options.readTimeoutMs },
    // Everything written is absolute, so all may be repeated.
    queryOptions: {
      consistency: consistencyOf(options),
      isIdempotent: true,
    },
  });
}

function consistencyOf({ consistency }: CassandraArchiveOptions): number {
  const { consistencies } = cassandra.types;
  const byName = {
    LOCAL_QUORUM: consistencies.localQuorum,
    QUORUM: consistencies.quorum,
    EACH_QUORUM: consistencies.eachQuorum,
    LOCAL_ONE: consistencies.localOne,
    ONE: consistencies.one,
    TWO: consistencies.two,
    THREE: consistencies.three,
    ALL: consistencies.all,
  };
  return byName[consistency];
}

/** The driver's log, for debugging: that no node is up is said once, by the dependency. */
function passOn(logger: Logger, level: string, part: string, message: string, more: unknown): void {
  if (level === 'verbose') return;
  const fault = more instanceof Error ? { fault: connectionFault('cassandra', more) } : {};
  logger.debug({ driver: part, level, ...fault }, `Cassandra's driver: ${message}`);
}

/**
 * Makes what is missing. Processes that start at once do the same on the same node, which takes changes of
 * the schema one after another: made on two nodes at once, a table could come to be twice under one name.
 */
async function makeTables(client: Client, options: CassandraArchiveOptions, logger: Logger): Promise<void> {
  const { keyspace, createSchema } = options;
  const there = await tablesOf(client, keyspace);
  const missing = tableNames.filter((name) => !there.has(name));
  if (missing.length === 0) return;
  if (!createSchema) {
    const what = missing.map((name) => `${keyspace}.${name}`).join(' and ');
    throw new ServiceError(`cassandra: there is no ${what}: make it by schema.cql, or let it be made`, true);
  }
  if (!(await hasKeyspace(client, keyspace))) {
    if (options.replication === '1' && client.hosts.length > 1) {
      logger.warn({ keyspace }, 'the keyspace is made with one copy of everything: see `replication`');
    }
    await change(
      client,
      `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${replicationOf(options.replication)}`,
    );
  }
  for (const statement of tableStatements(keyspace)) await change(client, statement);
  logger.info({ keyspace, tables: missing }, 'tables of the archive made');
}

/**
 * When all nodes were away the driver replaces its objects of them, and those replaced go on connecting for
 * ever, also after its shutdown: they are ended here. Its types do not know of that.
 */
function endHost(host: { shutdown?: (waitForPending: boolean) => Promise<void> }): void {
  host.shutdown?.(false).catch(() => undefined);
}

async function change(client: Client, statement: string): Promise<void> {
  const up = client.hosts.values().filter((host) => host.isUp());
  const [host] = up.sort((a, b) => (a.hostId.toString() < b.hostId.toString() ? -1 : 1));
  const { info } = await client.execute(statement, [], {
    readTimeout: schemaTimeoutMs,
    ...(host === undefined ? {} : { host }),
  });
  // The driver's types leave it out.
  if ('isSchemaInAgreement' in info && info.isSchemaInAgreement === false) {
    throw new ServiceError('cassandra: its nodes have not agreed on the schema yet', true);
  }
}

async function tablesOf(client: Client, keyspace: string): Promise<Set<unknown>> {
  const query = 'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?';
  const { rows } = await client.execute(query, [keyspace], { prepare: true });
  return new Set(rows.map((row) => row['table_name'] as unknown));
}

async function hasKeyspace(client: Client, keyspace: string): Promise<boolean> {
  const query = 'SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?';
  const { rows } = await client.execute(query, [keyspace], { prepare: true });
  return rows.length > 0;
}

/** The statements of `schema.cql`, for a keyspace of any name. */
export function tableStatements(keyspace: string): string[] {
  const text = readFileSync(schemaFile, 'utf8').replace(/--.*$/gm, '');
  const statements = text.split(';').map((statement) => statement.trim());
  return statements
    .filter((statement) => statement !== '')
    .map((statement) => statement.replaceAll('rankcast.', `${keyspace}.`));
}
