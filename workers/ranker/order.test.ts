import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/model/random.ts';
import { orderSlots } from './order.ts';

function plainOrder(scores: ArrayLike<number>, present: Uint8Array): number[] {
  const slots = [...present.keys()].filter((slot) => present[slot] === 1);
  return slots.sort((a, b) => (scores[a] === scores[b] ? a - b : scores[b]! - scores[a]!));
}

const most = Number.MAX_SAFE_INTEGER;
const shapes: [name: string, count: number, scores: (random: Random) => number][] = [
  ['few', 300, (random) => random.between(-9, 9)],
  ['of a narrow range', 20_000, (random) => random.between(-2_000, 3_000)],
  ['of a wide range', 20_000, (random) => random.between(-most, most)],
  [
    'at both ends of safe integers',
    5_000,
    (random) => random.pick([-most, most, 0, 1, -1, most - 1, 1 - most]),
  ],
  ['above 2^27', 5_000, (random) => 2 ** 27 + random.between(-5_000_000, 5_000_000)],
  ['all equal', 5_000, () => 7],
];

for (const [name, count, score] of shapes) {
  test(`[RK-18] slots ${name} are ordered by score, equal ones by ordinal`, () => {
    const random = new Random(count);
    const scores = Float64Array.from({ length: count }, () => score(random));
    const present = Uint8Array.from({ length: count }, () => (random.chance(0.8) ? 1 : 0));
    assert.deepEqual([...orderSlots({ scores, present })], plainOrder(scores, present));
  });
}

test('[RK-18] scores of each width, and none', () => {
  const present = Uint8Array.of(1, 1, 0, 1);
  for (const scores of [Int16Array.of(1, 5, 9, 5), Int32Array.of(1, 5, 9, 5), Uint16Array.of(1, 5, 9, 5)]) {
    assert.deepEqual([...orderSlots({ scores, present })], [1, 3, 0]);
  }
  assert.deepEqual([...orderSlots({ scores: new Int16Array(3), present: new Uint8Array(3) })], []);
  assert.deepEqual([...orderSlots({ scores: new Int16Array(0), present: new Uint8Array(0) })], []);
});
