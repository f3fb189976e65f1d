import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Counts } from './contest/messages.ts';
import { DenseScores, denseSpanMax } from './dense-scores.ts';
import { OrderStatistics } from './order-statistics.ts';
import { RankTable, type ScoreCounts } from './rank-table.ts';

const seed = Number(process.env['SEED'] ?? 20_190_714);

/** mulberry32: small, seeded, good enough to choose cases. */
function random(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The obvious model: a map, and a walk over all of it for every rank. */
class Naive {
  readonly counts = new Map<number, number>();
  set(score: number, count: number): void {
    if (count === 0) this.counts.delete(score);
    else this.counts.set(score, count);
  }
  rankOf(score: number): number {
    let rank = 1;
    for (const [other, count] of this.counts) if (other > score) rank += count;
    return rank;
  }
  toCounts(): Counts {
    const rows = [...this.counts].sort((a, b) => a[0] - b[0]);
    return { scores: rows.map((r) => r[0]), counts: rows.map((r) => r[1]) };
  }
}

const of = (rows: [number, number][]): Counts => ({
  scores: rows.map((r) => r[0]),
  counts: rows.map((r) => r[1]),
});

test('[TABLE-1] competition ranking, and a rank for scores that nobody has', () => {
  const rows: [number, number][] = [
    [-4, 1],
    [10, 1],
    [20, 2],
    [30, 1],
  ];
  for (const table of [DenseScores.from(of(rows)), OrderStatistics.from(of(rows))]) {
    const ranks = [31, 30, 29, 20, 10, 0, -4, -5].map((score) => table.rankOf(score));
    assert.deepEqual(ranks, [1, 1, 2, 2, 4, 5, 5, 6]);
  }
  assert.equal(new RankTable(of([])).rankOf(7), 1);
});

test('[TABLE-2] [TABLE-3] counts are absolute, 0 forgets', () => {
  const table = new RankTable(of([[5, 3]]));
  table.applyCounts(of([[6, 2]]));
  table.applyCounts(of([[6, 2]]));
  assert.equal(table.rankOf(5), 3);
  table.applyCounts(of([[6, 9]]));
  assert.equal(table.rankOf(5), 10);
  table.applyCounts(of([[6, 0]]));
  assert.equal(table.rankOf(5), 1);
  assert.deepEqual(table.toCounts(), of([[5, 3]]));
});

test('[TABLE-5] after replace only what it named stands', () => {
  const table = new RankTable(of([[5, 3]]));
  table.replace(of([[1, 1]]));
  assert.deepEqual(table.toCounts(), of([[1, 1]]));
  assert.equal(table.total, 1);
});

test('[TABLE-6] total and distinct follow every change', () => {
  const table = new RankTable(of([[5, 3]]));
  table.applyCounts(
    of([
      [5, 1],
      [9, 4],
    ]),
  );
  assert.deepEqual([table.total, table.distinct], [5, 2]);
  table.applyCounts(of([[5, 0]]));
  assert.deepEqual([table.total, table.distinct], [4, 1]);
});

test('[TABLE-4] a range outgrown becomes blocks and answers the same', () => {
  const table = new RankTable(
    of([
      [0, 1],
      [1_000, 2],
    ]),
  );
  assert.equal(table.structure, 'dense');
  table.applyCounts(of([[-300, 1]]));
  assert.equal(table.structure, 'dense');
  table.applyCounts(of([[denseSpanMax * 3, 5]]));
  assert.equal(table.structure, 'blocks');
  assert.deepEqual(
    [denseSpanMax * 3, 1_000, 0, -300].map((s) => table.rankOf(s)),
    [1, 6, 8, 9],
  );
  table.replace(of([[3, 1]]));
  assert.equal(table.structure, 'dense');
});

/** Random counts in random order into both structures and the model; all ranks compared now and then. */
function compare(spread: number, steps: number, next: () => number): void {
  const naive = new Naive();
  const both: ScoreCounts[] = [new OrderStatistics()];
  if (spread < denseSpanMax / 2) both.push(new DenseScores());
  const hot = Array.from({ length: 40 }, () => Math.floor(next() * spread));
  for (let step = 0; step < steps; step++) {
    const score = next() < 0.3 ? hot[step % 40]! : Math.floor(next() * spread) - (spread >> 1);
    const count = next() < 0.35 ? 0 : Math.floor(next() * 50);
    naive.set(score, count);
    for (const table of both) table.set(score, count);
    if (step % 61 !== 0) continue;
    const asked = next() < 0.5 ? score : Math.floor(next() * spread * 1.2) - (spread >> 1);
    for (const table of both) assert.equal(table.rankOf(asked), naive.rankOf(asked), `seed ${seed}`);
  }
  for (const table of both) {
    assert.deepEqual(table.toCounts(), naive.toCounts(), `seed ${seed}`);
    const { scores, counts } = naive.toCounts();
    assert.equal(table.distinct, scores.length);
    assert.equal(
      table.total,
      counts.reduce((sum, n) => sum + n, 0),
    );
  }
}

test('[TABLE-1] [TABLE-2] [TABLE-3] [TABLE-4] both structures against the obvious model', () => {
  const next = random(seed);
  for (const spread of [1, 7, 300, 5_000, 30_000, 1_000_000, 2 ** 50]) compare(spread, 4_000, next);
});

test('[TABLE-4] blocks split, shrink and join without a trace', () => {
  const next = random(seed + 1);
  const naive = new Naive();
  const table = new OrderStatistics();
  const scores = Array.from({ length: 3_000 }, (_, i) => i * 11);
  for (const pass of [3, 0, 5, 0, 1]) {
    for (let i = scores.length - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1));
      [scores[i], scores[j]] = [scores[j]!, scores[i]!];
    }
    for (const score of scores) {
      if (next() < 0.03) continue;
      naive.set(score, pass);
      table.set(score, pass);
      if (next() < 0.02) assert.equal(table.rankOf(score), naive.rankOf(score), `seed ${seed}`);
    }
    assert.deepEqual(table.toCounts(), naive.toCounts(), `seed ${seed}`);
  }
});

test('[TABLE-1] a million distinct scores', () => {
  const n = 1_000_000;
  const scores = Array.from({ length: n }, (_, i) => i * 1_000);
  const table = new RankTable({ scores, counts: scores.map(() => 1) });
  assert.equal(table.structure, 'blocks');
  assert.equal(table.rankOf((n - 1) * 1_000), 1);
  assert.equal(table.rankOf(0), n);
  assert.equal(table.rankOf(500_000_000), n - 500_000);
  table.applyCounts(of([[500_000_001, 7]]));
  assert.equal(table.rankOf(500_000_000), n - 500_000 + 7);
  assert.equal(table.total, n + 7);
});
