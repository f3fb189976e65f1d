import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyList, takeOut, withItem } from './exact-list.ts';

test('lists grow at the end and lose what is taken out, and the empty one stays empty', () => {
  let list = emptyList<number>();
  for (let i = 0; i < 20; i++) list = withItem(list, i);
  assert.deepEqual(
    list,
    Array.from({ length: 20 }, (_, i) => i),
  );
  assert.equal(takeOut(list, 7), true);
  assert.equal(takeOut(list, 7), false);
  assert.equal(list.length, 19);
  assert.equal(takeOut(emptyList<number>(), 1), false);
  assert.deepEqual(emptyList(), []);
});
