import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NumberColumn } from './columns.ts';
import { ContestSets } from './contest-sets.ts';
import { EntryTable } from './entry-table.ts';
import { IdQuery } from './packed-ids.ts';

test('sets are kept once, and let go of when no entry has them', () => {
  const sets = new ContestSets();
  const column = new NumberColumn();
  assert.equal(sets.intern([]), 0);
  for (let i = 0; i < 5_000; i += 1) {
    column.set(i % 3, sets.intern([i % 3, 10 + i]));
    assert.equal(sets.intern([i % 3, 10 + i]), column.get(i % 3));
    sets.sweep(column, 4);
    assert.deepEqual(sets.get(column.get(i % 3)), [i % 3, 10 + i]);
    assert.equal(column.get(3), 0);
  }
  assert.deepEqual(
    [0, 1, 2].map((entry) => sets.get(column.get(entry))[0]),
    [0, 1, 2],
  );
  assert.deepEqual([sets.get(sets.intern([99])), sets.get(0)], [[99], []]);
  assert.ok(sets.intern([98, 99]) < 2_200, 'most numbers were given anew');
});

test('stamps are let go of when no entry has them, and those in use stay what they are', () => {
  const table = new EntryTable(new IdQuery());
  const scores = new NumberColumn();
  const add = (at: number) => table.stamps.add({ at, id: `r${at}` });
  for (const entry of ['a', 'b', 'c']) table.add(entry, 'u', add(entry.charCodeAt(0)));
  for (let i = 1_000; i < 20_000; i += 1) {
    const stamp = add(i);
    if (i % 2 === 0) table.setStamp(1, stamp);
    else scores.set(2, stamp);
    table.sweepStamps([scores]);
  }
  const found = [table.stamp(0), table.stamp(1), table.stamp(2), scores.get(2)].map((stamp) =>
    table.stamps.get(stamp),
  );
  assert.deepEqual(
    found.map(({ at }) => at),
    [97, 19_998, 99, 19_999],
  );
  assert.deepEqual(
    found.map(({ id }) => id),
    ['r97', 'r19998', 'r99', 'r19999'],
  );
  assert.equal(scores.get(0), 0);
  assert.ok(table.stamps.count < 5_000);
});
