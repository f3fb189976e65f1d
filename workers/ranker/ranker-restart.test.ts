import assert from 'node:assert/strict';
import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeMatchFrame } from '../../channels/contest/message-codec.ts';
import { type MatchFrame, matchTopic } from '../../channels/contest/messages.ts';
import { parseRecord } from '../../proto/parse-record.ts';
import { createRanking } from './create-ranking.ts';
import { createRecords, type RankerBed, startOfTime, until, withRankerBed } from './ranker.testbed.ts';

const names = Array.from({ length: 40 }, (_, i) => `e${i}`);

async function boards(bed: RankerBed): Promise<unknown> {
  const { scoreStep, ranks } = await bed.ranks('c1', names);
  const who = await bed.who('c1', ['u1', 'u7', 'u39', 'nobody']);
  const page = await bed.page('c1', 0);
  return { scoreStep, ranks, users: who.users, epoch: who.epoch, rows: page.rows };
}

async function begin(bed: RankerBed) {
  const records = createRecords();
  await bed.append(
    records.match('m1'),
    records.contest('c1', 'm1'),
    records.entries('m1', ['c1'], 0, 30),
    records.points('m1', 3, 12),
    records.scoresContest('quiz'),
    records.scoreEntries('quiz', ['a', 'b']),
  );
  return records;
}
const folderOf = (bed: RankerBed): string => join(bed.checkpointFolder, 'ranker-0', 'contest-events-0');

test('[RK-20] killed at any moment, it goes on from its checkpoint and the records after it', async () => {
  await withRankerBed(async (bed) => {
    const records = await begin(bed);
    const first = await bed.start();
    await first.applied(6);
    await first.clock.advanceSettled(11_000);
    await until(async () => (await readdir(folderOf(bed))).includes('head'));
    await bed.append(
      records.points('m1', 5, 20),
      records.entries('m1', ['c1'], 30, 40),
      records.score('quiz', 'b', 7),
    );
    await first.applied(9);
    const before = await boards(bed);
    await first.kill();

    const second = await bed.start();
    await until(() => second.ranker.ready());
    assert.equal(second.ranker.applied(0), 9);
    assert.deepEqual(await boards(bed), before);
    assert.deepEqual((await bed.ranks('quiz', ['a', 'b'])).ranks, [
      [0, 2],
      [7, 1],
    ]);
    assert.match(await second.registry.metrics(), /records_total\{partition="0",outcome="applied"\} 3/);
    await second.ranker.close();

    const third = await bed.start();
    await until(() => third.ranker.ready());
    assert.doesNotMatch(
      await third.registry.metrics(),
      /outcome="applied"\} [1-9]/,
      'closed with a checkpoint',
    );
    assert.deepEqual(await boards(bed), before);
    assert.equal(third.ranker.applied(0), 9);
  });
});

test('a damaged checkpoint is not used: all is rebuilt from the log', async () => {
  for (const damage of ['head', 'segment'] as const) {
    await withRankerBed(async (bed) => {
      await begin(bed);
      const first = await bed.start();
      await first.applied(6);
      const before = await boards(bed);
      await first.ranker.close();
      const file = (await readdir(folderOf(bed))).find((name) => name.startsWith(damage))!;
      await appendFile(join(folderOf(bed), file), 'x');
      const second = await bed.start();
      await until(() => second.ranker.ready());
      assert.match(await second.registry.metrics(), /outcome="applied"\} 6/);
      assert.deepEqual(await boards(bed), before);
    });
  }
});

test('a checkpoint of another log is not used: its last record is looked at', async () => {
  await withRankerBed(async (bed) => {
    await begin(bed);
    const first = await bed.start();
    await first.applied(6);
    await first.ranker.close();
    for (const [how, log] of Object.entries({
      shorter: { ...bed.log, bounds: async () => ({ first: 0, next: 4 }) },
      other: {
        ...bed.log,
        read: async (...at: Parameters<typeof bed.log.read>) =>
          (await bed.log.read(...at)).map((record) => ({
            ...record,
            value: Buffer.concat([record.value, Buffer.from(' ')]),
          })),
      },
    })) {
      const again = await bed.start({}, { log });
      await again.applied(6);
      assert.match(await again.registry.metrics(), /outcome="applied"\} 6/, how);
      await again.kill();
    }
  });
});

