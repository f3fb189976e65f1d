import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feeder, player, squad, team } from '../../test/kit/contest-records.ts';

test('[RK-1] a value changes by a greater stamp only; the rest changes nothing and is not refused', () => {
  const feed = new Feeder()
    .match('m')
    .fantasy('c', 'm')
    .entries({ match: 'm' }, [team('e', ['c'])]);
  feed.points('m', 'p5', 10, { at: 100, id: 'b' });
  for (const [points, at, id] of [
    [11, 99, 'z'],
    [12, 100, 'a'],
    [13, 100, 'B'],
    [14, 100, 'b'],
  ] as const) {
    feed.points('m', 'p5', points, { at, id });
    assert.deepEqual([feed.refused, feed.board('c', 'e')], [[], [['e', 20, 1]]]);
  }
  feed.points('m', 'p5', 7, { at: 100, id: 'c' });
  assert.deepEqual(feed.board('c', 'e'), [['e', 14, 1]]);
});

test('[RK-1] labels follow the stamps of records that have one', () => {
  const feed = new Feeder().match('m');
  feed.points('m', 'p1', 1, { at: 10, label: 'over 1' }).points('m', 'p1', 2, { at: 20 });
  assert.equal(feed.ranking.snapshotMatch('m')?.label, 'over 1');
  feed.points('m', 'p2', 3, { at: 5, label: 'late' });
  assert.equal(feed.ranking.snapshotMatch('m')?.label, 'over 1');
  feed.points('m', 'p1', 1, { at: 15, label: 'over 2' });
  assert.deepEqual(feed.ranking.snapshotMatch('m')?.label, 'over 2');
  assert.deepEqual(feed.ranking.snapshotMatch('m')?.players[1], ['p1', 2]);
});

test('[RK-2] the version is the offset of the newest record, applied, refused or skipped, plus one', () => {
  const { ranking } = new Feeder();
  assert.equal(ranking.version, 0);
  ranking.apply(6, { type: 'match', id: 'r', at: 1, match: 'm', players: squad, startsAt: 9, pointStep: 1 });
  assert.equal(ranking.version, 7);
  ranking.apply(8, { type: 'points', id: 'r', at: 1, match: 'm9', player: 'p1', points: 1 });
  assert.equal(ranking.version, 9);
  ranking.skip(20);
  assert.equal(ranking.version, 21);
  assert.equal(ranking.snapshotMatch('m')?.version, 21);
});

test('[RK-3] a repeat of points names its player, so that small contests have its version', () => {
  const feed = new Feeder()
    .match('m')
    .fantasy('c', 'm')
    .entries({ match: 'm' }, [team('e', ['c'])]);
  feed.points('m', 'p5', 10, { at: 100, id: 'b' });
  feed.ranking.watchContest('c');
  feed.points('m', 'p5', 10, { at: 100, id: 'b' });
  const frame = feed.ranking.takeMatchFrame('m');
  assert.deepEqual(frame.players, [[5, 10]]);
  assert.equal(frame.version, feed.ranking.version);
});

test('[RK-3] a record touches the match and the contest it names, whatever it changed', () => {
  const feed = new Feeder({ smallContestEntriesMax: 1 })
    .match('m')
    .fantasy('big', 'm')
    .fantasy('small', 'm')
    .scores('s');
  feed.match('other').entries({ match: 'm' }, [team('e1', ['big', 'small']), team('e2', ['big'])]);
  const { ranking } = feed;
  for (const contest of ['big', 'small', 's']) ranking.watchContest(contest);
  ranking.watchMatch('other');
  const none = { contests: [], matches: [] };
  const touched = () => {
    const found = ranking.touched();
    for (const contest of found.contests)
      assert.equal(ranking.takeContestFrame(contest).version, ranking.version);
    for (const match of found.matches) assert.equal(ranking.takeMatchFrame(match).version, ranking.version);
    return found;
  };
  assert.deepEqual(touched(), none);
  const both = { contests: ['big'], matches: ['m'] };
  assert.deepEqual([feed.points('m', 'p1', 0, { at: 0, id: '0' }) && touched(), touched()], [both, none]);
  feed.points('m', 'p99', 1);
  assert.deepEqual([feed.refused, touched()], [['no_such_player'], both]);
  feed.entries({ match: 'm' }, [team('e1', ['small'], { user: 'thief' })]);
  assert.deepEqual([feed.refused, touched()], [['0 wrong_user_of_entry'], both]);
  feed.score('s', 'nobody', 1);
  assert.deepEqual([feed.refused, touched()], [['no_such_entry'], { contests: ['s'], matches: [] }]);
  feed.match('other', { at: 0 });
  assert.deepEqual(touched(), { contests: [], matches: ['other'] });
  ranking.skip(feed.offset);
  assert.deepEqual(touched(), none);
});

