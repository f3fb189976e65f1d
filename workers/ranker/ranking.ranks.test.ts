import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feeder, player, squad, team } from '../../test/kit/contest-records.ts';
import { orderSlots } from './order.ts';

const m = { match: 'm' };

test('[RK-14] a score is 2 x the steps of each, 3 x of the vice-captain, 4 x of the captain', () => {
  const feed = new Feeder()
    .match('m', { pointStep: 0.5 })
    .fantasy('c', 'm')
    .entries(m, [team('e', ['c'])]);
  assert.deepEqual(feed.points('m', 'p0', 10).board('c', 'e'), [['e', 80, 1]]);
  assert.deepEqual(feed.points('m', 'p1', 1.5).board('c', 'e'), [['e', 89, 1]]);
  assert.deepEqual(feed.points('m', 'p10', -2).board('c', 'e'), [['e', 81, 1]]);
  assert.deepEqual(feed.points('m', 'p11', 100).board('c', 'e'), [['e', 81, 1]]);
  assert.equal(feed.ranking.ranks('c', []).scoreStep, 0.25);
  feed.entries(m, [team('late', ['c'], { captain: 'p1', viceCaptain: 'p0' })], { at: 5_000 });
  assert.deepEqual(feed.board('c', 'late'), [['late', 64, 2]]);
});

test('[RK-14] scores stay exact when totals outgrow 16 bits, come back, and fall below', () => {
  const feed = new Feeder()
    .match('m')
    .fantasy('c', 'm')
    .entries(m, [team('e', ['c']), team('f', ['c'], { captain: 'p2' })]);
  for (const points of [8_191, 8_192, 10_000, -8_192, -8_193, -10_000, 0]) {
    feed.points('m', 'p0', points);
    const [e = 0, f = 0] = [4 * points, 2 * points];
    const ranked = [
      ['e', e, e >= f ? 1 : 2],
      ['f', f, f >= e ? 1 : 2],
    ];
    assert.deepEqual(feed.board('c', 'e', 'f'), ranked);
  }
  for (const name of squad) feed.points('m', name, 10_000);
  assert.deepEqual(feed.board('c', 'e'), [['e', 250_000, 1]]);
});

for (const smallContestEntriesMax of [1, 1_000]) {
  const size = smallContestEntriesMax === 1 ? 'large' : 'small';

  test(`[RK-17] ranks in a ${size} contest: one more than there are greater scores`, () => {
    const feed = new Feeder({ smallContestEntriesMax }).match('m').fantasy('c', 'm');
    const captains = ['p0', 'p2', 'p2', 'p3'];
    feed.entries(
      m,
      captains.map((captain, i) => team(`e${i}`, ['c'], { captain })),
    );
    feed.points('m', 'p0', 3).points('m', 'p2', 2).points('m', 'p3', 1);
    const ranks = feed.board('c', 'e0', 'e1', 'e2', 'e3', 'none').map(([, , rank]) => rank);
    assert.deepEqual(ranks, [1, 2, 2, 4, undefined]);
    feed.points('m', 'p3', 9);
    assert.deepEqual(
      feed.board('c', 'e3', 'e0').map(([, , rank]) => rank),
      [1, 2],
    );
    feed.entries(m, [team('e0', [])]);
    assert.deepEqual(feed.board('c', 'e0'), [['e0', null]]);
    assert.deepEqual(feed.board('c', 'e1'), [['e1', 32, 2]]);
  });
}

test('[RK-18] top rows and the whole order go by score, then by first appearance', () => {
  const feed = new Feeder({ smallContestEntriesMax: 1, topRows: 3 })
    .match('m')
    .fantasy('c', 'm')
    .fantasy('d', 'm');
  feed.entries(m, [team('z', ['d'])]).entries(
    m,
    ['a', 'b', 'c', 'd'].map((entry) => team(entry, ['c', 'd'])),
  );
  feed.entries(m, [team('z', ['c'], { captain: 'p4' })]);
  const top = () => feed.ranking.snapshotContest('c')?.top.map(([rank, entry]) => `${rank}${entry}`);
  const order = () => {
    const ordinals = orderSlots(feed.ranking.orderInput('c')!);
    return feed.ranking.names('c', ordinals).map(({ entry }) => entry);
  };
  assert.deepEqual(
    [top(), order()],
    [
      ['1a', '1b', '1c'],
      ['a', 'b', 'c', 'd', 'z'],
    ],
  );
  feed.points('m', 'p4', 5);
  assert.deepEqual(
    [top(), order()],
    [
      ['1z', '2a', '2b'],
      ['z', 'a', 'b', 'c', 'd'],
    ],
  );
  feed.points('m', 'p4', -5);
  assert.deepEqual(
    [top(), order()],
    [
      ['1a', '1b', '1c'],
      ['a', 'b', 'c', 'd', 'z'],
    ],
  );
});

