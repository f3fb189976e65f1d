import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/model/random.ts';
import { IdIndex } from './id-index.ts';
import { IdQuery, PackedIds } from './packed-ids.ts';

const symbols = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';

function randomIds(random: Random, count: number): string[] {
  const ids = new Set<string>();
  while (ids.size < count) {
    let id = '';
    for (let left = random.between(1, random.chance(0.9) ? 12 : 36); left > 0; left -= 1) {
      id += symbols[random.below(64)];
    }
    ids.add(id);
  }
  return [...ids];
}

test('ids of every length and symbol come back as they were, across blocks', () => {
  const random = new Random(7);
  const ids = [
    ...Array.from({ length: 36 }, (_, i) => symbols.slice(i, i * 2 + 1)),
    ...randomIds(random, 40_000),
  ];
  const packed = new PackedIds();
  const query = new IdQuery();
  for (const [i, id] of ids.entries()) assert.equal(packed.push(query.set(id)), i);
  for (const [i, id] of ids.entries()) {
    if (packed.get(i) !== id) assert.equal(packed.get(i), id);
    if (packed.hash(i) !== query.set(id).hash || !packed.equals(i, query)) assert.fail(`${id} is not itself`);
    if (packed.equals(i, query.set(ids[(i + 1) % ids.length]!))) assert.fail(`${id} is another`);
  }
});

test('an id that begins as another, or ends in the symbol of zero bits, is another', () => {
  const packed = new PackedIds();
  const query = new IdQuery();
  for (const id of ['a', 'a-', 'a--', 'a---', '-', '--']) packed.push(query.set(id));
  for (let i = 0; i < packed.count; i += 1) {
    query.set(packed.get(i));
    for (let other = 0; other < packed.count; other += 1)
      assert.equal(packed.equals(other, query), other === i);
  }
});

test('an index finds every id and no other, while it grows through the split into 64 tables', () => {
  const random = new Random(11);
  const ids = randomIds(random, 60_000);
  const packed = new PackedIds();
  const index = new IdIndex(packed);
  const query = new IdQuery();
  const half = ids.length / 2;
  for (let i = 0; i < half; i += 1) {
    if (index.find(query.set(ids[i]!)) !== -1) assert.fail(`${ids[i]} is there before it is put`);
    index.put(query, packed.push(query));
  }
  for (const [i, id] of ids.entries()) {
    const found = index.find(query.set(id));
    if (found !== (i < half ? i : -1)) assert.fail(`${id}: ${found}, not ${i}`);
  }
});

test('putting what is there replaces its number', () => {
  const packed = new PackedIds();
  const index = new IdIndex(packed);
  const query = new IdQuery();
  for (const number of [0, 1]) {
    index.find(query.set('same'));
    packed.push(query);
    index.put(query, number);
  }
  assert.equal(index.find(query.set('same')), 1);
});

test('a block whose ids were all of one length takes another, at its begin, amid it and at its end', () => {
  const blockIds = 16_384;
  for (const odd of [1, 15, 16, 17, 5_000, blockIds - 1, blockIds, blockIds + 1]) {
    const packed = new PackedIds();
    const query = new IdQuery();
    const idOf = (i: number): string => (i === odd ? 'odd' : `id-${String(i).padStart(8, '0')}`);
    for (let i = 0; i < blockIds + 40; i += 1) packed.push(query.set(idOf(i)));
    for (let i = 0; i < packed.count; i += 1) {
      if (packed.get(i) !== idOf(i)) assert.equal(packed.get(i), idOf(i));
      if (!packed.equals(i, query.set(idOf(i)))) assert.fail(`${idOf(i)} is not itself`);
      if (packed.hash(i) !== query.hash) assert.fail(`${idOf(i)} has another hash`);
    }
  }
});
