import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFollowWorld } from '../faults/follow-world.ts';
import { checkLists, passThrough, seed } from './follow-graph.ts';

// Before the first test: from there on the runner follows every promise, which doubles the time.
const run = await passThrough(await createFollowWorld());

test('103,689 real follows become the lists of the file, each told once', (t) => checkLists(t, run));

test(`repeats in another order and latecomers change no list and tell nothing (SEED=${seed})`, () => {
  assert.deepEqual(run.again, run.once);
});
