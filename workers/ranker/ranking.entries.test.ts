import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feeder, player, squad, team } from '../../test/kit/contest-records.ts';

const m = { match: 'm' };

test('[RK-7] a team is eleven different players with two captains, in contests of the match', () => {
  const feed = new Feeder().match('m').match('n').fantasy('c', 'm').fantasy('d', 'n').scores('s');
  const eleven = squad.slice(0, 11);
  const items = [
    team('e0', ['c']),
    team('e1', ['c'], { players: squad.slice(0, 10) }),
    team('e2', ['c'], { players: [...squad.slice(0, 10), 'p9'] }),
    team('e3', ['c'], { captain: 'p12' }),
    team('e4', ['c'], { viceCaptain: 'p12' }),
    team('e5', ['c'], { captain: 'p1' }),
    team('e6', ['c'], { players: [...eleven.slice(1), 'p77'], captain: 'p2', viceCaptain: 'p3' }),
    team('e7', ['nowhere']),
    team('e8', ['d']),
    team('e9', ['s']),
    player('e10', ['c']),
    team('e11', ['c', 'c']),
  ];
  feed.entries(m, items);
  assert.deepEqual(feed.refused, [
    '1 bad_team',
    '2 bad_team',
    '3 bad_team',
    '4 bad_team',
    '5 bad_team',
    '6 no_such_player',
    '7 no_such_contest',
    '8 wrong_match',
    '9 wrong_kind',
    '10 bad_team',
  ]);
  for (const [i, message] of feed.messages.entries())
    assert.match(message, new RegExp(`^entries\\[${i + 1}\\]: \\S+ .*`));
  assert.equal(feed.ranking.contest('c')?.total, 2);
  assert.deepEqual(feed.entries({ match: 'x' }, [team('e', ['c'])]).refused, ['no_such_match']);
});

test('[RK-7] items apply in order', () => {
  const feed = new Feeder({ entriesPerUserMax: 1 }).match('m').fantasy('c', 'm');
  const twice = [
    team('a', ['c'], { user: 'u' }),
    team('b', ['c'], { user: 'u' }),
    team('a', [], { user: 'u' }),
  ];
  assert.deepEqual(feed.entries(m, twice).refused, ['1 contest_full']);
  assert.equal(feed.ranking.contest('c')?.total, 1);
});

test('[RK-8] stale items change nothing, before every other rule; an entry keeps its user', () => {
  const feed = new Feeder().match('m', { startsAt: 500 }).fantasy('c', 'm');
  feed.entries(m, [team('e', ['c'])], { at: 100, id: 'k' });
  feed.entries(m, [team('e', ['nowhere'], { user: 'thief', players: [] })], { at: 100, id: 'k' });
  assert.deepEqual([feed.refused, feed.ranking.contest('c')?.total], [[], 1]);
  feed.entries(m, [team('e', [])], { at: 99, id: 'z' });
  assert.deepEqual([feed.refused, feed.ranking.contest('c')?.total], [[], 1]);
  feed.entries(m, [team('e', [], { user: 'thief' })], { at: 101 });
  assert.deepEqual([feed.refused, feed.ranking.contest('c')?.total], [['0 wrong_user_of_entry'], 1]);
  feed
    .match('n')
    .fantasy('d', 'n')
    .entries({ match: 'n' }, [team('e', ['d'], { user: 'another' })]);
  assert.deepEqual(feed.refused, [], 'ids are unique in a match only');
});

test('[RK-9] an item replaces the entry whole; no contests withdraw it; its stamp stays', () => {
  const feed = new Feeder().match('m').fantasy('a', 'm').fantasy('b', 'm').fantasy('c', 'm');
  feed.entries(m, [team('e', ['a', 'b'])], { at: 10 }).points('m', 'p14', 5);
  feed.entries(m, [team('e', ['c', 'b'], { players: squad.slice(4), captain: 'p14' })], { at: 20 });
  const totals = () => ['a', 'b', 'c'].map((contest) => feed.ranking.contest(contest)?.total);
  assert.deepEqual([totals(), feed.board('b', 'e')], [[0, 1, 1], [['e', 20, 1]]]);
  feed.entries(m, [{ entry: 'e', user: 'u-e', contests: [], players: ['ignored'] }], { at: 30 });
  assert.deepEqual([feed.refused, totals()], [[], [0, 0, 0]]);
  feed.entries(m, [team('e', ['a'])], { at: 29 });
  assert.deepEqual([feed.refused, totals()], [[], [0, 0, 0]]);
  feed.entries(m, [team('e', ['a'])], { at: 31 });
  assert.deepEqual(totals(), [1, 0, 0]);
});

