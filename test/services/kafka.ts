/** Kafka in KRaft mode: each process is a broker and a controller. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import kafkajs, { type KafkaConfig } from 'kafkajs';
import { copyTls, keyAndCertificate, type ServerTls } from './certificates.ts';
import { install } from './install.ts';
import { javaCommand } from './java.ts';
import { kitDir, temporaryFolder } from './places.ts';
import { freePort, freePorts, host } from './ports.ts';
import { createServerProcess, eachNode, type ServerNode, withFreshPorts } from './server-process.ts';

export interface KafkaStartOptions {
  /** Three: topics are replicated to all, and writes with acks=all want two. Default 1. */
  brokers?: number;
  /** Of the first broker. */
  port?: number;
  /** Data from an earlier run; none: a temporary folder. */
  folder?: string;
  tls?: ServerTls;
  /** Clients must show these, by SASL PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Neither holds `,` or `]`. */
  sasl?: { user: string; password: string };
  /** More of server.properties. */
  config?: Readonly<Record<string, string | number>>;
}

export interface KafkaServer {
  /** `host:port` of each. */
  readonly brokers: string[];
  /** The same with commas between. */
  readonly address: string;
  readonly nodes: readonly ServerNode[];
  /** What kafkajs needs to connect as the kit does; the user's mechanism is SCRAM-SHA-256. */
  readonly clientOptions: KafkaConfig;
  /** The node that leads a partition. */
  leaderOf(topic: string, partition: number): Promise<ServerNode>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Any 16 bytes do; one value lets kept data be used again. */
const clusterId = 'cmFua2Nhc3QtdGVzdC0xMg';
const heapMiB = 384;
const run = promisify(execFile);

export function startKafka(options: KafkaStartOptions = {}): Promise<KafkaServer> {
  return withFreshPorts(options.port !== undefined, async () => {
    await install(['kafka']);
    const layout = await lay(options);
    await Promise.all(layout.brokers.map((broker) => prepare(broker, layout, options)));
    const clientOptions = clientOptionsOf(layout, options);
    const nodes = layout.brokers.map((broker) => createBroker(broker, clientOptions));
    const server: KafkaServer = {
      brokers: nodes.map(({ address }) => address),
      address: nodes.map(({ address }) => address).join(','),
      nodes,
      clientOptions,
      leaderOf: (topic, partition) => leaderOf(nodes, clientOptions, topic, partition),
      kill: () => eachNode(nodes, (node) => node.kill()),
      stop: () => eachNode(nodes, (node) => node.stop()),
      start: () => eachNode(nodes, (node) => node.start()),
    };
    try {
      await server.start();
      await untilAllAreIn(nodes, clientOptions);
    } catch (error) {
      await server.kill();
      throw error;
    }
    return server;
  });
}

interface Broker {
  id: number;
  port: number;
  innerPort: number;
  controllerPort: number;
  folder: string;
}

interface Layout {
  brokers: Broker[];
}

async function lay(options: KafkaStartOptions): Promise<Layout> {
  const folder = options.folder ?? temporaryFolder('kafka');
  const brokers: Broker[] = [];
  for (let id = 1; id <= (options.brokers ?? 1); id += 1) {
    const port = id === 1 && options.port !== undefined ? options.port : await freePort();
    // kept data names the controllers by their ports
    const fixed = options.port !== undefined && (options.brokers ?? 1) === 1;
    const [innerPort = 0, controllerPort = 0] = fixed ? [port + 1, port + 2] : await freePorts(2);
    brokers.push({ id, port, innerPort, controllerPort, folder: join(folder, String(id)) });
  }
  return { brokers };
}

/** Writes server.properties and formats the data folder of a new broker. */
async function prepare(broker: Broker, layout: Layout, options: KafkaStartOptions): Promise<void> {
  mkdirSync(broker.folder, { recursive: true });
  const properties = { ...propertiesOf(broker, layout, options), ...options.config };
  const text = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`);
  const file = join(broker.folder, 'server.properties');
  writeFileSync(file, text.join(''), { mode: 0o600 });
  if (existsSync(join(broker.folder, 'data/meta.properties'))) return;
  const words = ['format', '-t', clusterId, '-c', file];
  if (options.sasl !== undefined) {
    const { user, password } = options.sasl;
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      words.push('--add-scram', `${mechanism}=[name=${user},password=${password}]`);
    }
  }
  const command = javaCommand({
    service: 'kafka',
    folder: broker.folder,
    heapMiB: 128,
    flags: [logFlag],
    main: 'kafka.tools.StorageTool',
    words,
  });
  await run(command[0] ?? '', command.slice(1), { cwd: broker.folder });
}

const logFlag = `-Dlog4j2.configurationFile=file:${join(kitDir, 'kafka/log4j2.properties')}`;

function propertiesOf(
  broker: Broker,
  layout: Layout,
  options: KafkaStartOptions,
): Record<string, string | number> {
  const { id, port, innerPort, controllerPort, folder } = broker;
  const replicas = Math.min(3, layout.brokers.length);
  const inSync = replicas >= 3 ? 2 : 1;
  const [tls, sasl] = [options.tls !== undefined, options.sasl !== undefined];
  const protocol = sasl ? (tls ? 'SASL_SSL' : 'SASL_PLAINTEXT') : tls ? 'SSL' : 'PLAINTEXT';
  return {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': layout.brokers
      .map((one) => `${one.id}@${host}:${one.controllerPort}`)
      .join(','),
    listeners: `CLIENT://${host}:${port},INNER://${host}:${innerPort},CONTROLLER://${host}:${controllerPort}`,
    'advertised.listeners': `CLIENT://${host}:${port},INNER://${host}:${innerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INNER',
    'listener.security.protocol.map': `CLIENT:${protocol},INNER:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': 4,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'num.partitions': 4,
    'auto.create.topics.enable': 'true',
    // consumer groups form at once instead of after 3 s
    'group.initial.rebalance.delay.ms': 0,
    // a restarted broker waits out its own old registration, and a partition its dead leader: keep both short
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    'controlled.shutdown.enable': 'true',
    // small thread pools and buffers
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    'log.cleaner.io.buffer.size': 131_072,
    'log.segment.bytes': 67_108_864,
    ...tlsProperties(options.tls, folder),
    ...saslProperties(options.sasl),
  };
}

