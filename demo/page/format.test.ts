import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, clockTime, count, monogram, percent, plural, points, userName } from './format.ts';

test('numbers are written for people', () => {
  assert.equal(count(100_001), '100,001');
  assert.equal(points(412.5), '412.5');
  assert.equal(points(-2), '-2');
  assert.deepEqual([percent(100), percent(99.998), percent(0)], ['100', '99.9', '0.0']);
  assert.deepEqual([plural(1, 'version'), plural(2_000, 'version')], ['1 version', '2,000 versions']);
});

test('times are written for people', () => {
  assert.deepEqual([clockTime(65_999), clockTime(-5)], ['1:05', '0:00']);
  const [second, minute] = [1_000, 60_000];
  assert.deepEqual(
    [ago(-second), ago(4 * second), ago(30 * second), ago(5 * minute), ago(180 * minute)],
    ['now', 'now', '30 s', '5 min', '3 h'],
  );
});

test('users have names', () => {
  assert.deepEqual([userName('amber-heron-k3f9'), monogram('amber-heron-k3f9')], ['Amber Heron', 'AH']);
  assert.deepEqual([userName('4037'), monogram('4037')], ['Fan 4037', '37']);
  assert.deepEqual([userName('u11347'), monogram('u11347')], ['Fan u11347', '47']);
});
