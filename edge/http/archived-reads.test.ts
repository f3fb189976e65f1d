import assert from 'node:assert/strict';
import { test } from 'node:test';
import { archiveRanks } from '../../workers/archive/archive-ranks.ts';
import { archiveBoard, type Board } from '../../workers/archive/archive-worker.ts';
import {
  type Answer,
  type Bench,
  errorOf,
  playRanker,
  putPlace,
  withApi,
} from './api-harness.conformance.ts';

type Row = [rank: number, entry: string, score: number];

/** A board of so many entries, scores falling in steps so that several share a rank. */
function boardOf(contest: string, version: number, total: number, final: boolean): Board & { all: Row[] } {
  const all: Row[] = Array.from({ length: total }, (_, i) => {
    const step = Math.floor(i / 3);
    return [3 * step + 1, `e${i}`, 10_000 - step];
  });
  return {
    ...{ contest, version, at: 1_700_000_000_000 + version, total, scoreStep: 0.5, final, all },
    rows: (start, end) => all.slice(start, end),
    ranks: (places) => Array.from(places, (place) => [all[place]![1], all[place]![2], all[place]![0]]),
  };
}

async function archiveFinal({ archive }: Bench, board: Board): Promise<void> {
  await archiveRanks(archive, board);
  await archiveBoard(archive, board, Number.POSITIVE_INFINITY);
}

function assertError(answer: Answer, status: number, code: string, message: RegExp): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(errorOf(answer).code, code);
  assert.match(errorOf(answer).message, message);
}

test('a version that is kept is answered exactly, page by page', () =>
  withApi(async (bench) => {
    await putPlace(bench.lookup, 'c1');
    await playRanker(bench, 42);
    const boards = [10, 20, 30].map((version) => boardOf('c1', version, 1_100 + version, false));
    for (const board of boards) await archiveBoard(bench.archive, board, 2);
    const url = '/v1/contests/c1/leaderboard';
    const answer = await bench.ask('GET', `${url}?version=20&page=1`);
    const rows = boards[1]!.all.slice(500, 1_000);
    assert.deepEqual(answer.body, { version: 20, total: 1_120, scoreStep: 0.5, rows });
    assert.equal(answer.headers['cache-control'], 'private, max-age=3600');
    assertError(
      await bench.ask('GET', `${url}?version=20&page=2`),
      404,
      'unknown_version',
      /Only the first 2 pages of contest c1 at version 20/,
    );
    const beyond = await bench.ask('GET', `${url}?version=20&page=3`);
    assert.deepEqual(beyond.body, { version: 20, total: 1_120, scoreStep: 0.5, rows: [] });
    const said = async (version: number, message: RegExp) =>
      assertError(await bench.ask('GET', `${url}?version=${version}`), 404, 'unknown_version', message);
    await said(25, /Version 25 of contest c1 is not kept; the nearest kept: 20 and 30\.$/);
    await said(9, /the nearest kept: 10\.$/);
    await said(42, /the nearest kept: 30\.$/);
    const newest = await bench.ask('GET', url);
    assert.equal((newest.body as { version: number }).version, 42);
    assert.equal(newest.headers['cache-control'], 'no-store');
  }));

test('versions that are kept are listed newest first, and read on from the last', () =>
  withApi(async (bench) => {
    for (const version of [10, 20, 30]) {
      await archiveBoard(bench.archive, boardOf('c1', version, 600, version === 30), 1);
    }
    const list = async (query: string) => {
      const { body } = await bench.ask('GET', `/v1/contests/c1/versions${query}`);
      return (body as { versions: { version: number }[] }).versions;
    };
    assert.deepEqual((await list('?limit=1'))[0], {
      ...{ version: 30, at: 1_700_000_000_030, total: 600, pages: 1, final: true },
    });
    assert.deepEqual(
      (await list('')).map(({ version }) => version),
      [30, 20, 10],
    );
    assert.deepEqual(
      (await list('?limit=2&before=30')).map(({ version }) => version),
      [20, 10],
    );
    assert.deepEqual(await list('?before=10'), []);
    const unknown = await bench.ask('GET', '/v1/contests/never/versions');
    assertError(unknown, 404, 'unknown_contest', /never/);
    await putPlace(bench.lookup, 'c2');
    assert.deepEqual((await bench.ask('GET', '/v1/contests/c2/versions')).body, { versions: [] });
  }));

