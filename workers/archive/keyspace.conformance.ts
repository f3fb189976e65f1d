import { randomBytes } from 'node:crypto';
import cassandra from 'cassandra-driver';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from '../../channels/clock.ts';
import { createCassandraArchive } from './archive.cassandra.ts';
import type { Archive } from './archive.ts';
import { type CassandraArchiveOptions, cassandraArchiveDefaults } from './cassandra-options.ts';

/** A keyspace of its own for a test, on a real server; gone with `drop`. */
export interface TestKeyspace {
  name: string;
  options: CassandraArchiveOptions;
  open(): Archive;
  /** The archive as another process would find it; closes the one before. */
  reopen(): Promise<Archive>;
  drop(): Promise<void>;
}

const logger = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' });

export function openKeyspace(address: string, changed: Partial<CassandraArchiveOptions> = {}): TestKeyspace {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const options = { ...cassandraArchiveDefaults, contactPoints: [address], keyspace: name, ...changed };
  const opened: Archive[] = [];
  const open = (): Archive => {
    const archive = createCassandraArchive({
      clock: systemClock,
      logger,
      registry: new Registry(),
      options,
    });
    opened.push(archive);
    return archive;
  };
  return {
    name,
    options,
    open,
    async reopen() {
      await opened.at(-1)?.close();
      return open();
    },
    async drop() {
      for (const archive of opened) await archive.close();
      const client = new cassandra.Client({
        contactPoints: [address],
        localDataCenter: options.localDataCenter,
        socketOptions: { readTimeout: 60_000 },
      });
      await client.execute(`DROP KEYSPACE IF EXISTS ${name}`);
      await client.shutdown();
    },
  };
}