test('[RK-19] a frame names what any record touched, even what ended where it began', () => {
  const feed = new Feeder({ smallContestEntriesMax: 1 })
    .match('m')
    .fantasy('big', 'm')
    .fantasy('small', 'm')
    .scores('s');
  feed
    .entries(m, [team('e', ['big', 'small']), team('f', ['big'])])
    .entries({ contest: 's' }, [player('e', ['s'])]);
  const { ranking } = feed;
  for (const contest of ['big', 'small', 's']) ranking.watchContest(contest);
  const base = ranking.version;
  feed.entries(m, [team('e', ['small'])]).entries(m, [team('e', ['big', 'small'])]);
  feed.score('s', 'e', 5).score('s', 'e', 0);
  let big = ranking.takeContestFrame('big');
  assert.deepEqual([big.base, big.version, big.whole], [base, base + 4, false]);
  assert.deepEqual([big.counts, big.changedUsers], [{ scores: [0], counts: [2] }, ['u-e']]);
  assert.deepEqual(
    ranking.takeMatchFrame('m').contests[0]?.entries?.map(([ordinal]) => ordinal),
    [0],
  );
  const scores = ranking.takeContestFrame('s');
  assert.deepEqual(scores.counts, { scores: [0, 5], counts: [1, 0] });
  assert.deepEqual(scores.changedScores, [['e', 'u-e', 0]]);
  feed.points('m', 'p3', 9).points('m', 'p3', 0);
  big = ranking.takeContestFrame('big');
  assert.deepEqual([big.base, big.whole, big.players, big.changedUsers], [base + 4, true, [[3, 0]], []]);
  assert.deepEqual(ranking.takeMatchFrame('m').players, [[3, 0]]);
});

test('[RK-19] a contest that grows large says so in its match’s frame, then has its own', () => {
  const feed = new Feeder({ smallContestEntriesMax: 2 }).match('m').fantasy('c', 'm');
  const { ranking } = feed;
  feed.entries(m, [team('a', ['c']), team('b', ['c'])]);
  ranking.watchContest('c');
  assert.throws(() => ranking.takeContestFrame('c'), /small/);
  feed.entries(m, [team('d', ['c'])]).entries(m, [team('d', [])]);
  assert.deepEqual(ranking.touched(), { contests: ['c'], matches: ['m'] });
  const [row] = ranking.takeMatchFrame('m').contests;
  assert.deepEqual([row?.contest, row?.total, row?.entries], ['c', 2, null]);
  const frame = ranking.takeContestFrame('c');
  assert.deepEqual([frame.base, frame.version, frame.total], [feed.offset - 1, feed.offset, 2]);
  assert.equal(ranking.contest('c')?.large, true, 'once large, it stays large');
  feed.entries(m, [team('b', [])]);
  assert.deepEqual(ranking.takeMatchFrame('m').contests, []);
});

test('[RK-19] a contest watched amid a frame of its match is asked for again if it changed before', () => {
  const feed = new Feeder().match('m').fantasy('c', 'm').fantasy('d', 'm');
  const { ranking } = feed;
  ranking.watchMatch('m');
  feed.entries(m, [team('a', ['c'])]);
  ranking.watchContest('c');
  ranking.watchContest('d');
  feed.entries(m, [team('b', ['c', 'd'])]);
  const rows = ranking
    .takeMatchFrame('m')
    .contests.map(({ contest, entries }) => [contest, entries?.length ?? null]);
  assert.deepEqual(rows, [
    ['c', null],
    ['d', 1],
  ]);
  feed.entries(m, [team('b', ['c'])]);
  assert.deepEqual(
    ranking.takeMatchFrame('m').contests.map(({ entries }) => entries?.length),
    [1, 1],
  );
});

test('[RK-19] more changes than a frame names are said to be too many', () => {
  const options = { smallContestEntriesMax: 2, changedUsersMax: 3, changedScoresMax: 3, touchedScoresMax: 4 };
  const feed = new Feeder(options).match('m').fantasy('big', 'm').fantasy('small', 'm').scores('s');
  feed.entries(
    m,
    ['a', 'b', 'c'].map((entry) => team(entry, ['big'])),
  );
  const { ranking } = feed;
  for (const contest of ['big', 'small', 's']) ranking.watchContest(contest);
  const names = ['1', '2', '3', '4'];
  for (const entry of names)
    feed.entries(m, [team(entry, ['big', 'small'])]).entries(m, [team(entry, ['big'])]);
  feed.entries(
    { contest: 's' },
    names.map((entry) => player(entry, ['s'])),
  );
  assert.equal(ranking.takeContestFrame('big').changedUsers, null);
  assert.deepEqual(
    ranking.takeMatchFrame('m').contests.map(({ contest, entries }) => [contest, entries]),
    [['small', null]],
  );
  let frame = ranking.takeContestFrame('s');
  assert.deepEqual([frame.changedScores, frame.whole], [null, false]);
  for (const [i, entry] of names.entries()) feed.score('s', entry, 10 + i);
  frame = ranking.takeContestFrame('s');
  assert.deepEqual([frame.whole, frame.counts], [true, { scores: [10, 11, 12, 13], counts: [1, 1, 1, 1] }]);
  feed.score('s', '1', 7);
  frame = ranking.takeContestFrame('s');
  assert.deepEqual([frame.whole, frame.counts], [false, { scores: [7, 10], counts: [1, 0] }]);
});
