/** @live timeout=400s */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import cassandra from 'cassandra-driver';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from '../../channels/clock.ts';
import { createDependency } from '../../channels/dependency/dependency.ts';
import { ServiceError } from '../../proto/codes.ts';
import { type CassandraServer, startCassandra } from '../../test/services/cassandra.ts';
import { until } from '../../test/services/until.ts';
import { createRecords, withRankerBed } from '../ranker/ranker.testbed.ts';
import { createCassandraArchive } from './archive.cassandra.ts';
import type { Archive, ArchivedVersion } from './archive.ts';
import { type CassandraArchiveOptions, cassandraArchiveDefaults } from './cassandra-options.ts';
import { tableStatements } from './connect-cassandra.ts';

/** What happens to the archive when Cassandra is killed, stopped or not there: on a server of its own. */
let server: CassandraServer;
const loose: unknown[] = [];
process.on('unhandledRejection', (reason) => loose.push(reason));

before(async () => {
  server = await startCassandra();
});
after(async () => {
  await server.stop();
  assert.deepEqual(loose, [], 'a rejection was left to itself');
});

const quick: Partial<CassandraArchiveOptions> = {
  readTimeoutMs: 1_500,
  heartbeatMs: 500,
  reconnectLongestMs: 500,
};

function open(t: TestContext, keyspace: string, changed: Partial<CassandraArchiveOptions> = {}) {
  const logger = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' });
  const dependency = createDependency({
    name: 'cassandra',
    clock: systemClock,
    registry: new Registry(),
    logger,
    options: { callTimeoutMs: 2_000 },
  });
  const options = {
    ...cassandraArchiveDefaults,
    contactPoints: [server.address],
    keyspace,
    ...quick,
    ...changed,
  };
  const archive = createCassandraArchive({
    clock: systemClock,
    logger,
    registry: new Registry(),
    dependency,
    options,
  });
  t.after(() => archive.close());
  return { archive, dependency };
}

function boardOf(version: number, pages: number, final = true): ArchivedVersion {
  return { contest: 'c', version, at: 1_700_000_000_000, total: pages * 500, pages, final };
}
const bytesOf = (version: number, page: number): Buffer => Buffer.alloc(8_000, `${version}.${page} `);
const pagesOf = (version: number, count: number) =>
  Array.from({ length: count }, (_, page) => bytesOf(version, page));

async function assertWhole(archive: Archive, { version, pages }: ArchivedVersion): Promise<void> {
  for (let page = 0; page < pages; page++) {
    assert.deepEqual(await archive.page('c', version, page), bytesOf(version, page), `page ${page}`);
  }
}

/** As the ranker does it: again and again, with growing waits. */
async function saveUntilKept(archive: Archive, board: ArchivedVersion): Promise<number> {
  for (let failures = 0; ; failures++) {
    try {
      await archive.save(board, pagesOf(board.version, board.pages));
      return failures;
    } catch (error) {
      assert.ok(error instanceof ServiceError && error.retryable, String(error));
      await delay(Math.min(2_000, 200 * 2 ** failures));
    }
  }
}

test('[ARCH-4] [ARCH-5] killed while saving: nothing half-visible, nothing kept is lost', async (t) => {
  const { archive } = open(t, 'killed');
  await archive.save(boardOf(1, 3), pagesOf(1, 3));
  let saving = true;
  const saves = (async () => {
    let failures = 0;
    for (let version = 2; version < 5; version++) {
      failures += await saveUntilKept(archive, boardOf(version, 300));
    }
    saving = false;
    return failures;
  })();
  await delay(700);
  await server.kill();
  await assert.rejects(archive.versions('c', 10), ServiceError);
  await server.start();
  // What is listed is whole, whatever the saves are doing.
  await until('the archive answers again', async () => (await archive.versions('c', 10)).length > 0);
  for (const board of await archive.versions('c', 2)) await assertWhole(archive, board);
  const failures = await saves;
  assert.equal(saving, false);
  assert.ok(failures > 0, 'no save met the kills');
  const kept = await archive.versions('c', 20);
  assert.deepEqual(
    kept.map(({ version }) => version),
    [4, 3, 2, 1],
  );
  for (const board of kept) await assertWhole(archive, board);
});

test('a server that stands still is given up on in a sentence, and used again when it goes on', async (t) => {
  const { archive, dependency } = open(t, 'paused');
  await archive.save(boardOf(1, 3), pagesOf(1, 3));
  assert.equal(dependency.state(), 'ready');
  server.pause();
  try {
    await assert.rejects(archive.save(boardOf(2, 100), pagesOf(2, 100)), (error) => {
      assert.ok(error instanceof ServiceError && error.retryable);
      assert.match(error.message, /^cassandra[: ].*(did not answer|no node|reached)/);
      return true;
    });
    await until('its state says so', async () => dependency.state() !== 'ready', { timeoutMs: 15_000 });
  } finally {
    server.resume();
  }
  await until('it is used again', async () => dependency.state() === 'ready');
  assert.ok((await saveUntilKept(archive, boardOf(2, 100))) < 20);
  assert.deepEqual(
    (await archive.versions('c', 9)).map(({ version }) => version),
    [2, 1],
  );
});

