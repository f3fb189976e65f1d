import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beside, slotCount, slotOf, slotTags } from './slots.ts';

test('slots are those of the cluster specification', () => {
  assert.equal(slotOf('123456789'), 0x31c3);
  // As CLUSTER KEYSLOT of Redis 7.0.15 has them.
  for (const [key, slot] of [
    ['followers_1002', 8_862],
    ['foo{hash_tag}', 2_515],
    ['somekey{}', 14_936],
    ['a}b', 7_866],
  ] as const) {
    assert.equal(slotOf(key), slot, key);
  }
});

test('each slot has a tag, and what lives beside a key has its slot, whatever its braces', () => {
  slotTags().forEach((tag, slot) => {
    assert.equal(slotOf(`born:{${tag}}`), slot);
  });
  assert.equal(slotTags().length, slotCount);
  assert.equal(beside('fence', 'followers_1002'), 'fence:{followers_1002}');
  for (const key of ['a', 'ü', '{', '}', '{}', 'a{b}c', 'a}b', 'a{}{b}', '}{x}', '{a', 'a{b']) {
    assert.equal(slotOf(beside('fence', key)), slotOf(key), key);
  }
});