test('[RK-10] from its start on a match takes new entries only, whatever the clock says', () => {
  const feed = new Feeder().match('m', { startsAt: 100, at: 1 }).fantasy('c', 'm').fantasy('d', 'm');
  feed.entries(m, [team('e', ['c']), team('gone', [])], { at: 99 });
  feed.entries(m, [team('e', ['d']), team('gone', ['c']), team('new', ['c'])], { at: 100 });
  assert.deepEqual(feed.refused, ['0 match_started', '1 match_started']);
  assert.deepEqual([feed.ranking.contest('c')?.total, feed.ranking.contest('d')?.total], [2, 0]);
  feed.match('m', { startsAt: 300, at: 2 }).entries(m, [team('e', ['d'])], { at: 200 });
  assert.deepEqual([feed.refused, feed.ranking.contest('d')?.total], [[], 1]);
  feed.match('m', { startsAt: 150, at: 3 }).entries(m, [team('e', ['c'])], { at: 201 });
  assert.deepEqual(feed.refused, ['0 match_started']);
  feed.entries(m, [team('e', ['c'])], { at: 199 });
  assert.deepEqual(feed.refused, [], 'stale: changes nothing');
});

test('[RK-11] entries stand in order of first appearance, also when they come back', () => {
  const feed = new Feeder().match('m').fantasy('c', 'm').fantasy('d', 'm');
  feed.entries(m, [team('x', ['d']), team('a', ['c']), team('b', ['c'])]);
  feed.entries(m, [team('x', ['c', 'd']), team('a', [])]).entries(m, [team('z', ['c'])]);
  const order = () =>
    feed.ranking.snapshotContest('c')?.entries?.map(([ordinal, entry]) => `${ordinal}${entry}`);
  assert.deepEqual(order(), ['1b', '2x', '3z']);
  feed.entries(m, [team('a', ['c'])]);
  assert.deepEqual(order(), ['0a', '1b', '2x', '3z']);
  assert.deepEqual(feed.ranking.who('c', ['u-x'])?.users?.[0]?.[0]?.[0], 'x');
});

test('[RK-12] in scores contests entries come and go by stamps, without teams, and keep their scores', () => {
  const feed = new Feeder().match('m').fantasy('c', 'm').scores('s').scores('t');
  const s = { contest: 's' };
  feed.entries(s, [
    player('e', ['s']),
    team('f', ['s']),
    player('g', ['c']),
    player('h', ['t']),
    player('i', ['x']),
  ]);
  assert.deepEqual(feed.refused, ['1 bad_team', '2 wrong_kind', '3 wrong_match', '4 no_such_contest']);
  feed.score('s', 'e', 7, { at: 50 }).entries(s, [player('e', [])], { at: 60 });
  assert.equal(feed.ranking.contest('s')?.total, 0);
  feed.score('s', 'e', 6, { at: 49 }).entries(s, [player('e', ['s'])], { at: 59 });
  assert.deepEqual([feed.refused, feed.ranking.contest('s')?.total], [[], 0]);
  feed.entries(s, [player('e', ['s'])], { at: 61 });
  assert.deepEqual(feed.board('s', 'e'), [['e', 7, 1]]);
  assert.deepEqual(feed.entries(s, [player('e', [], 'thief')]).refused, []);
  assert.deepEqual(feed.entries(s, [player('e', [], 'thief')], { at: 99 }).refused, [
    '0 wrong_user_of_entry',
  ]);
  assert.deepEqual(feed.entries({ contest: 'c' }, []).refused, ['wrong_kind']);
  assert.deepEqual(feed.entries({ contest: 'x' }, []).refused, ['no_such_contest']);
});

test('every bound refuses what is beyond it, and only that', () => {
  const feed = new Feeder({
    entriesPerMatchMax: 4,
    entriesPerContestMax: 3,
    contestsPerEntryMax: 2,
    contestsPerMatchMax: 3,
    matchesMax: 2,
    scoresContestsMax: 1,
  });
  feed.match('m').fantasy('a', 'm').fantasy('b', 'm').fantasy('c', 'm').match('n').scores('s');
  assert.deepEqual(feed.match('o').refused, ['contest_full']);
  assert.deepEqual(feed.scores('t').refused, ['contest_full']);
  assert.deepEqual(feed.fantasy('d', 'm').refused, ['contest_full']);
  assert.deepEqual(feed.entries(m, [team('e', ['a', 'b', 'c'])]).refused, ['0 contest_full']);
  feed.entries(
    m,
    ['1', '2', '3', '4'].map((entry) => team(entry, ['a'])),
  );
  assert.deepEqual(feed.refused, ['3 contest_full']);
  feed.entries(m, [team('1', []), team('4', ['b']), team('5', ['b']), team('1', ['a', 'b'])]);
  assert.deepEqual(feed.refused, ['2 contest_full'], 'one that left keeps its place, and the room it takes');
  assert.deepEqual(feed.entries(m, [team('1', ['a', 'b'])]).refused, []);
  feed.entries(
    { contest: 's' },
    ['1', '2', '3', '4'].map((entry) => player(entry, ['s'])),
  );
  assert.deepEqual(feed.refused, ['3 contest_full']);
});
