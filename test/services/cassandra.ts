/** Cassandra, one node. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import cassandra, { type ClientOptions } from 'cassandra-driver';
import { parse, stringify } from 'yaml';
import { keyStore, type ServerTls, storePassword, trustStore } from './certificates.ts';
import { install } from './install.ts';
import { javaCommand } from './java.ts';
import { kitDir, temporaryFolder } from './places.ts';
import { freePorts, host } from './ports.ts';
import { createServerProcess, type ServerNode, withFreshPorts } from './server-process.ts';

export interface CassandraStartOptions {
  port?: number;
  /** Data from an earlier run; none: a temporary folder. */
  folder?: string;
  tls?: ServerTls;
  /** Clients must show these; a superuser. Cassandra's own `cassandra` user cannot log in then. */
  auth?: { user: string; password: string };
  /**
   * What was acknowledged outlives `kill()`, schema and rows: system tables are flushed, and a write waits
   * for the commit log. False makes changes of the schema ten times faster. Default true.
   */
  killable?: boolean;
}

export interface CassandraServer extends ServerNode {
  readonly datacenter: string;
  /** What cassandra-driver needs to connect as the kit does. */
  readonly clientOptions: ClientOptions;
}

const datacenter = 'datacenter1';
const heapMiB = 384;
/** As which the first role is made. */
const firstUser = { user: 'cassandra', password: 'cassandra' };

export function startCassandra(options: CassandraStartOptions = {}): Promise<CassandraServer> {
  return withFreshPorts(options.port !== undefined, async () => {
    await install(['cassandra']);
    const [free = 0, storage = 0] = await freePorts(2);
    const port = options.port ?? free;
    const folder = options.folder ?? temporaryFolder('cassandra');
    const storagePort = options.port === undefined ? storage : port + 1;
    configure(folder, port, storagePort, options);
    const clientOptions = clientOptionsOf(port, options);
    const node = createNode(folder, port, clientOptions, options);
    await node.start();
    return Object.assign(node, { datacenter, clientOptions });
  });
}

function createNode(
  folder: string,
  port: number,
  clientOptions: ClientOptions,
  options: CassandraStartOptions,
): ServerNode {
  const flags = [`@${join(kitDir, 'cassandra/jvm.args')}`, '-Dcassandra.storagedir=data'];
  if (options.killable === false) flags.push('-Dcassandra.unsafesystem=true');
  return createServerProcess({
    name: `cassandra ${port}`,
    port,
    folder,
    command: javaCommand({
      service: 'cassandra',
      folder,
      before: 'conf',
      heapMiB,
      flags,
      main: 'org.apache.cassandra.service.CassandraDaemon',
    }),
    answers: async () => {
      try {
        await ask(clientOptions, 'SELECT release_version FROM system.local');
      } catch (error) {
        if (options.auth === undefined) throw error;
        await createRole(clientOptions, options.auth);
      }
    },
    pollMs: 200,
    stopTimeoutMs: 20_000,
  });
}

function configure(folder: string, port: number, storagePort: number, options: CassandraStartOptions): void {
  const conf = join(folder, 'conf');
  mkdirSync(conf, { recursive: true });
  copyFileSync(join(kitDir, 'cassandra/logback.xml'), join(conf, 'logback.xml'));
  const base: Record<string, unknown> = parse(readFileSync(join(kitDir, 'cassandra/cassandra.yaml'), 'utf8'));
  const data = join(folder, 'data');
  const settings = {
    ...base,
    storage_port: storagePort,
    native_transport_port: port,
    seed_provider: [
      {
        class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
        parameters: [{ seeds: `${host}:${storagePort}` }],
      },
    ],
    data_file_directories: [join(data, 'data')],
    commitlog_directory: join(data, 'commitlog'),
    hints_directory: join(data, 'hints'),
    saved_caches_directory: join(data, 'saved_caches'),
    ...(options.killable === false
      ? { commitlog_sync: 'periodic', commitlog_sync_period: '10000ms' }
      : { commitlog_sync: 'batch' }),
    ...(options.auth === undefined ? {} : { authenticator: 'PasswordAuthenticator' }),
    ...(options.tls === undefined ? {} : { client_encryption_options: encryption(options.tls, conf) }),
  };
  writeFileSync(join(conf, 'cassandra.yaml'), stringify(settings), { mode: 0o600 });
}

function encryption(tls: ServerTls, conf: string): Record<string, unknown> {
  return {
    enabled: true,
    optional: false,
    keystore: keyStore(tls, tls.caFile, join(conf, 'keystore.p12')),
    keystore_password: storePassword,
    require_client_auth: tls.requireClientCert === true,
    truststore: trustStore(tls.caFile, join(conf, 'truststore.p12')),
    truststore_password: storePassword,
    store_type: 'PKCS12',
  };
}

function clientOptionsOf(port: number, { tls, auth }: CassandraStartOptions): ClientOptions {
  const options: ClientOptions = {
    contactPoints: [`${host}:${port}`],
    localDataCenter: datacenter,
    protocolOptions: { port },
  };
  if (auth !== undefined) options.credentials = { username: auth.user, password: auth.password };
  if (tls !== undefined) {
    options.sslOptions = {
      ca: [readFileSync(tls.caFile)],
      cert: readFileSync(tls.certFile),
      key: readFileSync(tls.keyFile),
      // the kit's own questions get through to a server whose certificate is bad on purpose
      rejectUnauthorized: false,
    };
  }
  return options;
}

async function createRole(clientOptions: ClientOptions, auth: { user: string; password: string }) {
  const first = {
    ...clientOptions,
    credentials: { username: firstUser.user, password: firstUser.password },
  };
  const secret = auth.password.replaceAll("'", "''");
  const role = `"${auth.user.replaceAll('"', '""')}"`;
  const how = `WITH PASSWORD = '${secret}' AND SUPERUSER = true AND LOGIN = true`;
  await ask(first, `CREATE ROLE IF NOT EXISTS ${role} ${how}`);
  if (auth.user === firstUser.user) await ask(first, `ALTER ROLE ${role} ${how}`);
  else await ask(clientOptions, 'ALTER ROLE cassandra WITH SUPERUSER = false AND LOGIN = false');
}

async function ask(options: ClientOptions, query: string): Promise<void> {
  const client = new cassandra.Client(options);
  try {
    await client.connect();
    await client.execute(query);
  } finally {
    await client.shutdown();
  }
}
