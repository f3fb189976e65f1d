import type { Kafka } from 'kafkajs';

/**
 * kafkajs below its public face, in one place: its cluster (connections, TLS, SASL, metadata) and its brokers
 * with one method per request of Kafka's protocol.
 *
 * Its public producer and consumer are not used, for they cannot keep the log's laws: the producer's retries
 * may send another batch under the sequence number of one whose outcome is unknown, or leave out a partition
 * whose leader has moved; the consumer gives every partition up at every rebalance and restarts on errors;
 * neither can read a range. wire.kafka.test.ts says what of kafkajs 2.2.4 is relied on.
 */
export interface KafkaCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[];
  findBroker(node: { nodeId: string }): Promise<KafkaBroker>;
  findControllerBroker(): Promise<KafkaBroker>;
  findGroupCoordinator(asked: { groupId: string; coordinatorType: number }): Promise<KafkaBroker>;
  connectionPoolBuilder: { build(address?: object): Promise<{ pool: KafkaConnection[] }> };
  brokerPool: { createBroker(options: object): KafkaBroker & { connect(): Promise<void> } };
}

interface KafkaConnection {
  isConnected(): boolean;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  requestQueue: { rejectAll(error: Error): void };
  socket?: {
    destroy(error?: Error): void;
    removeAllListeners(event: string): void;
    on(event: 'error', listener: () => void): void;
  };
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
}

export interface ProducedTopic {
  topic: string;
  partitions: {
    partition: number;
    firstSequence: number;
    messages: readonly { key: Buffer; value: Uint8Array }[];
  }[];
}
export interface ProducerIdentity {
  producerId: string;
  producerEpoch: number;
}
export interface FetchedMessage {
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  timestamp: string;
  isControlRecord: boolean;
  batchContext: { producerId: string; inTransaction: boolean };
}
export interface FetchedPartition {
  partition: number;
  highWatermark: string;
  lastStableOffset: string;
  abortedTransactions: { producerId: string; firstOffset: string }[] | null;
  messages: FetchedMessage[];
}
interface TopicOffsets {
  topic: string;
  partitions: { partition: number; offset: string }[];
}
type Transactional = ProducerIdentity & { transactionalId: string };

export interface KafkaBroker {
  nodeId: number | string;
  connectionPool: { pool: KafkaConnection[] };
  produce(
    request: ProducerIdentity & {
      topicData: ProducedTopic[];
      transactionalId?: string;
      acks: number;
      timeout: number;
      compression: number;
    },
  ): Promise<{
    topics: { topicName: string; partitions: { partition: number; baseOffset: string }[] }[];
  }>;
  fetch(request: {
    isolationLevel: number;
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: {
      topic: string;
      partitions: { partition: number; fetchOffset: string; maxBytes: number }[];
    }[];
  }): Promise<{ responses: { topicName: string; partitions: FetchedPartition[] }[] }>;
  listOffsets(request: {
    isolationLevel: number;
    topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[];
  }): Promise<{ responses: TopicOffsets[] }>;
  joinGroup(request: {
    groupId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    memberId: string;
    groupProtocols: { name: string; metadata: Buffer }[];
  }): Promise<{
    generationId: number;
    leaderId: string;
    memberId: string;
    members: { memberId: string; memberMetadata: Buffer }[];
  }>;
  syncGroup(request: {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: { memberId: string; memberAssignment: Buffer }[];
  }): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  offsetFetch(request: {
    groupId: string;
    topics: { topic: string; partitions: { partition: number }[] }[];
  }): Promise<{ responses: TopicOffsets[] }>;
  offsetCommit(request: {
    groupId: string;
    groupGenerationId: number;
    memberId: string;
    topics: TopicOffsets[];
  }): Promise<unknown>;
  initProducerId(request: {
    transactionalId?: string;
    transactionTimeout: number;
  }): Promise<ProducerIdentity>;
  addPartitionsToTxn(
    request: Transactional & { topics: { topic: string; partitions: number[] }[] },
  ): Promise<unknown>;
  addOffsetsToTxn(request: Transactional & { groupId: string }): Promise<unknown>;
  txnOffsetCommit(request: Transactional & { groupId: string; topics: TopicOffsets[] }): Promise<unknown>;
  endTxn(request: Transactional & { transactionResult: boolean }): Promise<unknown>;
}

export const readCommitted = 1;
export const readUncommitted = 0;
/** As ListOffsets names them. */
export const latestTimestamp = -1;
export const earliestTimestamp = -2;

/** A cluster as kafkajs makes one for each of its own producers and consumers: connections of its own. */
export function newCluster(kafka: Kafka, metadataMaxAgeMs: number): KafkaCluster {
  const name = Object.getOwnPropertySymbols(kafka).find(
    (symbol) => symbol.description === 'private:Kafka:createCluster',
  );
  if (name === undefined) throw new Error('This version of kafkajs has no cluster to be made.');
  const create = (kafka as unknown as Record<symbol, (options: object) => KafkaCluster>)[name]!;
  const cluster = create({ metadataMaxAge: metadataMaxAgeMs, allowAutoTopicCreation: false });
  const builder = cluster.connectionPoolBuilder;
  const build = builder.build.bind(builder);
  const connections: KafkaConnection[] = [];
  let closed = false;
  builder.build = async (address) => {
    const pool = await build(address);
    for (const connection of pool.pool) mendConnection(connection, () => closed);
    connections.push(...pool.pool);
    return pool;
  };
  const createBroker = cluster.brokerPool.createBroker;
  cluster.brokerPool.createBroker = (brokerOptions) => mendBroker(createBroker(brokerOptions));
  const disconnect = cluster.disconnect.bind(cluster);
  cluster.disconnect = async () => {
    closed = true;
    // kafkajs would wait for the answers to all requests, those that wait for records or members too.
    endConnections(connections, 'closed');
    await disconnect();
  };
  return cluster;
}

