import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeeperThan } from './depth.ts';
import { limits } from './limits.ts';

test('nesting is counted in objects and arrays, and the bound is exact', () => {
  assert.equal(isDeeperThan('text', 0), false);
  assert.equal(isDeeperThan(null, 0), false);
  assert.equal(isDeeperThan([], 0), true);
  assert.equal(isDeeperThan([1, { a: 'x' }], 2), false);
  assert.equal(isDeeperThan([1, { a: [] }], 2), true);
});

test('a value as deep as a message allows can only be told, not overflow', () => {
  const deep = JSON.parse(`${'['.repeat(8_000)}${']'.repeat(8_000)}`);
  assert.equal(isDeeperThan(deep, limits.depthMax), true);
});
