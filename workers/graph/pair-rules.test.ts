import assert from 'node:assert/strict';
import { test } from 'node:test';
import { affinityOfFollow, shownAffinity } from '../../channels/sets/affinity.ts';
import type { GraphChange, GraphCommand } from '../../proto/records.ts';
import type { PairState } from './graph.ts';
import { commandAgeMaxMs, decide, emptyState, type Outcome, type Pair } from './pair-rules.ts';

const t0 = Date.UTC(2026, 4, 1);

/** Ann and bob: commands given to them in the log's order, at times relative to t0. */
function makeAnnAndBob() {
  let pair: Pair = [emptyState('ann', 'bob'), emptyState('bob', 'ann')];
  let made = 0;
  return {
    command(
      at: number,
      kind: GraphCommand['kind'],
      from = 'ann',
      more: Partial<GraphCommand> = {},
    ): GraphCommand {
      made += 1;
      return { id: `c${made}`, at: t0 + at, kind, from, to: from === 'ann' ? 'bob' : 'ann', ...more };
    },
    give(command: GraphCommand, loggedAt = t0): { outcome: Outcome; changes: GraphChange[] } {
      const isAnns = command.from === 'ann';
      const [ann, bob] = pair;
      const decision = decide(isAnns ? [ann, bob] : [bob, ann], command, loggedAt);
      const [there, back] = decision.pair;
      pair = isAnns ? [there, back] : [back, there];
      return { outcome: decision.outcome, changes: decision.changes };
    },
    get pair() {
      return pair;
    },
    get annFollows() {
      return pair[0].following;
    },
    get bobFollows() {
      return pair[1].following;
    },
    get annsAffinity() {
      return shownAffinity(pair[0].affinity, t0);
    },
  };
}

const codeOf = (outcome: Outcome) => (outcome.state === 'rejected' ? outcome.code : outcome.state);
const withoutIds = (changes: GraphChange[]) => changes.map(({ id: _, ...rest }) => rest);

test('[GRAPH-10] the greatest (at, id) wins; repeats and latecomers change nothing', () => {
  const two = makeAnnAndBob();
  two.give(two.command(10, 'unfollow'));
  const late = two.give(two.command(9, 'follow'));
  assert.equal(codeOf(late.outcome), 'applied');
  assert.equal(two.annFollows, false);
  assert.deepEqual(
    late.changes.map((change) => change.kind),
    ['remove', 'remove'],
  );
  // Equal times: byte order of ids. Capitals come before small letters, whatever a locale says.
  two.give({ ...two.command(10, 'follow'), id: 'B' });
  assert.equal(two.annFollows, false);
  two.give({ ...two.command(10, 'follow', 'ann', { affinity: 0.4 }), id: 'd' });
  assert.equal(two.annFollows, true);
  const before = two.pair;
  const repeat = two.give({ ...two.command(10, 'follow', 'ann', { affinity: 0.9 }), id: 'd' });
  assert.equal(two.pair[0], before[0]);
  assert.equal(repeat.changes[0]?.kind, 'put');
  assert.equal(repeat.changes[0]?.affinity, before[0].affinity);
  // The registers are apart: an older affinity loses only to what set the affinity.
  two.give(two.command(20, 'affinity', 'ann', { affinity: 0.8 }));
  two.give(two.command(15, 'affinity', 'ann', { affinity: 0.1 }));
  assert.equal(two.annsAffinity, 0.8);
});

test('[GRAPH-11] a command over 24 h older than its place in the log is refused', () => {
  const two = makeAnnAndBob();
  const refused = two.give(two.command(-1, 'follow'), t0 + commandAgeMaxMs);
  assert.equal(codeOf(refused.outcome), 'too_old');
  assert.deepEqual(refused.changes, []);
  assert.deepEqual(two.pair, [emptyState('ann', 'bob'), emptyState('bob', 'ann')]);
  assert.equal(codeOf(two.give(two.command(0, 'follow'), t0 + commandAgeMaxMs).outcome), 'applied');
});

test('[GRAPH-12] nobody follows or blocks themself', () => {
  const me = emptyState('me', 'me');
  for (const kind of ['follow', 'unfollow', 'block', 'unblock', 'affinity', 'interaction'] as const) {
    const decision = decide([me, me], { id: 'x', at: t0, kind, from: 'me', to: 'me' }, t0);
    assert.equal(codeOf(decision.outcome), 'self');
    assert.deepEqual(decision.changes, []);
    assert.equal(decision.pair[0], me);
  }
});