test('a process may start before Cassandra does', async (t) => {
  await server.kill();
  const { archive, dependency } = open(t, 'before');
  await assert.rejects(archive.versions('c', 1), /^ServiceError: cassandra: nothing listens at that address/);
  assert.match(dependency.state(), /nothing listens/);
  await server.start();
  await until('it is connected', async () => dependency.state() === 'ready');
  await archive.save(boardOf(1, 2), pagesOf(1, 2));
  await assertWhole(archive, boardOf(1, 2));
});

test('several processes starting at once make the tables together', async (t) => {
  const opened = Array.from({ length: 4 }, () => open(t, 'together'));
  await Promise.all(opened.map(({ archive }, i) => archive.save(boardOf(i, 2), pagesOf(i, 2))));
  assert.equal((await opened[0]!.archive.versions('c', 9)).length, 4);
});

test('where it may not make tables it names those missing, and goes on once they are made', async (t) => {
  const { archive, dependency } = open(t, 'by_hand', { createSchema: false });
  await assert.rejects(archive.versions('c', 1), /there is no by_hand\.versions and by_hand\.pages: make it/);
  const client = new cassandra.Client(server.clientOptions);
  const replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
  for (const statement of [
    `CREATE KEYSPACE by_hand WITH replication = ${replication}`,
    ...tableStatements('by_hand'),
  ]) {
    await client.execute(statement);
  }
  await until('it finds them', async () => dependency.state() === 'ready');
  await archive.save(boardOf(1, 2), pagesOf(1, 2));
  await assertWhole(archive, boardOf(1, 2));
  // Dropped while it runs: not ready until they are made again, also when nobody calls any more.
  for (const name of ['versions', 'pages']) await client.execute(`DROP TABLE by_hand.${name}`);
  await until('it misses them', async () => {
    await archive.versions('c', 1).catch(() => undefined);
    return dependency.state() !== 'ready';
  });
  for (let looks = 0; looks < 30; looks++) {
    if (looks < 10) await archive.versions('c', 1).catch(() => undefined);
    assert.match(dependency.state(), /there is no by_hand\.versions and by_hand\.pages: make it/);
    await delay(100);
  }
  for (const statement of tableStatements('by_hand')) await client.execute(statement);
  await client.shutdown();
  await until('it finds them again', async () => dependency.state() === 'ready');
  assert.ok((await saveUntilKept(archive, boardOf(2, 2))) < 20);
});

test('tables that were dropped are made again', async (t) => {
  const { archive } = open(t, 'dropped');
  await archive.save(boardOf(1, 2), pagesOf(1, 2));
  const client = new cassandra.Client(server.clientOptions);
  await client.execute('DROP KEYSPACE dropped');
  await client.shutdown();
  await saveUntilKept(archive, boardOf(2, 2));
  await assertWhole(archive, boardOf(2, 2));
});

test('versions that are not final go after a while where that is asked for, final ones stay', async (t) => {
  const { archive } = open(t, 'going', { intervalKeepMs: 2_000 });
  await archive.save(boardOf(1, 2, false), pagesOf(1, 2));
  await archive.save(boardOf(2, 2), pagesOf(2, 2));
  // The same version again as final: it stays.
  await archive.save(boardOf(3, 2, false), pagesOf(3, 2));
  await archive.save(boardOf(3, 2), pagesOf(3, 2));
  assert.equal((await archive.versions('c', 9)).length, 3);
  await until('it is gone', async () => (await archive.versions('c', 9)).length === 2);
  assert.equal(await archive.page('c', 1, 0), null);
  await assertWhole(archive, boardOf(3, 2));
});

test('a ranker goes on while Cassandra stands still, and archives when it goes on', async (t) => {
  const { archive } = open(t, 'ranker');
  await archive.versions('c', 1);
  await withRankerBed(async (bed) => {
    const records = createRecords();
    const running = await bed.start({ finalKeepMs: 10_000 }, { archive });
    server.pause();
    try {
      await bed.append(
        records.match('m1'),
        records.contest('big', 'm1'),
        records.entries('m1', ['big'], 0, 900),
      );
      await bed.append(records.final('m1'), records.match('m2'), records.contest('next', 'm2'));
      await running.applied(6);
      await running.clock.advanceSettled(2_000);
      for (let version = 7; version < 20; version++) {
        await bed.append(records.entries('m2', ['next'], version, version + 1));
        await running.applied(version);
      }
      await running.clock.advanceSettled(20_000);
      assert.equal((await bed.ranks('big', ['e3'])).outcome, 'ok', 'it stays until it is archived');
      assert.equal((await bed.ranks('next', ['e8'])).outcome, 'ok');
    } finally {
      server.resume();
    }
    await until('it is archived', async () => {
      await running.clock.advanceSettled(2_000);
      return (await archive.versions('big', 1))[0]?.final === true;
    });
    await until('it leaves memory', async () => {
      await running.clock.advanceSettled(2_000);
      return (await bed.ranks('big', ['e3'])).outcome === 'unknown';
    });
  });
});
