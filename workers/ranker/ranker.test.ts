import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContestMirror } from '../../channels/contest/contest-mirror.ts';
import {
  decodeContestFrame,
  decodeContestSnapshot,
  decodeHeads,
  decodeMatchFrame,
  encodeQuestion,
} from '../../channels/contest/message-codec.ts';
import {
  type ContestFrame,
  contestTopic,
  type Heads,
  headsTopic,
  type MatchFrame,
  matchTopic,
  rankerSubject,
} from '../../channels/contest/messages.ts';
import { createRecords, type RankerBed, type Running, until, withRankerBed } from './ranker.testbed.ts';

/** A match with a small contest of 20 and a large one of 1,100, ready and applied. */
async function begin(
  bed: RankerBed,
  options: Parameters<RankerBed['start']>[0] = {},
): Promise<{ running: Running; records: ReturnType<typeof createRecords>; version: number }> {
  const records = createRecords();
  const places = await bed.append(
    records.match('m1'),
    records.contest('small', 'm1'),
    records.contest('large', 'm1'),
    records.entries('m1', ['small', 'large'], 0, 20),
    records.entries('m1', ['large'], 20, 600),
    records.entries('m1', ['large'], 600, 1_100),
  );
  const running = await bed.start(options);
  await until(() => running.ranker.ready(), 'readiness');
  return { running, records, version: places.at(-1)!.offset + 1 };
}

async function listen(
  bed: RankerBed,
): Promise<{ large: ContestFrame[]; match: MatchFrame[]; heads: Heads[] }> {
  const heard = { large: [] as ContestFrame[], match: [] as MatchFrame[], heads: [] as Heads[] };
  await bed.bus.subscribe(contestTopic('large'), (bytes) => heard.large.push(decodeContestFrame(bytes)));
  await bed.bus.subscribe(matchTopic('m1'), (bytes) => heard.match.push(decodeMatchFrame(bytes)));
  await bed.bus.subscribe(headsTopic(0), (bytes) => heard.heads.push(decodeHeads(bytes)));
  return heard;
}

test('a mirror of snapshot and frames has everyone’s exact rank', async () => {
  await withRankerBed(async (bed) => {
    const { running, records, version } = await begin(bed);
    const heard = await listen(bed);
    const wanted = await bed.want({ contests: ['large', 'small', 'nothing'], matches: ['m1', 'none'] });
    assert.equal(wanted.version, version);
    assert.deepEqual(
      wanted.contests.map((snapshot) => snapshot?.total ?? null),
      [1_100, 20, null],
    );
    assert.deepEqual(
      wanted.matches.map((snapshot) => snapshot?.match ?? null),
      ['m1', null],
    );
    const large = new ContestMirror(wanted.contests[0]!);
    const small = new ContestMirror(wanted.contests[1]!);
    const random = [7, 3, 90, 12, 0, -4, 55, 21, 8, 19];
    for (const [i, points] of random.entries()) {
      const [place] = await bed.append(records.points('m1', (i * 5) % 22, points));
      await running.applied(place!.offset + 1);
      await running.clock.advanceSettled(100);
    }
    await until(() => heard.large.length === 10 && heard.match.length === 10);
    for (const frame of heard.large) assert.equal(large.take(frame), 'taken');
    for (const frame of heard.match) assert.equal(small.takeMatch(frame, null), 'taken');
    const entries = Array.from({ length: 20 }, (_, i) => `e${i}`);
    for (const mirror of [large, small]) {
      const exact = await bed.ranks(mirror.contest, entries);
      assert.equal(mirror.version, exact.version);
      for (const [i, user] of entries.map((name) => name.replace('e', 'u')).entries()) {
        const who = await bed.who(mirror.contest, [user]);
        const [, team] = who.users![0]![0]!;
        const score = mirror.scoreOf(team!);
        assert.deepEqual([score, mirror.rankOf(score)], exact.ranks[i]);
      }
    }
  });
});

