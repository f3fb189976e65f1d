import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type ArchivedRanks,
  archivedRanksName,
  rankBucketOf,
  rankBuckets,
} from '../../channels/contest/archived-ranks.ts';
import { decodeContestSnapshot, decodePageAnswer } from '../../channels/contest/message-codec.ts';
import { createRecords, startOfTime, until, withRankerBed } from './ranker.testbed.ts';

const hour = 3_600_000;

test('a final match is archived whole, stays an hour, then leaves memory', async () => {
  await withRankerBed(async (bed) => {
    const records = createRecords();
    await bed.append(
      records.match('m1'),
      records.contest('big', 'm1'),
      records.contest('empty', 'm1'),
      records.entries('m1', ['big'], 0, 1_000),
      records.entries('m1', ['big'], 1_000, 1_200),
      records.points('m1', 3, 12),
      records.final('m1'),
    );
    const running = await bed.start();
    await running.applied(7);
    await running.clock.advanceSettled(1_000);
    await until(async () => (await bed.archive.versions('empty', 1)).length === 1);
    const [board] = await bed.archive.versions('big', 9);
    const shape = { contest: 'big', version: 7, at: startOfTime + 7, total: 1_200, pages: 3, final: true };
    assert.deepEqual(board, shape);
    const archived = async (no: number) =>
      JSON.parse(Buffer.from((await bed.archive.page('big', 7, no))!).toString());
    const page = await archived(0);
    assert.deepEqual([page.version, page.total, page.scoreStep, page.rows.length], [7, 1_200, 0.5, 500]);
    assert.deepEqual(page.rows[0], [1, 'e3', 48]);
    assert.equal((await archived(2)).rows.length, 200);
    assert.equal((await bed.archive.versions('empty', 1))[0]!.total, 0);
    // Ranks by entry: 1,200 entries in three buckets.
    const name = archivedRanksName('big');
    assert.equal((await bed.archive.versions(name, 1))[0]!.pages, rankBuckets(1_200));
    const bucket = (await bed.archive.page(name, 7, rankBucketOf('e3', 3)))!;
    const { ranks } = JSON.parse(Buffer.from(bucket).toString()) as ArchivedRanks;
    assert.deepEqual(
      ranks.find(([entry]) => entry === 'e3'),
      ['e3', 48, 1],
    );
    assert.deepEqual(await bed.archive.versions(archivedRanksName('empty'), 1), []);
    const kept = await bed.pages.get('big', 2);
    assert.equal(kept!.version, 7);
    assert.deepEqual(decodePageAnswer(kept!.bytes).rows, (await archived(2)).rows);
    const [frame] = await bed.lookup.get(['frame_big']);
    assert.equal(decodeContestSnapshot(frame!).final, true);

    await running.clock.advanceSettled(hour - 2_000);
    assert.equal((await bed.ranks('big', ['e3'])).outcome, 'ok');
    await running.clock.advanceSettled(3_000);
    assert.equal((await bed.ranks('big', ['e3'])).outcome, 'unknown');
    await running.ranker.close();

    const next = await bed.start();
    await until(() => next.ranker.ready());
    await bed.append(records.points('m1', 3, 13));
    await next.applied(8);
    await until(async () => (await bed.letters()).length === 1);
    assert.equal((await bed.letters())[0]!.code, 'is_final');
    const folder = join(bed.checkpointFolder, 'ranker-0', 'contest-events-0');
    assert.ok((await readdir(folder)).length <= 2, 'one whole segment takes the place of all');
  });
});

test('a board that can never be archived does not keep the others from it', async () => {
  await withRankerBed(async (bed) => {
    const records = createRecords();
    await bed.append(
      records.scoresContest('bad'),
      records.scoresContest('good'),
      records.finalContest('bad'),
      records.finalContest('good'),
    );
    const archive: typeof bed.archive = {
      ...bed.archive,
      versions: (contest, limit) =>
        contest === 'bad' ? Promise.reject(new Error('too odd')) : bed.archive.versions(contest, limit),
    };
    const running = await bed.start({}, { archive });
    await running.applied(4);
    // The store takes its own time, so that the clock has to go on until it is through.
    await until(async () => {
      await running.clock.advanceSettled(10_000);
      return (await bed.archive.versions('good', 1)).length === 1;
    });
    await until(async () => {
      await running.clock.advanceSettled(hour / 2);
      return (await bed.ranks('good', ['a'])).outcome === 'unknown';
    }, 'leaving memory');
    assert.equal((await bed.ranks('bad', ['a'])).outcome, 'ok');
  });
});

test('a board that cannot be archived is tried again and kept; a restart goes on with it', async () => {
  await withRankerBed(async (bed) => {
    const records = createRecords();
    await bed.append(
      records.scoresContest('quiz'),
      records.scoreEntries('quiz', ['a']),
      records.finalContest('quiz'),
    );
    const down = { ...bed.archive, versions: () => Promise.reject(new Error('down')) };
    const first = await bed.start({}, { archive: down });
    await first.applied(3);
    await first.clock.advanceSettled(2 * hour);
    assert.equal((await bed.ranks('quiz', ['a'])).outcome, 'ok', 'not let go before it is archived');
    assert.deepEqual(await bed.archive.versions('quiz', 1), []);
    await first.ranker.close();

    const second = await bed.start();
    await until(() => second.ranker.ready());
    await second.clock.advanceSettled(1_000);
    await until(async () => (await bed.archive.versions('quiz', 1))[0]?.version === 3);
  });
});

test('large contests are archived at intervals with their first pages, while they change', async () => {
  await withRankerBed(async (bed) => {
    const records = createRecords();
    await bed.append(records.match('m1'), records.contest('big', 'm1'), records.contest('small', 'm1'));
    await bed.append(
      records.entries('m1', ['big'], 0, 1_000),
      records.entries('m1', ['big', 'small'], 1_000, 1_600),
    );
    const running = await bed.start({ archiveIntervalMs: 60_000, archiveIntervalPages: 2 });
    await running.applied(5);
    await running.clock.advanceSettled(60_000);
    await until(async () => (await bed.archive.versions('big', 9)).length === 1);
    await running.clock.advanceSettled(120_000);
    await bed.append(records.points('m1', 0, 5));
    await running.applied(6);
    await running.clock.advanceSettled(60_000);
    await until(async () => (await bed.archive.versions('big', 9)).length === 2);
    assert.deepEqual(
      (await bed.archive.versions('big', 9)).map((board) => [board.version, board.pages, board.final]),
      [
        [6, 2, false],
        [5, 2, false],
      ],
    );
  });
});