/**
 * Two callers that find a connection closed would each open a socket; bytes of an answer cut off would be
 * taken for the beginning of the next connection's first answer; and one that is being closed counts as open.
 * Here: one socket at a time, nothing of the old one, and whoever waits at a connection that ends is told so.
 */
function mendConnection(connection: KafkaConnection, closed: () => boolean): void {
  const connect = connection.connect.bind(connection);
  const disconnect = connection.disconnect.bind(connection);
  let connecting: Promise<unknown> | null = null;
  let ending: Promise<unknown> | null = null;
  connection.connect = () => {
    if (connecting === null && ending === null && connection.isConnected()) return connect();
    connecting ??= anew().finally(() => {
      connecting = null;
    });
    return connecting;
  };
  connection.disconnect = () => {
    // The try under way says by itself what came of it.
    if (connecting !== null) return Promise.resolve(true);
    connection.requestQueue.rejectAll(new Error('the connection is closed: ECONNRESET'));
    ending ??= disconnect().finally(() => {
      dropSocket(connection);
      ending = null;
    });
    return ending;
  };
  async function anew(): Promise<void> {
    while (ending !== null) await ending;
    dropSocket(connection);
    connection.chunks = [];
    connection.bytesBuffered = 0;
    connection.bytesNeeded = 4;
    try {
      await connect();
      if (closed()) throw new Error('closed');
    } catch (error) {
      dropSocket(connection);
      connection.requestQueue.rejectAll(new Error('the connection is closed: ECONNRESET'));
      await disconnect();
      throw error;
    }
  }
}

/**
 * A broker that takes connections and says nothing (stopped, or just starting) would count as connected from
 * then on without ever having been asked what it can do: what could not be begun is ended.
 */
function mendBroker<T extends KafkaBroker & { connect(): Promise<void> }>(broker: T): T {
  const connect = broker.connect.bind(broker);
  broker.connect = async () => {
    try {
      await connect();
    } catch (error) {
      await Promise.all(broker.connectionPool.pool.map((connection) => connection.disconnect()));
      throw error;
    }
  };
  return broker;
}

function dropSocket(connection: KafkaConnection): void {
  const { socket } = connection;
  if (socket === undefined) return;
  for (const event of ['data', 'end', 'error', 'timeout']) socket.removeAllListeners(event);
  socket.on('error', () => undefined);
  socket.destroy();
  delete connection.socket;
}

/** Ends the connections of a broker that did not answer in time: those waiting there fail at once. */
export function distrust(broker: KafkaBroker): void {
  endConnections(broker.connectionPool.pool, 'no answer in time: ETIMEDOUT');
}
function endConnections(connections: readonly KafkaConnection[], why: string): void {
  for (const connection of connections) {
    if (connection.isConnected()) connection.socket?.destroy(new Error(why));
  }
}

/** Kafka's name of a fault (`NOT_LEADER_FOR_PARTITION`), also where kafkajs has wrapped it; '' for others. */
export function faultType(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; depth++) {
    const { type } = at as { type?: unknown };
    if (typeof type === 'string') return type;
    at = at.cause;
  }
  return '';
}

export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'KafkaJSRequestTimeoutError';
}

/** What the same request, sent again, would not mend. */
const finalTypes: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_GROUP_ID',
  'INVALID_SESSION_TIMEOUT',
  'INVALID_TRANSACTION_TIMEOUT',
  'INCONSISTENT_GROUP_PROTOCOL',
  'GROUP_MAX_SIZE_REACHED',
  'INVALID_COMMIT_OFFSET_SIZE',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'POLICY_VIOLATION',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
]);
export function isFinal(error: unknown): boolean {
  return finalTypes.has(faultType(error)) || isRefusedLogin(error);
}
export function isRefusedLogin(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; depth++) {
    if (at.name === 'KafkaJSSASLAuthenticationError') return true;
    at = at.cause;
  }
  return false;
}

/** Faults of TLS that a try changes nothing about: one side's certificates must be changed. */
const certificateCodes = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|ERR_SSL_WRONG_VERSION)/;
export function isCertificateFault(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; depth++) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string' && certificateCodes.test(code)) return true;
    at = at.cause;
  }
  return false;
}

/** The producer is not, or no longer, who it says: another has taken its place, or its memory was lost. */
const identityTypes: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'TRANSACTION_COORDINATOR_FENCED',
  'KAFKAJS_UNKNOWN_ERROR_CODE',
]);
export function isIdentityFault(error: unknown): boolean {
  return identityTypes.has(faultType(error));
}
