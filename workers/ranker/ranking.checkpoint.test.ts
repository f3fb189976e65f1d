import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feeder, player, squad, team } from '../../test/kit/contest-records.ts';
import { readHead } from './checkpoint-head.ts';
import { restoreRanking } from './create-ranking.ts';
import type { Ranking } from './ranking.ts';

const m = { match: 'm' };

/** Everything that can be asked of a ranking. */
function everything(ranking: Ranking): unknown {
  return [...ranking.contests()].map((info) => [
    info,
    ranking.snapshotContest(info.contest),
    // when a contest was touched last is not kept: after a restore it is no earlier than before
    { ...ranking.who(info.contest, ['u-a', 'u-b']), touched: 0 },
    ranking.orderInput(info.contest),
  ]);
}

function filled(): Feeder {
  const feed = new Feeder({ smallContestEntriesMax: 3 })
    .match('m')
    .fantasy('c', 'm', { prizes: 2 })
    .fantasy('d', 'm');
  feed.scores('s').entries(
    m,
    ['x', 'a', 'b', 'y', 'z'].map((entry) => team(entry, ['c'])),
  );
  feed.entries(m, [team('x', ['d']), team('y', []), team('b', ['c', 'd'], { captain: 'p7' })]);
  feed
    .entries(m, [team('z', [])])
    .entries({ contest: 's' }, [player('a', ['s']), player('b', []), player('c', ['s'])]);
  return feed
    .points('m', 'p7', 12, { label: 'over 3' })
    .score('s', 'b', 9)
    .score('s', 'a', 4)
    .score('s', 'a', 5);
}

test('[RK-20] out of segments and head the state is as it was', () => {
  const feed = filled();
  const first = feed.ranking.checkpoint();
  feed
    .entries(m, [team('y', ['c', 'd'])])
    .points('m', 'p7', 3)
    .match('m', { players: [...squad, 'sub'], startsAt: 77 });
  feed
    .entries({ contest: 's' }, [player('c', []), player('b', ['s'])])
    .score('s', 'c', -3)
    .fantasy('c', 'm', { prizes: 7 });
  const second = feed.ranking.checkpoint();
  assert.deepEqual([first.whole, second.whole, feed.ranking.segmentBytes], [false, false, 0]);
  const restored = restoreRanking([first.segment, second.segment], second.head, {
    smallContestEntriesMax: 3,
  });
  assert.deepEqual(everything(restored), everything(feed.ranking));
  assert.equal(restored.contest('c')?.large, true);
});

test('[RK-20] a whole segment replaces all before it: leavers, latecomers, contests once large', () => {
  const feed = filled();
  feed.ranking.checkpoint();
  const { segment, head, whole } = feed.ranking.checkpoint(true);
  assert.equal(whole, true);
  const restored = restoreRanking([segment], head, { smallContestEntriesMax: 3 });
  assert.deepEqual(everything(restored), everything(feed.ranking));
  const again = [team('y', ['c']), team('x', ['c', 'd'])];
  feed.entries(m, again, { id: 'same', at: 900 });
  restored.apply(feed.offset - 1, { type: 'entries', id: 'same', at: 900, match: 'm', entries: again });
  assert.deepEqual(everything(restored), everything(feed.ranking));
});

test('[RK-20] stamps are restored: what was stale stays stale', () => {
  const feed = filled();
  const { segment, head } = feed.ranking.checkpoint();
  const restored = new Feeder();
  restored.ranking = restoreRanking([segment], head);
  restored.offset = feed.offset;
  const before = JSON.stringify([
    restored.ranking.snapshotContest('c')?.entries,
    restored.board('s', 'a', 'b', 'c'),
  ]);
  restored
    .entries(m, [team('a', [])], { at: 1 })
    .points('m', 'p7', 99, { at: 1, label: 'late' })
    .score('s', 'a', 99, { at: 1 });
  restored.match('m', { startsAt: 1, at: 0 }).fantasy('c', 'm', { prizes: 99, at: 1 });
  assert.deepEqual(restored.refused, []);
  assert.equal(restored.ranking.snapshotMatch('m')?.label, 'over 3');
  assert.equal(
    JSON.stringify([restored.ranking.snapshotContest('c')?.entries, restored.board('s', 'a', 'b', 'c')]),
    before,
  );
  assert.deepEqual(
    [restored.ranking.match('m')?.startsAt, restored.ranking.snapshotContest('c')?.prizes],
    [1_000, 2],
  );
});

test('[RK-20] what was forgotten stays forgotten, and keeps no bytes in a whole segment', () => {
  const feed = filled().match('n').fantasy('e', 'n');
  const first = feed.ranking.checkpoint();
  feed.final({ match: 'm' }, { id: 'f', at: 9_000 }).final({ contest: 's' }, { id: 'f', at: 9_000 });
  feed.ranking.forget('m');
  feed.ranking.forget('s');
  feed.entries({ match: 'n' }, [team('a', ['e'])]);
  const second = feed.ranking.checkpoint();
  const third = feed.ranking.checkpoint(true);
  assert.ok(third.segment.length < first.segment.length / 2);
  for (const [segments, head] of [
    [[first.segment, second.segment], second.head],
    [[third.segment], third.head],
  ] as const) {
    const restored = restoreRanking(segments, head);
    assert.deepEqual(everything(restored), everything(feed.ranking));
    const record = { type: 'final', id: 'g', at: 9_000, match: 'm' } as const;
    assert.deepEqual(
      restored.apply(99, record).map(({ code }) => code),
      ['is_final'],
    );
    assert.deepEqual(restored.apply(99, { ...record, id: 'f' }), []);
  }
});

test('[RK-20] when more changed than is kept, the next checkpoint is whole', () => {
  const feed = new Feeder({ segmentBytesMax: 200 }).match('m').fantasy('c', 'm');
  feed.ranking.checkpoint();
  feed.entries(m, [team('a', ['c'])]);
  assert.ok(feed.ranking.segmentBytes > 0 && feed.ranking.segmentBytes < 200);
  const second = feed.ranking.checkpoint();
  assert.equal(second.whole, false);
  for (let i = 0; i < 20; i += 1) feed.entries(m, [team(`e${i}`, ['c'])]);
  assert.equal(feed.ranking.segmentBytes, Number.POSITIVE_INFINITY);
  const third = feed.ranking.checkpoint();
  assert.equal(third.whole, true);
  assert.deepEqual(everything(restoreRanking([third.segment], third.head)), everything(feed.ranking));
});

test('a head tells where in the log the checkpoint stands', () => {
  const feed = filled();
  const last = feed.offset - 1;
  feed.ranking.skip(last + 5);
  const { version, lastOffset, lastId } = readHead(feed.ranking.checkpoint().head);
  assert.deepEqual([version, lastOffset], [last + 6, last]);
  assert.match(lastId, /^r\d+$/);
});

test('segments that are cut, of another format or of another head are refused with the place', () => {
  const { segment, head } = filled().ranking.checkpoint();
  assert.throws(() => restoreRanking([segment.subarray(0, segment.length - 3)], head), /ends at byte/);
  assert.throws(() => restoreRanking([Uint8Array.of(9, ...segment)], head), /format 9/);
  assert.throws(() => restoreRanking([Uint8Array.of(1, 200)], head), /no step 200/);
  assert.throws(() => restoreRanking([], head), /hold 0 matches and contests, the head 2/);
});
