import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../random.ts';
import { LatencyHistogram } from './latency-histogram.ts';

test('percentiles are those of the sorted values, at most one bucket above', (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
  t.diagnostic(`SEED=${seed}`);
  const random = createRandom(seed);
  for (const spread of [0.05, 3, 300, 60_000, 3_600_000]) {
    const histogram = new LatencyHistogram();
    const values = Array.from({ length: 5_000 }, () => Math.round(random() ** 4 * spread * 1_000) / 1_000);
    for (const value of values) histogram.record(value);
    values.sort((a, b) => a - b);
    for (const percent of [0, 1, 50, 90, 99, 99.9, 100]) {
      const exact = values[Math.max(0, Math.ceil((percent / 100) * values.length) - 1)] ?? 0;
      const told = histogram.percentile(percent) ?? -1;
      assert.ok(
        told >= exact - 1e-9 && told <= exact * (1 + 1 / 64) + 1e-9,
        `p${percent}: ${told}, not ${exact}`,
      );
    }
    assert.equal(histogram.summary().max, values.at(-1));
    assert.equal(histogram.count, values.length);
  }
});

test('nothing recorded is null; what is below nothing or beyond all bounds is kept at the bound', () => {
  const histogram = new LatencyHistogram();
  assert.deepEqual(histogram.summary(), { count: 0, p50: null, p90: null, p99: null, max: null });
  histogram.record(-5);
  assert.deepEqual(histogram.summary(), { count: 1, p50: 0, p90: 0, p99: 0, max: 0 });
  histogram.record(Number.MAX_SAFE_INTEGER);
  assert.equal(histogram.summary().max, (2 ** 32 - 1) / 1_000);
});
