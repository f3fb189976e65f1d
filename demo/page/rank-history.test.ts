import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRankHistory } from './rank-history.ts';

test('a line has one point a ball: the last word of the ball', () => {
  const history = createRankHistory(null);
  history.note('e1', -1, 50);
  history.note('e1', 0, 40);
  history.note('e1', 0, 42);
  history.note('e1', 3, 42);
  history.note('e1', 2, 1);
  assert.deepEqual(history.of('e1'), [
    { ball: -1, rank: 50 },
    { ball: 0, rank: 42 },
    { ball: 3, rank: 42 },
  ]);
  assert.equal(history.best('e1'), 42);
  assert.deepEqual(history.of('e2'), []);
  assert.equal(history.best('e2'), null);
});

test('the last move is that of the last ball which moved it', () => {
  const history = createRankHistory(null);
  assert.equal(history.lastMove('e1'), 0);
  for (const [ball, rank] of [
    [0, 50],
    [1, 30],
    [2, 30],
  ] as const) {
    history.note('e1', ball, rank);
  }
  assert.equal(history.lastMove('e1'), 20);
  history.note('e1', 3, 35);
  assert.equal(history.lastMove('e1'), -5);
});

test('it is kept over a reload; what is no history is forgotten', () => {
  const history = createRankHistory(null);
  history.note('e1', 0, 7);
  assert.deepEqual(createRankHistory(history.toJson()).of('e1'), [{ ball: 0, rank: 7 }]);
  assert.deepEqual(createRankHistory('{broken').of('e1'), []);
});