test('where the log’s beginning is gone, matches that began there are refused', async () => {
  await withRankerBed(async (bed) => {
    const records = await begin(bed);
    const first = await bed.start();
    await first.applied(6);
    await first.kill();
    await writeFile(join(folderOf(bed), 'head'), 'gone');
    await bed.append(
      records.match('m1'),
      records.points('m1', 3, 1),
      records.scoresContest('quiz'),
      records.match('m2'),
      records.contest('c2', 'm2'),
    );
    const beheaded = {
      ...bed.log,
      bounds: async (topic: string, partition: number) => ({
        ...(await bed.log.bounds(topic, partition)),
        ...(topic === 'contest-events' ? { first: 6 } : {}),
      }),
    };
    const second = await bed.start({}, { log: beheaded });
    await until(() => second.ranker.ready());
    await second.applied(11);
    assert.equal((await bed.ranks('c1', ['e0'])).outcome, 'unknown');
    assert.equal((await bed.ranks('quiz', ['a'])).outcome, 'unknown');
    assert.equal((await bed.ranks('c2', ['a'])).outcome, 'ok');
    // letters are written behind what is applied
    await until(async () => (await bed.letters()).length >= 3);
    assert.deepEqual(
      (await bed.letters()).map(({ offset, code }) => [offset, code]),
      [
        [6, 'no_such_match'],
        [7, 'no_such_match'],
        [8, 'no_such_contest'],
      ],
    );
  });
});

test('[VIEW-4] after a restart frames name small contests that nobody has asked this life for', async () => {
  await withRankerBed(async (bed) => {
    const records = await begin(bed);
    await bed.append(records.contest('c2', 'm1'), records.entries('m1', ['c2'], 50, 52));
    const first = await bed.start();
    await first.applied(8);
    // This edge holds its lease, and takes frames, also after the ranker has begun anew.
    await bed.want({ edge: 'old', contests: ['c2'] });
    await first.kill();
    const second = await bed.start();
    await until(() => second.ranker.ready());
    await bed.want({ edge: 'other', contests: ['c1'] });
    const frames: MatchFrame[] = [];
    await bed.bus.subscribe(matchTopic('m1'), (bytes) => {
      frames.push(decodeMatchFrame(bytes));
    });
    await bed.append(records.entries('m1', ['c2'], 52, 53));
    await until(() => frames.length === 1);
    assert.deepEqual(
      frames[0]!.contests.map(({ contest, total, entries }) => [contest, total, entries]),
      [['c2', 3, null]],
    );
    await bed.want({ edge: 'old', renewContests: ['c2'] });
    await second.clock.advanceSettled(1_000);
    await bed.append(records.entries('m1', ['c2'], 53, 54));
    await until(() => frames.length === 2);
    assert.equal(frames[1]!.contests[0]!.entries?.length, 1, 'asked for now: told what changed');
    await second.clock.advanceSettled(62_000);
    await bed.want({ edge: 'other', contests: ['c1'] });
    await bed.append(records.entries('m1', ['c2'], 54, 55));
    await until(() => frames.length === 3);
    assert.deepEqual(frames[2]!.contests, [], 'no lease of the former life is left');
  });
});

test('dead letters come once, whatever is applied again, and from replica 0 only', async () => {
  await withRankerBed(async (bed) => {
    const records = await begin(bed);
    const bad = (value: string): Promise<unknown> =>
      bed.log.append('contest-events', [{ key: 'm1', value: Buffer.from(value) }]);
    await bad('{"type":"points"');
    await bed.append(records.points('m2', 1, 1), records.points('m1', 2, 0.25));
    await bad(JSON.stringify({ ...records.points('m1', 1, 1), at: startOfTime + 60_001 }));
    const replica = await bed.start({ replica: 1 });
    await replica.applied(10);
    const first = await bed.start();
    await first.applied(10);
    await until(async () => (await bed.letters()).length === 4);
    await first.clock.advanceSettled(11_000);
    await first.kill();
    const second = await bed.start();
    await bed.append(records.points('m1', 99, 1), {
      ...records.entries('m1', ['c1', 'nothing'], 90, 91),
    });
    await second.applied(12);
    await until(async () => (await bed.letters()).length === 6);
    await second.kill();
    await writeFile(join(folderOf(bed), 'head'), 'damaged');
    const third = await bed.start();
    await until(() => third.ranker.ready());
    await bed.append(records.points('m1', 98, 1));
    await until(async () => (await bed.letters()).length === 7);
    assert.deepEqual(
      (await bed.letters()).map(({ offset, item, code }) => [offset, item, code]),
      [
        [6, null, 'bad_json'],
        [7, null, 'no_such_match'],
        [8, null, 'off_step'],
        [9, null, 'future_at'],
        [10, null, 'no_such_player'],
        [11, 0, 'no_such_contest'],
        [12, null, 'no_such_player'],
      ],
    );
  });
});

