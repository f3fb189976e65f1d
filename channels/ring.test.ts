import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ring } from './ring.ts';

const filled = (head: number, count: number, itemsMax = 4, bytesMax = 100): Ring<number> => {
  const ring = new Ring<number>(head, itemsMax, bytesMax);
  for (let i = 1; i <= count; i++) ring.push(head + i, 10);
  return ring;
};

test('an empty ring covers its head and nothing else', () => {
  const ring = filled(7, 0);
  assert.deepEqual([ring.first, ring.head], [8, 7]);
  assert.deepEqual([ring.covers(6), ring.covers(7), ring.covers(8)], [false, true, false]);
  assert.deepEqual(ring.after(7), []);
});

test('[HUB-13] the oldest go first, by number and by bytes', () => {
  const byNumber = filled(0, 9);
  assert.deepEqual([byNumber.first, byNumber.head], [6, 9]);
  assert.deepEqual(byNumber.after(5), [6, 7, 8, 9]);
  assert.deepEqual(byNumber.after(7), [8, 9]);
  assert.deepEqual(byNumber.after(1), [6, 7, 8, 9]);
  assert.deepEqual([byNumber.covers(4), byNumber.covers(5), byNumber.covers(9)], [false, true, true]);
  const byBytes = filled(0, 9, 100, 35);
  assert.deepEqual([byBytes.first, byBytes.bytes], [7, 30]);
});

test('[HUB-13] an item larger than the ring is not kept', () => {
  const ring = filled(0, 2);
  ring.push(3, 101);
  assert.deepEqual([ring.first, ring.head, ring.bytes], [4, 3, 0]);
  ring.push(4, 1);
  assert.deepEqual(ring.after(3), [4]);
});

test('reset goes on elsewhere', () => {
  const ring = filled(0, 3);
  ring.reset(50);
  assert.deepEqual([ring.first, ring.head, ring.bytes], [51, 50, 0]);
  ring.push(51, 1);
  assert.deepEqual(ring.after(50), [51]);
});
