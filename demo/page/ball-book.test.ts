import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBallBook } from './ball-book.ts';

test('a version belongs to the last ball told by then', () => {
  const book = createBallBook();
  assert.deepEqual([book.last, book.at(5)], [-1, null]);
  book.write(10, 3);
  book.write(14, 4);
  assert.deepEqual([book.at(9), book.at(10), book.at(13), book.at(14)], [null, 3, 3, 4]);
  assert.equal(book.at(15), null, 'the match has not told of it yet');
  book.write(15, -1);
  assert.deepEqual([book.at(15), book.last], [4, 4], 'a correction is no ball');
});

test('what is long past is forgotten', () => {
  const book = createBallBook();
  for (let n = 0; n < 1_000; n++) book.write(n, n);
  assert.equal(book.at(999), 999);
  assert.equal(book.at(950), 950);
  assert.equal(book.at(10), null);
});