test('[GRAPH-13] a follow begins with its affinity or 0.5; one that stands keeps both', () => {
  const two = makeAnnAndBob();
  two.give(two.command(0, 'follow'));
  assert.equal(two.annsAffinity, affinityOfFollow);
  assert.equal(two.pair[0].since, t0);
  two.give(two.command(1, 'affinity', 'ann', { affinity: 0.9 }));
  two.give(two.command(2, 'follow'));
  assert.equal(two.annsAffinity, 0.9);
  two.give(two.command(3, 'follow', 'ann', { affinity: 0.2 }));
  assert.equal(two.annsAffinity, 0.2);
  assert.equal(two.pair[0].since, t0);
  two.give(two.command(4, 'unfollow'));
  two.give(two.command(5, 'follow'));
  assert.equal(two.annsAffinity, affinityOfFollow);
  assert.equal(two.pair[0].since, t0 + 5);
  // A follow may name an affinity older than the one that stands.
  two.give(two.command(9, 'affinity', 'ann', { affinity: 0.7 }));
  two.give(two.command(8, 'follow', 'ann', { affinity: 0.3 }));
  assert.equal(two.annsAffinity, 0.7);
});

test('[GRAPH-14] an unfollow ends the follow and its affinity, its stamp stays', () => {
  const two = makeAnnAndBob();
  two.give(two.command(0, 'follow', 'ann', { affinity: 0.8 }));
  two.give(two.command(0, 'follow', 'bob'));
  const { outcome, changes } = two.give(two.command(5, 'unfollow'));
  assert.equal(codeOf(outcome), 'applied');
  assert.deepEqual(withoutIds(changes), [
    { at: t0 + 5, list: 'following', kind: 'remove', user: 'ann', other: 'bob', command: 'c3' },
    { at: t0 + 5, list: 'followers', kind: 'remove', user: 'bob', other: 'ann', command: 'c3' },
  ]);
  assert.equal(two.bobFollows, true);
  const { following, affinity, since, followStamp } = two.pair[0];
  assert.deepEqual([following, affinity, since, followStamp], [false, 0, 0, { at: t0 + 5, id: 'c3' }]);
});

test('[GRAPH-15] affinity and interaction need a follow, create none, never come to life', () => {
  const two = makeAnnAndBob();
  const set = two.command(5, 'affinity', 'ann', { affinity: 0.9 });
  const touch = two.command(6, 'interaction', 'ann', { weight: 0.2 });
  assert.equal(codeOf(two.give(set).outcome), 'no_such_follow');
  assert.equal(codeOf(two.give(touch).outcome), 'no_such_follow');
  assert.deepEqual(two.give(touch).changes, []);
  assert.equal(two.annFollows, false);
  two.give(two.command(1, 'follow', 'ann', { affinity: 0.3 }));
  two.give(set);
  two.give(touch);
  assert.equal(two.annsAffinity, 0.3);
  const { changes } = two.give(two.command(7, 'interaction', 'ann', { weight: 0.25 }));
  assert.equal(two.annsAffinity, 0.55);
  assert.deepEqual(
    changes.map((change) => [change.list, change.kind, change.affinity]),
    [
      ['following', 'affinity', two.pair[0].affinity],
      ['followers', 'affinity', two.pair[0].affinity],
    ],
  );
  two.give(two.command(8, 'unfollow'));
  assert.equal(codeOf(two.give(two.command(9, 'interaction')).outcome), 'no_such_follow');
});

test('[GRAPH-16] a block ends both follows and forbids new ones, whatever their time', () => {
  for (const blockAt of [-50, 5, 50]) {
    const two = makeAnnAndBob();
    two.give(two.command(0, 'follow'));
    two.give(two.command(10, 'follow', 'bob'));
    const { outcome, changes } = two.give(two.command(blockAt, 'block', 'bob'));
    assert.equal(codeOf(outcome), 'applied');
    assert.deepEqual(
      changes.map(({ list, kind, user, other }) => [list, kind, user, other]),
      [
        ['following', 'remove', 'bob', 'ann'],
        ['followers', 'remove', 'ann', 'bob'],
        ['following', 'remove', 'ann', 'bob'],
        ['followers', 'remove', 'bob', 'ann'],
      ],
    );
    assert.deepEqual([two.annFollows, two.bobFollows], [false, false]);
    for (const at of [-100, blockAt, 100]) {
      for (const from of ['ann', 'bob']) {
        const refused = two.give(two.command(at, 'follow', from));
        assert.equal(codeOf(refused.outcome), 'blocked');
        assert.deepEqual(refused.changes, []);
      }
    }
    assert.deepEqual([two.annFollows, two.bobFollows], [false, false]);
  }
});

