import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/model/random.ts';
import { SortedCounts } from './sorted-counts.ts';

test('counts at any number of distinct scores agree with a map', () => {
  const random = new Random(5);
  const sorted = new SortedCounts();
  const counts = new Map<number, number>();
  const change = (score: number, by: number): void => {
    sorted.add(score, by);
    const count = (counts.get(score) ?? 0) + by;
    if (count === 0) counts.delete(score);
    else counts.set(score, count);
  };
  const check = (): void => {
    const scores = [...counts.keys()].sort((a, b) => a - b);
    assert.deepEqual(sorted.all(), { scores, counts: scores.map((score) => counts.get(score)!) });
    assert.equal(sorted.distinct, scores.length);
    let above = 0;
    for (const score of scores.toReversed()) {
      if (sorted.greaterThan(score) !== above)
        assert.fail(`above ${score}: ${sorted.greaterThan(score)}, not ${above}`);
      assert.equal(sorted.greaterThan(score + 0.5), above);
      assert.equal(sorted.at(score), counts.get(score));
      assert.deepEqual(sorted.threshold(above + 1), { score, above });
      above += counts.get(score)!;
    }
    assert.deepEqual(sorted.threshold(above + 1), { score: Number.NEGATIVE_INFINITY, above });
  };
  check();
  for (const range of [20, 5_000, Number.MAX_SAFE_INTEGER]) {
    for (let i = 0; i < 6_000; i += 1) change(random.between(-range, range), random.between(1, 3));
    check();
    for (const score of [...counts.keys()]) if (random.chance(0.9)) change(score, -counts.get(score)!);
    check();
  }
  for (const score of [...counts.keys()]) change(score, -counts.get(score)!);
  check();
  change(4, 1);
  check();
});

test('rising and falling scores fill blocks at their ends', () => {
  for (const sign of [1, -1]) {
    const sorted = new SortedCounts();
    for (let i = 0; i < 3_000; i += 1) sorted.add(sign * i, 1);
    for (let i = 0; i < 3_000; i += 1) assert.equal(sorted.greaterThan(sign * i), sign === 1 ? 2_999 - i : i);
  }
});
