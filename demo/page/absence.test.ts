import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Absence } from './absence.ts';

const at = (version: number, ...ranks: [string, number | null][]) => ({
  version,
  entries: ranks.map(([entry, rank]) => ({ entry, rank })),
});

test('it tells time, versions, moves and followers, in whatever order they come', () => {
  const absence = new Absence();
  absence.leave(1_000, at(10, ['e1', 5], ['e2', 7], ['e3', null]));
  assert.ok(absence.away);
  absence.connect(4_000);
  assert.ok(absence.follower('u1', 3_999), 'told before ranks are exact');
  absence.catchUp(at(25, ['e1', 9], ['e2', 7], ['e3', 1], ['e4', 2]));
  assert.ok(!absence.away);
  assert.ok(absence.follower('u2', 2_000));
  assert.ok(absence.follower('u2', 2_500), 'the same one again');
  assert.deepEqual(absence.report, {
    awayMs: 3_000,
    versions: 15,
    moves: [{ entry: 'e1', from: 5, to: 9 }],
    followers: ['u1', 'u2'],
    gap: null,
  });
  assert.ok(!absence.follower('u3', 4_001), 'this one is live');
  absence.dismiss();
  assert.equal(absence.report, null);
});

test('a connection that fails again on its way back is the same absence', () => {
  const absence = new Absence();
  absence.leave(1_000, at(10, ['e1', 5]));
  absence.connect(2_000);
  absence.leave(2_500, at(10, ['e1', 5]));
  absence.connect(9_000);
  absence.catchUp(at(11, ['e1', 4]));
  assert.equal(absence.report?.awayMs, 8_000);
  assert.deepEqual(absence.report?.moves, [{ entry: 'e1', from: 5, to: 4 }]);
});

test('ranks that come while connected, or before the connection is back, are no return', () => {
  const absence = new Absence();
  absence.catchUp(at(3));
  assert.equal(absence.report, null);
  absence.leave(1_000, at(4));
  absence.catchUp(at(4));
  assert.ok(absence.away);
  assert.equal(absence.report, null);
});

test('a gap is told, also one that comes first; positions of another epoch are not counted', () => {
  const absence = new Absence();
  absence.leave(1_000, at(100, ['e1', 5]));
  absence.connect(2_000);
  absence.gap('History is gone.');
  absence.catchUp(at(3, ['e1', 5]));
  assert.equal(absence.report?.gap, 'History is gone.');
  assert.equal(absence.report?.versions, null);
  absence.leave(3_000, at(3, ['e1', 5]));
  absence.connect(4_000);
  absence.catchUp(at(4, ['e1', 5]));
  assert.equal(absence.report?.gap, null);
});