test('what cannot be written is tried again: no record is applied twice, no letter lost', async () => {
  await withRankerBed(async (bed) => {
    const records = await begin(bed);
    let down = true;
    const failing = {
      ...bed.log,
      append: (...of: Parameters<typeof bed.log.append>) =>
        down ? Promise.reject(new Error('down')) : bed.log.append(...of),
    };
    const running = await bed.start({}, { log: failing });
    await running.applied(6);
    await bed.append(records.points('m2', 1, 1), records.points('m1', 1, 5));
    await running.applied(8);
    const { ranks } = await bed.ranks('c1', ['e1']);
    assert.equal((await bed.letters()).length, 0);
    await until(() => !running.ranker.ready(), 'unready');
    assert.match(await running.registry.metrics(), /rankcast_ranker_failures_total\{partition="0"\} [1-9]/);
    down = false;
    await bed.retry();
    await until(async () => (await bed.letters()).length === 1);
    await until(() => running.ranker.ready(), 'ready');
    assert.deepEqual((await bed.ranks('c1', ['e1'])).ranks, ranks);
  });
});

test('a place of an earlier log is replaced; an id taken in another partition keeps its place', async () => {
  await withRankerBed(async (bed) => {
    const put = (key: string, place: object): Promise<void> =>
      bed.lookup.put(key, 0, Buffer.from(JSON.stringify(place)), 0);
    await put('contest_c1', { partition: 0, kind: 'fantasy', match: 'm1', epoch: 'old' });
    await put('contest_quiz', { partition: 3, kind: 'scores', match: null, epoch: 'other' });
    await begin(bed);
    const running = await bed.start();
    await running.applied(6);
    await until(() => running.ranker.ready());
    const place = async (key: string) =>
      JSON.parse(Buffer.from((await bed.lookup.get([key]))[0]!).toString());
    assert.equal((await place('contest_c1')).epoch, (await bed.who('c1', [])).epoch);
    assert.equal((await place('contest_quiz')).epoch, 'other');
  });
});

test('killed at random moments, boards and letters are those of one that never died', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  let state = seed;
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  await withRankerBed(async (bed) => {
    const records = await begin(bed);
    const some = [
      () => records.points('m1', random(24), random(50) - 9),
      () => records.entries('m1', random(3) === 0 ? [] : ['c1'], random(40), 40 + random(5)),
      () => records.score('quiz', random(2) === 0 ? 'a' : 'c', random(9)),
      () => ({ ...records.points('m1', random(22), random(50)), at: startOfTime + random(400) }),
    ];
    let running = await bed.start({ checkpointRecordsMax: 7, checkpointSegmentsMax: 3, sliceMs: 0 });
    let next = 6;
    for (let step = 0; step < 120; step += 1) {
      await bed.append(some[random(some.length)]!(), some[random(some.length)]!());
      next += 2;
      if (random(12) > 0) continue;
      if (random(2) === 0) await running.applied(next - random(4));
      await running.kill();
      running = await bed.start({ checkpointRecordsMax: 7, checkpointSegmentsMax: 3, sliceMs: 0 });
    }
    await running.applied(next);
    await until(() => running.ranker.ready());

    const straight = createRanking();
    const letters: string[] = [];
    for (const logged of await bed.log.read('contest-events', 0, 0, 10_000)) {
      const record = parseRecord('contest-events', logged.value, logged.timestamp);
      for (const { code, item } of straight.apply(logged.offset, record)) {
        letters.push(`${logged.offset} ${item} ${code}`);
      }
    }
    const about = `SEED=${seed}`;
    assert.deepEqual((await bed.ranks('c1', names)).ranks, straight.ranks('c1', names).ranks, about);
    assert.deepEqual(
      (await bed.ranks('quiz', ['a', 'b'])).ranks,
      straight.ranks('quiz', ['a', 'b']).ranks,
      about,
    );
    const who = await bed.who('c1', ['u1', 'u39']);
    const { touched } = straight.who('c1', []);
    assert.ok(who.touched >= touched && who.touched <= who.version, about);
    assert.deepEqual({ ...who, touched }, straight.who('c1', ['u1', 'u39']), about);
    await until(async () => (await bed.letters()).length >= letters.length, `letters, ${about}`);
    assert.deepEqual(
      (await bed.letters()).map(({ offset, item, code }) => `${offset} ${item} ${code}`),
      letters,
      about,
    );
    assert.ok(letters.length > 10, about);
  });
});