function tlsProperties(tls: ServerTls | undefined, folder: string): Record<string, string> {
  if (tls === undefined) return {};
  const files = copyTls(tls, folder);
  const prefix = 'listener.name.client.ssl';
  return {
    [`${prefix}.keystore.type`]: 'PEM',
    [`${prefix}.keystore.location`]: keyAndCertificate(tls, join(folder, 'key-and-cert.pem')),
    [`${prefix}.truststore.type`]: 'PEM',
    [`${prefix}.truststore.location`]: files.ca,
    [`${prefix}.client.auth`]: tls.requireClientCert === true ? 'required' : 'none',
  };
}

function saslProperties(sasl: KafkaStartOptions['sasl']): Record<string, string> {
  if (sasl === undefined) return {};
  const security = 'org.apache.kafka.common.security';
  const secret = sasl.password.replace(/["\\]/g, '\\$&');
  const plain = `${security}.plain.PlainLoginModule required user_${sasl.user}="${secret}";`;
  const scram = `${security}.scram.ScramLoginModule required;`;
  const prefix = 'listener.name.client';
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${prefix}.plain.sasl.jaas.config`]: plain.replaceAll('\\', '\\\\'),
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: scram,
  };
}

function createBroker(broker: Broker, clientOptions: KafkaConfig): ServerNode {
  const { port, folder } = broker;
  const properties = join(folder, 'server.properties');
  return createServerProcess({
    name: `kafka ${broker.id} (${port})`,
    port,
    folder,
    command: javaCommand({
      service: 'kafka',
      folder,
      heapMiB,
      flags: [logFlag],
      main: 'kafka.Kafka',
      words: [properties],
    }),
    // one that was killed is let in again only when its old registration has lapsed
    answers: async () => {
      const ports = await portsIn({ ...clientOptions, brokers: [`${host}:${port}`] });
      if (!ports.includes(port)) throw new Error('the broker is not let in yet');
    },
    pollMs: 200,
    stopTimeoutMs: 20_000,
  });
}

function clientOptionsOf(layout: Layout, { tls, sasl }: KafkaStartOptions): KafkaConfig {
  const options: KafkaConfig = {
    brokers: layout.brokers.map(({ port }) => `${host}:${port}`),
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: 5_000,
  };
  if (tls !== undefined) options.ssl = kitTls(tls);
  if (sasl !== undefined) {
    options.sasl = { mechanism: 'scram-sha-256', username: sasl.user, password: sasl.password };
  }
  return options;
}

/** The kit's own questions get through to a server whose certificate is bad on purpose. */
function kitTls(tls: ServerTls): ConnectionOptions {
  return {
    ca: readFileSync(tls.caFile),
    cert: readFileSync(tls.certFile),
    key: readFileSync(tls.keyFile),
    rejectUnauthorized: false,
  };
}

async function portsIn(options: KafkaConfig): Promise<number[]> {
  const admin = new kafkajs.Kafka({ ...options, retry: { retries: 0 } }).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.map(({ port }) => port);
  } finally {
    await admin.disconnect();
  }
}

/**
 * All brokers know one another, and the internal topics of groups and transactions exist, replicated: they
 * are made at first use, which would otherwise be in a test that kills a broker.
 */
async function untilAllAreIn(nodes: readonly ServerNode[], options: KafkaConfig): Promise<void> {
  const retry = { initialRetryTime: 50, retries: 20, maxRetryTime: 500 };
  while ((await portsIn(options)).length < nodes.length) await new Promise((done) => setTimeout(done, 100));
  const kafka = new kafkajs.Kafka({ ...options, retry });
  const admin = kafka.admin();
  const producer = kafka.producer({
    transactionalId: 'rankcast-kit',
    maxInFlightRequests: 1,
    idempotent: true,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  try {
    await admin.connect();
    await admin.describeGroups(['rankcast-kit']);
    await producer.connect();
    await (await producer.transaction()).abort();
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}

async function leaderOf(
  nodes: readonly ServerNode[],
  options: KafkaConfig,
  topic: string,
  partition: number,
): Promise<ServerNode> {
  const admin = new kafkajs.Kafka(options).admin();
  try {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
    const node = nodes[(found?.leader ?? 0) - 1];
    if (node === undefined) throw new Error(`partition ${partition} of ${topic} has no leader`);
    return node;
  } finally {
    await admin.disconnect();
  }
}