test('a tick is one frame; only channels with a lease have any', async () => {
  await withRankerBed(async (bed) => {
    const { running, records, version } = await begin(bed);
    const heard = await listen(bed);
    await bed.append(records.points('m1', 0, 1));
    await running.applied(version + 1);
    await running.clock.advanceSettled(1_000);
    assert.deepEqual([heard.large.length, heard.match.length], [0, 0]);

    await bed.want({ contests: ['large'], leaseMs: 5_000 });
    for (let i = 0; i < 4; i += 1) {
      await bed.append(records.points('m1', i, 2 + i));
      await running.applied(version + 2 + i);
    }
    await running.clock.advanceSettled(100);
    assert.deepEqual(
      heard.large.map(({ base, version: to }) => [base - version, to - version]),
      [
        [1, 2],
        [2, 5],
      ],
    );
    assert.deepEqual(
      heard.large[1]!.players.map(([index]) => index),
      [1, 2, 3],
    );
    assert.equal(heard.match.length, 0, 'nobody wants the match or a small contest of it');

    await running.clock.advanceSettled(6_000);
    await bed.append(records.points('m1', 5, 9));
    await running.applied(version + 6);
    await running.clock.advanceSettled(1_000);
    assert.equal(heard.large.length, 2);

    await bed.want({ renewContests: ['large'], renewMatches: ['m1'] });
    await bed.append(records.points('m1', 5, 10));
    await until(() => heard.large.length === 3 && heard.match.length === 1);
    assert.equal(heard.large[2]!.base, version + 6);
  });
});

test('heads tell the version of the last frame of every wanted channel', async () => {
  await withRankerBed(async (bed) => {
    const { running, records, version } = await begin(bed);
    const heard = await listen(bed);
    await bed.want({ contests: ['large', 'small'] });
    await running.clock.advanceSettled(1_000);
    await until(() => heard.heads.length === 1);
    assert.deepEqual(heard.heads[0], {
      partition: 0,
      replica: 0,
      version,
      contests: [['large', version]],
      matches: [['m1', version]],
    });
    await bed.append(records.points('m1', 5, 10));
    await until(() => heard.large.length === 1);
    await running.clock.advanceSettled(1_000);
    await until(() => heard.heads.length === 2);
    assert.deepEqual(heard.heads[1]!.contests, [['large', version + 1]]);
  });
});

test('an edge that wants too much is not answered, and what it has is renewed all the same', async () => {
  await withRankerBed(async (bed) => {
    const { running } = await begin(bed, { wantedPerEdgeMax: 1 });
    await bed.want({ contests: ['large'], leaseMs: 2_000 });
    await running.clock.advanceSettled(1_000);
    const question = {
      q: 'want' as const,
      edge: 'e1',
      leaseMs: 2_000,
      contests: ['small'],
      matches: [],
      renewContests: ['large'],
      renewMatches: [],
    };
    let answered = false;
    void bed.bus.ask(rankerSubject(0), encodeQuestion(question), 60_000).then(
      () => {
        answered = true;
      },
      () => undefined,
    );
    await until(async () => /outcome="dropped"} [1-9]/.test(await running.registry.metrics()));
    assert.equal(answered, false);
    assert.match(await running.registry.metrics(), /wanted_channels\{partition="0"\} 1/);
    await running.clock.advanceSettled(1_500);
    assert.match(await running.registry.metrics(), /wanted_channels\{partition="0"\} 1/, 'renewed');
    await running.clock.advanceSettled(1_500);
    assert.match(await running.registry.metrics(), /wanted_channels\{partition="0"\} 0/);
    await bed.want({ contests: ['small'] });
  });
});

