import assert from 'node:assert/strict';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { runWorlds, type WorldsAsked, type WorldsDone } from '../../test/model/trial-worker.ts';

/**
 * The ranker against the obvious model (test/model/), a world after the other: RECORDS says how many records
 * in all, SEED the first world's seed. A failing world names its own seed, which repeats it alone.
 */
const recordsPerWorld = 1_000;
const threadsMax = 4;

function onThread(asked: WorldsAsked): Promise<WorldsDone> {
  const worker = new Worker(new URL('../../test/model/trial-worker.js', import.meta.url), {
    workerData: asked,
  });
  return once(worker, 'message').then(([done]) => done as WorldsDone);
}

test('[RK-19] [RK-20] random worlds agree with the model in everything they answer', async (t) => {
  const records = Number(process.env['RECORDS'] ?? 1_000_000);
  const seed = Number(process.env['SEED'] ?? 1 + Math.floor(Math.random() * 1e9));
  t.diagnostic(`SEED=${seed}`);
  const worlds = Math.ceil(records / recordsPerWorld);
  const threads = Math.min(threadsMax, availableParallelism(), worlds);
  const share = Math.ceil(worlds / threads);
  const asked = Array.from({ length: threads }, (_, i): WorldsAsked => {
    const first = i * share;
    return { first: seed + first, worlds: Math.min(share, worlds - first), recordsPerWorld };
  });
  const parts = threads === 1 ? asked.map(runWorlds) : await Promise.all(asked.map(onThread));
  for (const { failure } of parts) if (failure !== null) assert.fail(failure);
  const done = parts.reduce((sum, part) => sum + part.records, 0);
  const comparisons = parts.reduce((sum, part) => sum + part.comparisons, 0);
  t.diagnostic(`${done} records, ${comparisons} comparisons`);
  assert.ok(done >= records && comparisons > done);
});
