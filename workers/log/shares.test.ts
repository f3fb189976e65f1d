import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../channels/random.ts';
import { seedOf } from './member.conformance.ts';
import { type Claim, shareOut } from './shares.ts';

const claim = (member: string, held: number[] = [], leaving: number[] = []): Claim => ({
  member,
  held,
  leaving,
});

test('the first member has everything', () => {
  assert.deepEqual([...shareOut([claim('a')], 4)], [['a', [0, 1, 2, 3]]]);
  assert.deepEqual([...shareOut([], 4)], []);
});

test('what a member has beyond its share is given to nobody until it has given it up', () => {
  const joined = shareOut([claim('a', [0, 1, 2, 3]), claim('b')], 4);
  assert.deepEqual(joined.get('a'), [0, 1]);
  assert.deepEqual(joined.get('b'), []);
  const leaving = shareOut([claim('a', [0, 1], [2, 3]), claim('b')], 4);
  assert.deepEqual(leaving.get('a'), [0, 1]);
  assert.deepEqual(leaving.get('b'), []);
  const left = shareOut([claim('a', [0, 1], [3]), claim('b')], 4);
  assert.deepEqual(left.get('b'), [2]);
});

test('whoever is there takes what is free', () => {
  assert.deepEqual(shareOut([claim('b', [1]), claim('c', [2])], 4).get('b'), [1, 0]);
  assert.deepEqual(shareOut([claim('b', [1]), claim('c', [2])], 4).get('c'), [2, 3]);
});

test('members that come and go are even in the end, and never have a partition twice', (t) => {
  const random = seededRandom(seedOf(t));
  const partitions = 1 + Math.floor(random() * 12);
  let claims: Claim[] = [];
  let names = 0;
  for (let step = 0; step < 300; step++) {
    if (random() < 0.3) claims.push(claim(`m${names++ % 7}x${names}`));
    if (random() < 0.2 && claims.length > 1) claims.splice(Math.floor(random() * claims.length), 1);
    claims = settle(claims, partitions, () => random() < 0.5);
    const all = claims.flatMap(({ held, leaving }) => [...held, ...leaving]);
    assert.equal(new Set(all).size, all.length, 'a partition is with two members');
  }
  for (let round = 0; round < 3; round++) claims = settle(claims, partitions, () => true);
  const sizes = claims.map(({ held }) => held.length);
  assert.ok(claims.length === 0 || Math.max(...sizes) - Math.min(...sizes) <= 1);
  assert.equal(claims.flatMap(({ held }) => held).length, claims.length === 0 ? 0 : partitions);
});

/** One rebalance; then those who were told to give partitions up have done so, or not yet. */
function settle(claims: Claim[], partitions: number, done: () => boolean): Claim[] {
  const shares = shareOut(claims, partitions);
  return claims.map(({ member, held, leaving }) => {
    const share = shares.get(member)!;
    const told = [...leaving, ...held.filter((partition) => !share.includes(partition))];
    return claim(
      member,
      share,
      told.filter(() => !done()),
    );
  });
}