test('[GRAPH-17] an unblock lifts the user’s own block only and revives nothing', () => {
  const two = makeAnnAndBob();
  const before = two.command(0, 'follow');
  const under = two.command(30, 'follow');
  two.give(before);
  two.give(two.command(10, 'block', 'bob'));
  two.give(under);
  two.give(two.command(20, 'unblock', 'ann'));
  assert.equal(codeOf(two.give(two.command(31, 'follow')).outcome), 'blocked');
  two.give(two.command(40, 'unblock', 'bob'));
  assert.equal(two.annFollows, false);
  const datedBefore = two.command(39, 'follow');
  for (const command of [before, under, datedBefore]) {
    assert.equal(codeOf(two.give(command).outcome), 'applied');
    assert.equal(two.annFollows, false);
  }
  two.give(two.command(41, 'follow'));
  assert.equal(two.annFollows, true);
  // Where no block stood an unblock is no boundary: a follow of before it still counts.
  two.give(two.command(60, 'unblock', 'ann'));
  two.give(two.command(50, 'follow', 'bob'));
  assert.equal(two.bobFollows, true);
});

test('[GRAPH-18] applied commands emit two changes, a block four, with the same ids again', () => {
  const two = makeAnnAndBob();
  const begin = two.command(0, 'follow', 'ann', { affinity: 0.6 });
  const first = two.give(begin);
  assert.deepEqual(withoutIds(first.changes), [
    {
      at: t0,
      list: 'following',
      kind: 'put',
      user: 'ann',
      other: 'bob',
      command: 'c1',
      affinity: two.pair[0].affinity,
    },
    {
      at: t0,
      list: 'followers',
      kind: 'put',
      user: 'bob',
      other: 'ann',
      command: 'c1',
      affinity: two.pair[0].affinity,
    },
  ]);
  assert.deepEqual(two.give(begin), first);
  const block = two.command(5, 'block');
  const removed = two.give(block).changes;
  assert.equal(removed.length, 4);
  assert.deepEqual(two.give(block).changes, removed);
  const lifted = two.give(two.command(6, 'unblock')).changes;
  const all = [...first.changes, ...removed, ...lifted].map((change) => change.id);
  assert.equal(new Set(all).size, all.length);
  for (const id of all) assert.match(id, /^[A-Za-z0-9_-]{1,36}$/);
  // An id used again for something else does not give its changes the ids of the first.
  const reused = two.give({ ...two.command(7, 'follow'), id: 'c1' }).changes;
  assert.notEqual(reused[0]?.id, first.changes[0]?.id);
});

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

test(`[GRAPH-19] commands decided before may come again in any order: nothing changes (SEED=${seed})`, () => {
  const random = makeRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const kinds = ['follow', 'unfollow', 'block', 'unblock', 'affinity', 'interaction'] as const;
  for (let round = 0; round < 2_000; round++) {
    const two = makeAnnAndBob();
    const given: GraphCommand[] = [];
    for (let step = 0; step < 12; step++) {
      const command = two.command(Math.floor(random() * 15), pick(kinds), pick(['ann', 'bob']), {
        affinity: random(),
        weight: random(),
      });
      given.push(command);
      two.give(command);
      const stood: readonly PairState[] = two.pair;
      const again = two.give(pick(given));
      assert.deepEqual(two.pair, stood);
      for (const change of again.changes) assertTells(change, two.pair);
    }
  }
});

/** A change says what stands. */
function assertTells(change: GraphChange, pair: Pair): void {
  const from = change.list === 'following' ? change.user : change.other;
  const state = pair[0].from === from ? pair[0] : pair[1];
  assert.equal(change.kind !== 'remove', state.following);
  assert.equal(change.affinity, state.following ? state.affinity : undefined);
}

/** mulberry32: small, seeded, good enough to choose with. */
function makeRandom(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
