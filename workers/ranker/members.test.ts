import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/model/random.ts';
import { Members } from './members.ts';

for (const order of ['in the order of their numbers', 'with one late', 'in any order'] as const) {
  test(`entries that appear ${order} are found by number, and bits follow them`, () => {
    const random = new Random(3);
    const numbers = Array.from({ length: 70_000 }, (_, i) => i * 2 + 1);
    if (order === 'with one late') numbers.push(numbers.splice(500, 1)[0]!);
    if (order === 'in any order') numbers.splice(0, Infinity, ...random.some(numbers, numbers.length));
    const members = new Members();
    for (const [ordinal, number] of numbers.entries()) assert.equal(members.append(number), ordinal);
    assert.equal(members.ascending, order === 'in the order of their numbers');
    const masks = members.keepMasks();
    for (const [ordinal, number] of numbers.entries()) {
      if (members.find(number) !== ordinal || members.entryAt(ordinal) !== number) assert.fail(`${number}`);
      if (members.find(number - 1) !== -1) assert.fail(`${number - 1} is not there`);
      if (ordinal % 3 === 0) members.setPresent(ordinal, false);
      if (ordinal % 6 === 0) members.setPresent(ordinal, true);
    }
    let live = 0;
    for (const [ordinal, number] of numbers.entries()) {
      const present = ordinal % 3 !== 0 || ordinal % 6 === 0;
      live += present ? 1 : 0;
      const bit = (masks[number >>> 16]![(number & 0xffff) >>> 5]! >>> (number & 31)) & 1;
      if (members.isPresent(ordinal) !== present || (bit === 1) !== present)
        assert.fail(`${number} at ${ordinal}`);
    }
    assert.equal(members.live, live);
    assert.equal(members.size, numbers.length);
  });
}

test('what appears after bits were asked for has its bit, in chunks of its own', () => {
  const members = new Members();
  members.append(3);
  const masks = members.keepMasks();
  members.append(200_000);
  assert.deepEqual([masks[0]?.[0], masks[1], masks[3]?.[(200_000 & 0xffff) >>> 5]], [8, undefined, 1]);
});
