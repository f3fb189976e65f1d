import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLeases } from './leases.ts';

test('a channel is wanted while any lease on it lasts', () => {
  const leases = createLeases(10);
  assert.equal(leases.grant('e1', 'c:a', 100), 'new');
  assert.equal(leases.grant('e2', 'c:a', 200), 'held');
  assert.equal(leases.grant('e1', 'c:a', 150), 'held');
  assert.deepEqual(leases.expire(149), []);
  assert.deepEqual(leases.expire(150), []);
  assert.equal(leases.holds('e1', 'c:a'), false);
  assert.equal(leases.wanted('c:a'), true);
  assert.deepEqual(leases.expire(200), ['c:a']);
  assert.equal(leases.wanted('c:a'), false);
  assert.equal(leases.size, 0);
});

test('a renewal never shortens a lease', () => {
  const leases = createLeases(10);
  leases.grant('e1', 'c:a', 300);
  leases.grant('e1', 'c:a', 200);
  assert.deepEqual(leases.expire(250), []);
});

test('an edge holds at most so many channels; renewals are granted at the bound', () => {
  const leases = createLeases(2);
  assert.equal(leases.grant('e1', 'c:a', 100), 'new');
  assert.equal(leases.grant('e1', 'c:b', 100), 'new');
  assert.equal(leases.room('e1'), 0);
  assert.equal(leases.grant('e1', 'c:c', 100), 'full');
  assert.equal(leases.grant('e1', 'c:a', 200), 'held');
  assert.equal(leases.grant('e2', 'c:c', 100), 'new');
  assert.equal(leases.grant('e1', 'c:c', 100), 'full');
  assert.deepEqual(leases.expire(100), ['c:b', 'c:c']);
  assert.equal(leases.grant('e1', 'c:c', 200), 'new');
  leases.drop('c:a');
  assert.deepEqual([...leases.channels()], ['c:c']);
  assert.equal(leases.room('e1'), 1);
});
