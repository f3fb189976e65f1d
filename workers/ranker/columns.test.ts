import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Float64Column, NumberColumn } from './columns.ts';

test('numbers stand where they were set, in chunks that widen one by one', () => {
  const column = new NumberColumn();
  const expected = new Map<number, number>();
  const set = (index: number, value: number): void => {
    column.set(index, value);
    expected.set(index, value);
    for (const [at, is] of expected) assert.equal(column.get(at), is, `at ${at}`);
  };
  set(0, 7);
  set(63, 65_535);
  set(64, 1);
  set(5, 65_536);
  set(200, 2);
  set(65_535, 4_294_967_295);
  set(200_000, 9);
  set(131_072, 70_000);
  set(5, 0);
  assert.deepEqual([column.get(1), column.get(70_000), column.get(10_000_000)], [0, 0, 0]);
});

test('the next double of at least a floor is found across chunks', () => {
  const column = new Float64Column();
  for (let i = 0; i < 70_000; i += 1) column.set(i, i === 66_000 || i === 3 ? 5 : -i);
  assert.deepEqual(
    [column.nextAtLeast(0, 5), column.nextAtLeast(4, 5), column.nextAtLeast(4, 6)],
    [3, 66_000, -1],
  );
  assert.equal(column.get(69_999), -69_999);
});
