import cassandra, { type Client } from 'cassandra-driver';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../../channels/clock.ts';
import { connectionFault } from '../../channels/dependency/connection-fault.ts';
import { createDependency, type Dependency } from '../../channels/dependency/dependency.ts';
import { ServiceError } from '../../proto/codes.ts';
import type { Archive, ArchivedVersion } from './archive.ts';
import { type CassandraArchiveOptions, cassandraArchiveFaults } from './cassandra-options.ts';
import { checkedPages } from './check-pages.ts';
import { connectCassandra } from './connect-cassandra.ts';

/**
 * Past leaderboards in Cassandra (`schema.cql`): the pages of a version in partitions of 1,000, the versions
 * of a contest in one.
 *
 * A page is visible through its version's row, which is written when all pages are: so a save that died, or
 * the surplus of an earlier one with more pages, is never seen, and nothing has to be deleted. All writes are
 * absolute and may come twice. What is written twice by processes whose clocks differ ends as the later clock
 * has it; rankers write the same bytes for the same version, so that is no difference.
 */
export interface CassandraArchiveParts {
  clock: Clock;
  logger: Logger;
  registry: Registry;
  /** Its state and its limits; made here where none is given. */
  dependency?: Dependency;
  options: CassandraArchiveOptions;
}

/** See `schema.cql`. */
const bucketPages = 1_000;
/** Pages live so much longer than their version's row: a version that is listed has them. */
const pageMarginSeconds = 3_600;

/**
 * Begins to connect and does not wait for it: `dependency.state()` says how it goes. Throws a sentence where
 * the options cannot be.
 */
export function createCassandraArchive(parts: CassandraArchiveParts): Archive {
  const { clock, logger, registry, options } = parts;
  const faults = cassandraArchiveFaults(options);
  if (faults.length > 0) throw new Error(faults.join('; '));
  const dependency = parts.dependency ?? createDependency({ name: 'cassandra', clock, registry, logger });
  const connection = connectCassandra({ clock, logger, dependency, options });
  const statements = statementsOf(options.keyspace);
  const underWay = new Set<Promise<unknown>>();
  let closed = false;

  function run(operation: string, query: string, params: unknown[]): Promise<cassandra.types.ResultSet> {
    if (closed) return Promise.reject(new ServiceError('The archive is closed.', false));
    const running = dependency.run(operation, async () => {
      try {
        const client: Client = await connection.client();
        return await client.execute(query, params, { prepare: true });
      } catch (error) {
        if (isTableGone(error)) {
          connection.tablesGone();
          throw new ServiceError('cassandra: a table of the archive is not there any more.', true, error);
        }
        throw explained(error, options);
      }
    });
    underWay.add(running);
    const over = () => underWay.delete(running);
    running.then(over, over);
    return running;
  }

  async function savePages(board: ArchivedVersion, pages: Parameters<Archive['save']>[1], seconds: number) {
    const { contest, version } = board;
    const ttl = seconds === 0 ? 0 : seconds + pageMarginSeconds;
    const writing = new Set<Promise<void>>();
    let failed: { error: unknown } | null = null;
    for await (const { page, bytes } of checkedPages(board, pages)) {
      const params = [contest, long(version), Math.floor(page / bucketPages), page, asBuffer(bytes), ttl];
      const write = run('save', statements.putPage, params).then(
        () => void writing.delete(write),
        (error: unknown) => {
          failed ??= { error };
          writing.delete(write);
        },
      );
      writing.add(write);
      if (writing.size >= options.writesInFlight) await Promise.race(writing);
      if (failed !== null) break;
    }
    await Promise.all(writing);
    if (failed !== null) throw (failed as { error: unknown }).error;
  }

  return {
    async save(board, pages) {
      const { contest, version, at, total, final } = board;
      const seconds = final ? 0 : Math.ceil(options.intervalKeepMs / 1_000);
      await savePages(board, pages, seconds);
      const params = [contest, long(version), new Date(at), long(total), board.pages, final, seconds];
      await run('save', statements.putVersion, params);
    },
    async versions(contest, limit, below = Number.MAX_SAFE_INTEGER + 1) {
      if (limit <= 0) return [];
      const found: ArchivedVersion[] = [];
      for await (const row of await run('versions', statements.versions, [contest, long(below), limit])) {
        found.push(versionOf(contest, row));
      }
      return found;
    },
    async page(contest, version, page) {
      const bucket = Math.floor(page / bucketPages);
      const [listed, kept] = await Promise.all([
        run('page', statements.version, [contest, long(version)]),
        run('page', statements.page, [contest, long(version), bucket, page]),
      ]);
      const pages = (listed.first()?.['pages'] as number | undefined) ?? 0;
      return page < pages ? ((kept.first()?.['bytes'] as Buffer | undefined) ?? null) : null;
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.allSettled(underWay);
      await connection.close();
    },
  };
}

function statementsOf(keyspace: string) {
  return {
    putPage: `INSERT INTO ${keyspace}.pages (contest, version, bucket, page, bytes)
      VALUES (?, ?, ?, ?, ?) USING TTL ?`,
    putVersion: `INSERT INTO ${keyspace}.versions (contest, version, at, total, pages, final)
      VALUES (?, ?, ?, ?, ?, ?) USING TTL ?`,
    versions: `SELECT version, at, total, pages, final FROM ${keyspace}.versions
      WHERE contest = ? AND version < ? LIMIT ?`,
    version: `SELECT pages FROM ${keyspace}.versions WHERE contest = ? AND version = ?`,
    page: `SELECT bytes FROM ${keyspace}.pages
      WHERE contest = ? AND version = ? AND bucket = ? AND page = ?`,
  };
}

function versionOf(contest: string, row: cassandra.types.Row): ArchivedVersion {
  return {
    contest,
    version: (row['version'] as cassandra.types.Long).toNumber(),
    at: (row['at'] as Date).getTime(),
    total: (row['total'] as cassandra.types.Long).toNumber(),
    pages: row['pages'] as number,
    final: row['final'] as boolean,
  };
}

const long = (value: number): cassandra.types.Long => cassandra.types.Long.fromNumber(value);

/** The same bytes, as the driver takes them. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What a node answers to every try alike; the rest may pass. */
const finalFaults = new Set<number>([
  cassandra.types.responseErrorCodes.syntaxError,
  cassandra.types.responseErrorCodes.unauthorized,
  cassandra.types.responseErrorCodes.invalid,
  cassandra.types.responseErrorCodes.configError,
]);

const { unprepared } = cassandra.types.responseErrorCodes;

/** Dropped, or lost with a node's data. */
function isTableGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (/unconfigured table|(keyspace|table) \S+ does not exist/i.test(error.message)) return true;
  const inner = Object.values((error as { innerErrors?: Record<string, unknown> }).innerErrors ?? {});
  // A statement that a node has forgotten is prepared again by the driver, unless that cannot be done.
  return inner.some((one) => (one as { code?: unknown } | null)?.code === unprepared || isTableGone(one));
}

function explained(error: unknown, { localDataCenter }: CassandraArchiveOptions): unknown {
  const { ResponseError, NoHostAvailableError } = cassandra.errors;
  if (error instanceof ResponseError && finalFaults.has(error.code)) {
    return new ServiceError(connectionFault('cassandra', error), false, error);
  }
  if (error instanceof NoHostAvailableError && Object.keys(error.innerErrors ?? {}).length === 0) {
    return new ServiceError(`cassandra: no node of ${localDataCenter} can be reached.`, true, error);
  }
  return error;
}