for (const total of [2, 1_234]) {
  test(`a final board of ${total} that the ranker has let go of is read from the archive`, () =>
    withApi(async (bench) => {
      const board = boardOf('c2', 40, total, true);
      await archiveFinal(bench, board);
      const page = Math.floor((total - 1) / 500);
      const rows = board.all.slice(page * 500);
      const entries = [0, 1, total - 1].map((i) => `e${i}`);
      const query = ['nobody', ...entries].map((entry) => `entry=${entry}`).join('&');
      const url = `/v1/contests/c2/ranks?${query}`;
      const ranks = entries.map((entry) => {
        const [rank, , score] = board.all[Number(entry.slice(1))]!;
        return { entry, score, rank };
      });
      // Without a place (the lookup lost it), then with one and a ranker that knows it no more.
      for (const placed of [false, true]) {
        if (placed) {
          await putPlace(bench.lookup, 'c2');
          await playRanker(bench, 42);
        }
        const read = await bench.ask('GET', `/v1/contests/c2/leaderboard?page=${page}`);
        assert.deepEqual(read.body, { version: 40, total, scoreStep: 0.5, rows });
        assert.equal(read.headers['cache-control'], 'no-store');
        const ranked = await bench.ask('GET', url);
        assert.deepEqual(ranked.body, { version: 40, appliedVersion: 40, scoreStep: 0.5, ranks });
      }
      const late = await bench.ask('GET', '/v1/contests/c2/leaderboard?minVersion=41');
      assertError(late, 504, 'version_timeout', /newest is 40/);
    }));
}

test('without a ranker a final board is answered as stale, one that is not final not at all', () =>
  withApi(async (bench) => {
    await archiveFinal(bench, boardOf('c1', 40, 700, true));
    await archiveBoard(bench.archive, boardOf('c3', 40, 700, false), 1);
    for (const contest of ['c1', 'c3']) await putPlace(bench.lookup, contest);
    const later = async (url: string): Promise<Answer> => {
      const waiting = bench.ask('GET', url);
      await bench.clock.advanceSettled(3_000);
      return waiting;
    };
    for (const read of ['leaderboard', 'ranks?entry=e1']) {
      const { body } = await later(`/v1/contests/c1/${read}`);
      assert.equal((body as { stale: boolean }).stale, true, read);
      assertError(await later(`/v1/contests/c3/${read}`), 503, 'unavailable', /not reachable/);
    }
  }));

test('every entry of a large final board is found by its id', () =>
  withApi(async (bench) => {
    const board = boardOf('c2', 7, 2_600, true);
    await archiveFinal(bench, board);
    for (let from = 0; from < 2_600; from += 500) {
      const some = board.all.slice(from, from + 500);
      const query = some.map(([, entry]) => `entry=${entry}`).join('&');
      const { body } = await bench.ask('GET', `/v1/contests/c2/ranks?${query}`);
      const ranks = some.map(([rank, entry, score]) => ({ entry, score, rank }));
      assert.deepEqual((body as { ranks: unknown }).ranks, ranks);
    }
  }));

test('a board archived without ranks says that only its pages can be read', () =>
  withApi(async (bench) => {
    await archiveBoard(bench.archive, boardOf('c2', 7, 600, true), Number.POSITIVE_INFINITY);
    const answer = await bench.ask('GET', '/v1/contests/c2/ranks?entry=e1');
    assertError(answer, 404, 'unknown_version', /only its pages can be read/);
  }));

test('a storm on an archived page costs one read', () =>
  withApi(async (bench) => {
    await archiveBoard(bench.archive, boardOf('c1', 10, 10, false), 1);
    let reads = 0;
    const { page } = bench.archive;
    bench.archive.page = (...place) => {
      reads += 1;
      return page(...place);
    };
    const tokens = await Promise.all(Array.from({ length: 10 }, (_, i) => bench.tokenOf(`u${i}`)));
    const storm = Array.from({ length: 500 }, (_, i) =>
      bench.ask('GET', '/v1/contests/c1/leaderboard?version=10', {
        headers: { authorization: `Bearer ${tokens[i % 10]}` },
      }),
    );
    const answers = await Promise.all(storm);
    assert.ok(answers.every(({ status }) => status === 200));
    assert.equal(reads, 1);
  }));
