import type { TlsOptions } from '../../channels/dependency/tls-files.ts';

/** How the archive is reached in Cassandra. Plain values; the number's reason stands beside it. */
export interface CassandraArchiveOptions extends TlsOptions {
  /** Some nodes to begin with, `host` or `host:port`; the others are learned from them. */
  contactPoints: readonly string[];
  /** Requests go to nodes of this data center only. */
  localDataCenter: string;
  keyspace: string;
  /** Make the keyspace and the tables where they are missing; false: an operator does, by `schema.cql`. */
  createSchema: boolean;
  /** Copies in a keyspace made here: `3` (one data center), or `dc1:3,dc2:3`. */
  replication: string;
  user?: string;
  password?: string;
  /** TLS also where no file of it is given: with the CAs that Node knows. */
  tls: boolean;
  consistency: CassandraConsistency;
  connectTimeoutMs: number;
  readTimeoutMs: number;
  /** Longest wait before the next try to connect; the first is 250 ms, each doubles it. */
  reconnectLongestMs: number;
  heartbeatMs: number;
  connectionsPerHost: number;
  writesInFlight: number;
  /** Versions that are not final are gone after this; 0: never. */
  intervalKeepMs: number;
}

export const cassandraConsistencies = [
  'LOCAL_QUORUM',
  'QUORUM',
  'EACH_QUORUM',
  'LOCAL_ONE',
  'ONE',
  'TWO',
  'THREE',
  'ALL',
] as const;
export type CassandraConsistency = (typeof cassandraConsistencies)[number];

export const cassandraArchiveDefaults: CassandraArchiveOptions = {
  contactPoints: ['127.0.0.1:9042'],
  localDataCenter: 'datacenter1',
  keyspace: 'rankcast',
  createSchema: true,
  replication: '1',
  tls: false,
  // Reads see what was written, with a node of three away, and no other data center is waited for.
  consistency: 'LOCAL_QUORUM',
  connectTimeoutMs: 5_000,
  // Above the 2 s that a node itself gives a write, below the 5 s that a call may take here.
  readTimeoutMs: 4_000,
  reconnectLongestMs: 5_000,
  // A silent node is found within this and a read timeout.
  heartbeatMs: 5_000,
  // One connection carries 2,048 requests at once.
  connectionsPerHost: 1,
  // Pages of a board under way at once, some 800 KB: a small cluster is kept busy, not flooded.
  writesInFlight: 32,
  intervalKeepMs: 0,
};

/** Everything wrong with the options, a sentence each. */
export function cassandraArchiveFaults(options: CassandraArchiveOptions): string[] {
  const faults: string[] = [];
  if (options.contactPoints.length === 0) faults.push('no contact point of Cassandra is given');
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(options.keyspace)) {
    faults.push(
      `"${options.keyspace}" is no name of a keyspace: a to z, 0 to 9 and _, a letter first, 48 at most`,
    );
  }
  if ((options.user === undefined) !== (options.password === undefined)) {
    faults.push('a user of Cassandra is given without password, or a password without user');
  }
  if (options.createSchema && replicationOf(options.replication) === null) {
    faults.push(`"${options.replication}" is no replication: a number such as 3, or dc1:3,dc2:3`);
  }
  return faults;
}

/** The replication as CQL has it; null where the text is none. */
export function replicationOf(text: string): string | null {
  if (/^[1-9]\d?$/.test(text)) return `{'class': 'SimpleStrategy', 'replication_factor': ${text}}`;
  const places = text.split(',').map((part) => /^\s*([\w.-]+):([1-9]\d?)\s*$/.exec(part));
  if (places.some((place) => place === null)) return null;
  const copies = places.map((place) => `'${place?.[1]}': ${place?.[2]}`);
  return `{'class': 'NetworkTopologyStrategy', ${copies.join(', ')}}`;
}