test('questions for a version wait for it, up to their time', async () => {
  await withRankerBed(async (bed) => {
    const { running, records, version } = await begin(bed);
    const later = bed.ranks('small', ['e0', 'nobody'], version + 1, 2_000);
    const pageLater = bed.page('small', 0, version + 1, 2_000);
    const never = bed.ranks('small', ['e0'], version + 9, 1_000);
    await until(async () => /waiting_questions\{partition="0"\} 3/.test(await running.registry.metrics()));
    await bed.append(records.points('m1', 0, 10));
    const ranks = await later;
    assert.deepEqual([ranks.outcome, ranks.version], ['ok', version + 1]);
    assert.deepEqual(ranks.ranks, [[40, 1], null]);
    const page = await pageLater;
    assert.deepEqual([page.outcome, page.version, page.total], ['ok', version + 1, 20]);
    assert.deepEqual(page.rows[0], [1, 'e0', 40]);
    await running.clock.advanceSettled(1_000);
    assert.equal((await never).outcome, 'timeout');
    assert.equal((await bed.ranks('nothing', ['e0'])).outcome, 'unknown');
    assert.equal((await bed.page('nothing', 0)).outcome, 'unknown');
    assert.deepEqual((await bed.page('small', 7)).rows, []);
  });
});

test('an order is computed at most once in its interval, in a thread where it is long', async () => {
  await withRankerBed(async (bed) => {
    const { running, records, version } = await begin(bed, { orderInlineEntriesMax: 100 });
    const first = await bed.page('large', 1);
    assert.deepEqual([first.version, first.total, first.rows.length], [version, 1_100, 500]);
    assert.deepEqual(first.rows[0], [1, 'e500', 0]);
    await bed.append(records.points('m1', 0, 10));
    await running.applied(version + 1);
    assert.equal((await bed.page('large', 0)).version, version, 'within the interval: the same order');
    const fresh = bed.page('large', 2, version + 1, 2_000);
    await running.clock.advanceSettled(1_000);
    const page = await fresh;
    assert.equal(page.version, version + 1);
    assert.equal(page.rows.length, 100);
    assert.deepEqual((await bed.page('large', 0)).rows[0], [1, 'e0', 40]);
  });
});

test('places are written with what is created, and last states and top rows are left behind', async () => {
  await withRankerBed(async (bed) => {
    const { running, records, version } = await begin(bed);
    const place = async (key: string): Promise<unknown> => {
      const [value] = await bed.lookup.get([key]);
      return value === null ? null : JSON.parse(Buffer.from(value!).toString());
    };
    const wanted = await bed.want({ contests: ['large', 'small'] });
    const epochs = wanted.contests.map((snapshot) => snapshot!.epoch);
    assert.deepEqual(await place('contest_large'), {
      partition: 0,
      kind: 'fantasy',
      match: 'm1',
      epoch: epochs[0],
    });
    assert.deepEqual(await place('contest_small'), {
      partition: 0,
      kind: 'fantasy',
      match: 'm1',
      epoch: epochs[1],
    });
    assert.equal(((await place('match_m1')) as { kind: string }).kind, 'match');
    assert.equal(await place('contest_other'), null);

    await bed.append(records.points('m1', 3, 10));
    await running.applied(version + 1);
    await running.clock.advanceSettled(1_000);
    await until(async () => (await bed.sets.counts(['top_large']))[0] === 1_000);
    const { rows } = (await bed.sets.page('top_large', 0, 500))!;
    const board = await bed.page('large', 0);
    assert.deepEqual(
      rows.map(([member, score]) => [member.split(':')[1], score]),
      board.rows.map(([, entry, score]) => [entry, score]),
      'a sorted set lists them as the board does',
    );
    const [frame] = await bed.lookup.get(['frame_small']);
    const snapshot = decodeContestSnapshot(frame!);
    assert.deepEqual([snapshot.version, snapshot.entries!.length], [version + 1, 20]);
    assert.equal(snapshot.matchState!.players[3]![1], 10);
  });
});

test('a backlog is applied in slices: questions are answered meanwhile', async () => {
  await withRankerBed(async (bed) => {
    const { running, records, version } = await begin(bed, { sliceMs: 0 });
    const many = Array.from({ length: 3_000 }, (_, i) => records.points('m1', i % 22, i));
    await bed.append(...many);
    const answer = await bed.who('small', ['u1']);
    assert.ok(answer.version < version + 3_000, `answered at ${answer.version}`);
    await running.applied(version + 3_000);
  });
});