test('[RK-19] a match’s frame names a contest that became large before anybody wanted it again', () => {
  const feed = new Feeder({ smallContestEntriesMax: 1 }).match('m').fantasy('c', 'm').fantasy('other', 'm');
  feed.entries({ match: 'm' }, [team('e1', ['c'])]);
  const { ranking } = feed;
  ranking.watchContest('other');
  // Whoever holds `c` as it is now hears the frame that `other` is watched for.
  feed.entries({ match: 'm' }, [team('e2', ['c'])]);
  ranking.watchContest('c');
  const [named, ...more] = ranking.takeMatchFrame('m').contests;
  assert.deepEqual([named?.contest, named?.entries, more], ['c', null, []]);
});

test('[RK-4] a match’s list only grows; its start follows stamps; its step is fixed', () => {
  const feed = new Feeder({ playersPerMatchMax: 4 });
  feed.match('m', { players: ['b', 'a', 'b'], at: 50, startsAt: 500, pointStep: 0.5 });
  const state = () => {
    const { players, startsAt, pointStep } = feed.ranking.snapshotMatch('m')!;
    return [players.map(([name]) => name).join(''), startsAt, pointStep, feed.refused.join()];
  };
  assert.deepEqual(state(), ['ba', 500, 0.5, '']);
  feed.match('m', { players: ['c', 'a'], at: 40, startsAt: 400, pointStep: 0.5 });
  assert.deepEqual(state(), ['bac', 500, 0.5, '']);
  feed.match('m', { players: [], at: 60, startsAt: 600, pointStep: 0.5 });
  assert.deepEqual(state(), ['bac', 600, 0.5, '']);
  feed.match('m', { players: ['d'], at: 70, startsAt: 700, pointStep: 1 });
  assert.deepEqual(state(), ['bac', 600, 0.5, 'fixed_field']);
  feed.match('m', { players: ['d', 'e'], at: 80, startsAt: 800, pointStep: 0.5 });
  assert.deepEqual(state(), ['bac', 600, 0.5, 'contest_full']);
  feed.match('n', { players: ['1', '2', '3', '4', '5'] });
  assert.deepEqual([feed.refused, feed.ranking.match('n')], [['contest_full'], null]);
});

test('[RK-5] a contest is made by its first record; kind and match are fixed, prizes follow stamps', () => {
  const feed = new Feeder().fantasy('c', 'm');
  assert.deepEqual(feed.refused, ['no_such_match']);
  feed.match('m').match('n').fantasy('c', 'm', { prizes: 3, at: 50 });
  assert.deepEqual(feed.refused, []);
  assert.deepEqual(feed.fantasy('c', 'n').refused, ['fixed_field']);
  assert.deepEqual(feed.scores('c').refused, ['fixed_field']);
  feed.fantasy('c', 'm', { prizes: 4, at: 49 }).fantasy('c', 'm', { at: 60 });
  assert.equal(feed.ranking.snapshotContest('c')?.prizes, 3);
  feed.fantasy('c', 'm', { prizes: 5, at: 51 });
  assert.equal(feed.ranking.snapshotContest('c')?.prizes, 5);
  assert.deepEqual(feed.ranking.match('m')?.contests, ['c']);
});

test('[RK-5] an epoch is made of topic, partition, and the offset and id of the creating record', () => {
  const epoch = (topic: string, partition: number, offset: number, id: string): string => {
    const feed = new Feeder({ topic, partition });
    feed.offset = offset;
    return feed.match('m', { id }).ranking.match('m')!.epoch;
  };
  const first = epoch('t', 0, 5, 'r');
  assert.equal(epoch('t', 0, 5, 'r'), first);
  const others = [epoch('x', 0, 5, 'r'), epoch('t', 1, 5, 'r'), epoch('t', 0, 6, 'r'), epoch('t', 0, 5, 's')];
  assert.equal(new Set([first, ...others]).size, 5);
});

test('[RK-6] totals and scores begin at 0', () => {
  const feed = new Feeder()
    .match('m')
    .scores('s')
    .entries({ contest: 's' }, [player('e', ['s'])]);
  assert.deepEqual(feed.ranking.snapshotMatch('m')?.players[3], ['p3', 0]);
  assert.deepEqual(feed.board('s', 'e'), [['e', 0, 1]]);
});

test('[RK-13] points set the total of a player of the match, on its step and within 10,000 steps', () => {
  const feed = new Feeder().match('m', { pointStep: 0.5 });
  for (const [name, points, refused] of [
    ['p1', 12.5, []],
    ['p99', 1, ['no_such_player']],
    ['p1', 12.25, ['off_step']],
    ['p1', 5_000, []],
    ['p1', 5_000.5, ['off_step']],
    ['p1', -5_000.5, ['off_step']],
    ['p1', -5_000, []],
  ] as const) {
    assert.deepEqual(feed.points('m', name, points).refused, refused, `${name} ${points}`);
  }
  assert.deepEqual(feed.ranking.snapshotMatch('m')?.players[1], ['p1', -10_000]);
  assert.deepEqual(feed.points('x', 'p1', 1).refused, ['no_such_match']);
});

