import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedIn } from './promql.ts';

test('metrics, the labels that select them, and those that group them', () => {
  const text =
    'sum by (le, job) (rate(a_bucket{x=~"1|2{", y!="by (z)"}[5m])) > 1.8e9 ' +
    'and on (job, instance) b == bool 0 or vector(0)';
  assert.deepEqual(namedIn(text), {
    selectors: [
      { metric: 'a_bucket', labels: ['x', 'y'] },
      { metric: 'b', labels: [] },
    ],
    grouped: ['le', 'job', 'job', 'instance'],
  });
  assert.deepEqual(namedIn('c{state="open"} / count(d) < 0.6').selectors, [
    { metric: 'c', labels: ['state'] },
    { metric: 'd', labels: [] },
  ]);
});
