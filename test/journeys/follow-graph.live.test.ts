import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyGraph, openGraph } from '../../workers/graph/graph.gremlin.testbed.ts';
import { createFollowWorld } from '../faults/follow-world.ts';
import { sharedGremlin } from '../services/shared.ts';
import { checkLists, passThrough, seed } from './follow-graph.ts';

const url = await sharedGremlin();
await emptyGraph(url);
const run = await passThrough(await createFollowWorld({ openGraph: (clock) => openGraph(url, {}, clock) }));

test('103,689 real follows become the lists of the file, each told once', (t) => checkLists(t, run));

test(`repeats in another order and latecomers change no list and tell nothing (SEED=${seed})`, () => {
  assert.deepEqual(run.again, run.once);
});