test('[RK-15] a score is set by stamps for whoever was ever accepted in the contest', () => {
  const feed = new Feeder().scores('s').entries({ contest: 's' }, [player('e', ['s']), player('out', [])]);
  feed.score('s', 'e', 5, { at: 100 }).score('s', 'e', 6, { at: 99 });
  assert.deepEqual([feed.refused, feed.board('s', 'e')], [[], [['e', 5, 1]]]);
  assert.deepEqual(feed.score('s', 'nobody', 1).refused, ['no_such_entry']);
  feed.score('s', 'out', 9, { at: 100 });
  assert.deepEqual([feed.refused, feed.board('s', 'out')], [[], [['out', null]]]);
  feed.entries({ contest: 's' }, [player('out', ['s'])], { at: 101 });
  assert.deepEqual(feed.board('s', 'e', 'out'), [
    ['e', 5, 2],
    ['out', 9, 1],
  ]);
  assert.deepEqual(feed.match('m').fantasy('c', 'm').score('c', 'e', 1).refused, ['wrong_kind']);
  assert.deepEqual(feed.score('x', 'e', 1).refused, ['no_such_contest']);
});

test('[RK-16] after final everything is refused, but the final again changes nothing', () => {
  const feed = new Feeder()
    .match('m')
    .fantasy('c', 'm')
    .scores('s')
    .entries({ contest: 's' }, [player('e', ['s'])]);
  assert.deepEqual(feed.final({ contest: 'c' }).refused, ['wrong_kind']);
  assert.deepEqual(feed.final({ match: 'm' }, { id: 'f', at: 50 }).refused, []);
  assert.deepEqual(feed.final({ match: 'm' }, { id: 'f', at: 50 }).refused, []);
  assert.deepEqual(feed.final({ match: 'm' }, { id: 'g', at: 50 }).refused, ['is_final']);
  assert.deepEqual(feed.match('m').refused, ['is_final']);
  assert.deepEqual(feed.fantasy('c', 'm').refused, ['is_final']);
  assert.deepEqual(feed.fantasy('c2', 'm').refused, ['is_final']);
  assert.deepEqual(feed.entries({ match: 'm' }, [team('e', ['c'])]).refused, ['is_final']);
  assert.deepEqual(feed.points('m', 'p1', 1).refused, ['is_final']);
  assert.equal(feed.ranking.snapshotContest('c')?.final, true);
  feed.final({ contest: 's' }, { id: 'f', at: 60 });
  assert.deepEqual([feed.refused, feed.ranking.contest('s')?.final], [[], true]);
  assert.deepEqual(feed.score('s', 'e', 1).refused, ['is_final']);
  assert.deepEqual(feed.entries({ contest: 's' }, []).refused, ['is_final']);
  assert.deepEqual(feed.scores('s').refused, ['is_final']);
  assert.deepEqual(feed.final({ contest: 's' }, { id: 'f', at: 60 }).refused, []);
  assert.deepEqual(feed.final({ match: 'x' }).refused, ['no_such_match']);
  assert.deepEqual(feed.final({ contest: 'x' }).refused, ['no_such_contest']);
});

test('[RK-16] what is final may be forgotten: it is gone, and everything for it is refused as before', () => {
  const feed = new Feeder().match('m').fantasy('c', 'm').match('n').fantasy('d', 'n').scores('s');
  assert.throws(() => feed.ranking.forget('m'), /not final/);
  assert.throws(() => feed.ranking.forget('x'), /no match/);
  feed.final({ match: 'm' }, { id: 'f', at: 50 }).final({ contest: 's' }, { id: 'f', at: 60 });
  feed.ranking.forget('m');
  feed.ranking.forget('s');
  assert.deepEqual(
    [...feed.ranking.contests()].map(({ contest }) => contest),
    ['d'],
  );
  assert.equal(feed.ranking.snapshotMatch('m'), null);
  assert.deepEqual(feed.match('m').refused, ['is_final']);
  assert.deepEqual(feed.fantasy('c', 'm').refused, ['is_final']);
  assert.deepEqual(feed.fantasy('c', 'n').refused, ['is_final']);
  assert.deepEqual(feed.points('m', 'p1', 1).refused, ['is_final']);
  assert.deepEqual(feed.score('s', 'e', 1).refused, ['is_final']);
  assert.deepEqual(feed.entries({ match: 'n' }, [team('e', ['c']), team('e', ['s'])]).refused, [
    '0 wrong_match',
    '1 wrong_kind',
  ]);
  assert.deepEqual(feed.final({ match: 'm' }, { id: 'f', at: 50 }).refused, []);
  assert.deepEqual(feed.final({ contest: 's' }, { id: 'f', at: 60 }).refused, []);
  assert.deepEqual(feed.final({ contest: 's' }, { id: 'g', at: 60 }).refused, ['is_final']);
});
