import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storedAffinity } from '../../channels/sets/affinity.ts';
import type { GraphChange } from '../../proto/records.ts';
import { runsApart, setChanges, tellings } from './transitions.ts';

const at = Date.UTC(2026, 4, 1);

function change(
  id: string,
  kind: GraphChange['kind'],
  list: GraphChange['list'],
  affinity = 0.5,
): GraphChange {
  const head = { id, at, list, kind, user: 'me', other: 'you', command: `c${id}` };
  return kind === 'remove' ? head : { ...head, affinity: storedAffinity(affinity, at) };
}
const numbered = (changes: GraphChange[]) => changes.map((item, offset) => ({ change: item, offset }));

test('begins and ends of a membership are told, what stands already is not', () => {
  const members = new Set<string>();
  const told = tellings(
    numbered([
      change('1', 'put', 'followers', 0.7),
      change('2', 'put', 'followers'),
      change('3', 'affinity', 'followers'),
      change('4', 'remove', 'followers'),
      change('5', 'remove', 'followers'),
      change('6', 'put', 'following'),
      change('7', 'affinity', 'followers'),
      change('8', 'put', 'followers'),
    ]),
    members,
    0,
  );
  assert.deepEqual(told, [
    { channel: 'feed:me', id: '1', at, data: { type: 'follower', user: 'you', affinity: 0.7 }, offset: 0 },
    { channel: 'feed:me', id: '4', at, data: { type: 'unfollower', user: 'you' }, offset: 3 },
    {
      ...{ channel: 'user:me', id: '6', at, offset: 5 },
      data: { type: 'following', other: 'you', state: 'following' },
    },
    { channel: 'feed:me', id: '8', at, data: { type: 'follower', user: 'you', affinity: 0.5 }, offset: 7 },
  ]);
  assert.deepEqual([...members].sort(), ['followers_me you', 'following_me you']);
});

test('what was told before a crash is not told again, though it counts for what comes after', () => {
  // Before: a member. Told and put into the sets up to offset 1, then died; the sets show no member any more.
  const told = tellings(
    numbered([
      change('healing', 'put', 'followers'),
      change('end', 'remove', 'followers'),
      change('again', 'put', 'followers'),
    ]),
    new Set(),
    2,
  );
  assert.deepEqual(
    told.map((telling) => telling.id),
    ['again'],
  );
});

test('what is told of one user on a channel is never in one run', () => {
  const told = tellings(
    numbered([
      change('1', 'put', 'followers'),
      change('2', 'put', 'following'),
      change('3', 'remove', 'followers'),
      change('4', 'remove', 'following'),
      change('5', 'put', 'followers'),
    ]),
    new Set(),
    0,
  );
  assert.deepEqual(
    runsApart(told).map((run) => run.map(({ id }) => id)),
    [['1', '2'], ['3', '4'], ['5']],
  );
  assert.deepEqual(runsApart([]), []);
});

test('of a member only what stands at the end goes to its set, and affinity creates none', () => {
  const score = (affinity: number) => storedAffinity(affinity, at);
  const place = { set: 'followers_me', member: 'you' };
  const end = (...changes: GraphChange[]) => setChanges(changes);
  const put = change('p', 'put', 'followers', 0.4);
  const remove = change('r', 'remove', 'followers');
  const affinity = change('a', 'affinity', 'followers', 0.9);
  assert.deepEqual(end(put), [{ ...place, score: score(0.4) }]);
  assert.deepEqual(end(put, affinity), [{ ...place, score: score(0.9) }]);
  assert.deepEqual(end(affinity), [{ ...place, score: score(0.9), ifMember: true }]);
  assert.deepEqual(end(affinity, put), [{ ...place, score: score(0.4) }]);
  assert.deepEqual(end(remove, affinity), [{ ...place, score: null }]);
  assert.deepEqual(end(put, remove), [{ ...place, score: null }]);
  assert.deepEqual(end(affinity, affinity), [{ ...place, score: score(0.9), ifMember: true }]);
  assert.equal(end(put, change('f', 'put', 'following')).length, 2);
});
