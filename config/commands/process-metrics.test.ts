import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Gauge, Registry } from 'prom-client';
import { ProcessTotals } from './process-metrics.ts';
import type { ProcessMetrics } from './supervised.ts';

async function saying(count: number): Promise<ProcessMetrics> {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'asked_total', help: 'Asked.', registers }).inc(count);
  new Gauge({ name: 'open', help: 'Open.', registers }).set(count);
  return (await registry.getMetricsAsJSON()) as ProcessMetrics;
}

test('counts of processes that end at once all stay, at every moment; their gauges go', async () => {
  const totals = new ProcessTotals();
  for (const process of [1, 2, 3, 4]) totals.said(process, await saying(process));
  const own = new Registry();
  const ends = [1, 2, 3].map((process) => totals.hasEnded(process));
  let over = false;
  const all = Promise.all(ends).then(() => {
    over = true;
  });
  do assert.match(await totals.text(own), /^asked_total 10$/m);
  while (!over);
  await all;
  const text = await totals.text(own);
  assert.match(text, /^asked_total 10$/m);
  assert.match(text, /^open 4$/m);
});
