import type { TlsOptions } from '../../channels/dependency/tls-files.ts';

/** How the log stands on Kafka. What is not said of a topic is asked of the topic when it stands already. */
export interface KafkaLogOptions extends TlsOptions {
  /** Some of the brokers, `host:port`; the others are learned from them. */
  brokers: readonly string[];
  clientId: string;
  /** Before the names of all topics, groups and transactional ids: several installations on one cluster. */
  topicPrefix: string;
  /** TLS also where no file is given: with the CAs that Node knows. */
  tls: boolean;
  saslMechanism?: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  user?: string;
  password?: string;
  replication: number;
  minInsync: number;
  recordBytesMax: number;
  batchBytesMax: number;
  batchRecordsMax: number;
  pendingBytesMax: number;
  compression: 'none' | 'gzip';
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  appendTimeoutMs: number;
  startWaitMs: number;
  metadataMaxAgeMs: number;
  probeMs: number;
  retryFirstMs: number;
  retryLongestMs: number;
  retryMinMs: number;
  retryMaxMs: number;
  sessionTimeoutMs: number;
  heartbeatMs: number;
  rebalanceTimeoutMs: number;
  transactionTimeoutMs: number;
  fetchWaitMs: number;
  fetchBytes: number;
  readBytesMax: number;
}

export const kafkaLogDefaults: KafkaLogOptions = {
  brokers: [],
  clientId: 'rankcast',
  topicPrefix: '',
  tls: false,
  /** One broker may be away (a deploy, a fault) while another fails, and nothing acknowledged is lost. */
  replication: 3,
  minInsync: 2,
  /** Key and value together: as the embedded log. A topic that stands with less takes less. */
  recordBytesMax: 1_048_588,
  /**
   * The topics' max.message.bytes: the records of one append in one partition are one batch of Kafka's, which
   * stands whole or not at all. As the largest body that ingest takes, and 1 MB for what each record adds.
   */
  batchBytesMax: 17_825_792,
  /** kafkajs hands the records of a batch over as arguments, of which JavaScript takes some 100,000. */
  batchRecordsMax: 50_000,
  /** Appends not acknowledged yet; above, an append is refused at once (Kafka is slower than the callers). */
  pendingBytesMax: 134_217_728,
  /** Off: it costs more time than it saves within a data centre. Turn on where the network is the limit. */
  compression: 'none',
  /** A broker that is there answers within milliseconds; another one may be tried soon. */
  connectTimeoutMs: 2_000,
  /** Without an answer for so long a connection is thought dead, and made anew. */
  requestTimeoutMs: 5_000,
  /**
   * How long an append is tried: over a broker's restart or a change of leaders (2 to 5 s), and not longer
   * than senders wait for an answer.
   */
  appendTimeoutMs: 15_000,
  /** How long a start waits for Kafka before it goes on without: reads need no log. */
  startWaitMs: 10_000,
  /** Leaders that moved are noticed by their refusals; this finds out what nobody refused. */
  metadataMaxAgeMs: 60_000,
  /** How often Kafka is asked for its brokers: that it is away shows within seconds, whoever uses it. */
  probeMs: 2_000,
  /** First and longest wait between tries of a request: leaders are elected within a second. */
  retryFirstMs: 50,
  retryLongestMs: 1_000,
  /** First wait after a rejected batch: most faults pass at once. */
  retryMinMs: 100,
  /** Longest wait between tries of a batch: what comes back is used within so long. */
  retryMaxMs: 10_000,
  /**
   * Who is not heard of for so long has its partitions taken: above a long pause of the process. A batch
   * begins only within the first quarter, so what it writes to stores must end within the other three
   * (Gremlin: 7 s), and none of it comes when another member has the partition.
   */
  sessionTimeoutMs: 10_000,
  /** A change in the group is noticed within so long. */
  heartbeatMs: 1_000,
  /** How long members have to join again when the group changes. They do between two heartbeats. */
  rebalanceTimeoutMs: 30_000,
  /** A transaction of a process that died holds readers up no longer than this. Above `appendTimeoutMs`. */
  transactionTimeoutMs: 30_000,
  /**
   * A fetch waits so long for the first record: with nothing to do, four requests a second; a partition that
   * was taken over waits no longer than that for its first fetch.
   */
  fetchWaitMs: 250,
  /** Of one partition in one fetch: a batch of 1,000 records at 1 kB each. */
  fetchBytes: 1_048_576,
  /** A read or batch stops after so many: 1,000 records of 1 MB must not become one allocation. */
  readBytesMax: 8_388_608,
};
