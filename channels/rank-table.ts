import type { Counts } from './contest/messages.ts';
import { DenseScores, denseSpanMax } from './dense-scores.ts';
import { OrderStatistics } from './order-statistics.ts';

/**
 * From "how many entries stand at each score" to the rank of a score, exactly.
 *
 * Two structures, one answer. Where the scores lie close together (a fantasy contest: a few thousand) the
 * counts are an array over the range and the ranks its suffix sums (dense-scores.ts). Where they do not (a
 * quiz that counts in milliseconds: up to a million distinct scores) the counts stand in sorted blocks
 * (order-statistics.ts). Which one is chosen by the spread of the scores, and changes by itself when the
 * spread outgrows the range.
 *
 * Laws:
 * [TABLE-1] The rank of a score is one more than the number of entries with a greater score (1-2-2-4), for
 *   scores that nobody has too.
 * [TABLE-2] Counts are absolute: to apply the same ones again changes nothing, and of two the later stands.
 * [TABLE-3] A count of 0 is as if the score had never been named.
 * [TABLE-4] Both structures give the same answers to the same counts, whatever the order they came in.
 * [TABLE-5] After `replace` only the counts it named stand.
 * [TABLE-6] `total` is the sum of all counts and `distinct` the number of scores with a count above 0.
 */
export interface ScoreCounts {
  /** Entries in all. */
  readonly total: number;
  /** Scores with a count above 0. */
  readonly distinct: number;
  /** Sets the count of one score. */
  set(score: number, count: number): void;
  countAt(score: number): number;
  /** Entries with a greater score, plus one. */
  rankOf(score: number): number;
  /** All counts above 0, ascending by score. */
  toCounts(): Counts;
}

/** The structure that fits, behind one door. Scores are safe integers, counts integers from 0 to 2^31 - 1. */
export class RankTable {
  #scores: ScoreCounts;

  constructor(counts: Counts) {
    this.#scores = fitting(counts);
  }

  get total(): number {
    return this.#scores.total;
  }
  get distinct(): number {
    return this.#scores.distinct;
  }
  /** For tests and metrics. */
  get structure(): 'dense' | 'blocks' {
    return this.#scores instanceof DenseScores ? 'dense' : 'blocks';
  }

  rankOf(score: number): number {
    return this.#scores.rankOf(score);
  }

  /** Sets the named scores' counts; all others stay. */
  applyCounts(touched: Counts): void {
    const { scores, counts } = touched;
    for (let i = 0; i < scores.length; i++) {
      const score = scores[i]!;
      if (this.#scores instanceof DenseScores && !this.#scores.fits(score)) {
        this.#scores = OrderStatistics.from(this.#scores.toCounts());
      }
      this.#scores.set(score, counts[i]!);
    }
  }

  /** The named counts and no others. */
  replace(counts: Counts): void {
    this.#scores = fitting(counts);
  }

  toCounts(): Counts {
    return this.#scores.toCounts();
  }
}

function fitting(counts: Counts): ScoreCounts {
  const { scores } = counts;
  const spread = scores.length === 0 ? 0 : scores[scores.length - 1]! - scores[0]!;
  return spread < denseSpanMax ? DenseScores.from(counts) : OrderStatistics.from(counts);
}
