import type { Counts } from './contest/messages.ts';
import type { ScoreCounts } from './rank-table.ts';

/**
 * Counts over a range of scores as one array, ranks as its suffix sums.
 *
 * A tick sets its touched counts and the first rank asked for afterwards rebuilds the sums below the highest
 * touched score: one pass over a few thousand integers, whatever the number of entries.
 */

/**
 * Widest range kept as an array: 65,536 scores are half a megabyte and 30 us to sum; beyond, blocks are
 * cheaper.
 */
export const denseSpanMax = 65_536;
/** Free room on both sides when the range grows, so that it does not grow at every tick. */
const growMargin = 256;

export class DenseScores implements ScoreCounts {
  total = 0;
  distinct = 0;
  #low = 0;
  #counts = new Int32Array(0);
  /** Entries with a greater score, by index; true for indexes at or above #cleanFrom. */
  #above = new Int32Array(0);
  #cleanFrom = 0;

  /** Scores ascending, all within `denseSpanMax` of each other. */
  static from(counts: Counts): DenseScores {
    const dense = new DenseScores();
    const { scores } = counts;
    if (scores.length > 0) dense.#reach(scores[0]!, scores[scores.length - 1]!);
    for (let i = 0; i < scores.length; i++) dense.set(scores[i]!, counts.counts[i]!);
    return dense;
  }

  /** Whether `score` lies in the range or the range may grow to hold it. */
  fits(score: number): boolean {
    const span = this.#counts.length;
    if (span === 0) return true;
    const low = Math.min(this.#low, score);
    const high = Math.max(this.#low + span - 1, score);
    return high - low < denseSpanMax;
  }

  set(score: number, count: number): void {
    if (score < this.#low || score >= this.#low + this.#counts.length) this.#reach(score, score);
    const index = score - this.#low;
    const before = this.#counts[index]!;
    if (before === count) return;
    this.#counts[index] = count;
    this.total += count - before;
    if (before === 0) this.distinct++;
    else if (count === 0) this.distinct--;
    if (index > this.#cleanFrom) this.#cleanFrom = index;
  }

  countAt(score: number): number {
    const index = score - this.#low;
    return index >= 0 && index < this.#counts.length ? this.#counts[index]! : 0;
  }

  rankOf(score: number): number {
    const index = score - this.#low;
    if (index < 0) return this.total + 1;
    if (index >= this.#counts.length) return 1;
    if (index < this.#cleanFrom) this.#sum();
    return this.#above[index]! + 1;
  }

  toCounts(): Counts {
    const scores: number[] = [];
    const counts: number[] = [];
    for (let i = 0; i < this.#counts.length; i++) {
      if (this.#counts[i]! === 0) continue;
      scores.push(this.#low + i);
      counts.push(this.#counts[i]!);
    }
    return { scores, counts };
  }

  #sum(): void {
    const counts = this.#counts;
    const above = this.#above;
    let sum = above[this.#cleanFrom]! + counts[this.#cleanFrom]!;
    for (let i = this.#cleanFrom - 1; i >= 0; i--) {
      above[i] = sum;
      sum += counts[i]!;
    }
    this.#cleanFrom = 0;
  }

  /** Makes the range hold both scores. */
  #reach(from: number, to: number): void {
    const span = this.#counts.length;
    const first = span === 0 ? from : Math.min(this.#low, from);
    const last = span === 0 ? to : Math.max(this.#low + span - 1, to);
    const room = Math.max(0, Math.min(growMargin, (denseSpanMax - (last - first + 1)) >> 1));
    const low = first - room;
    const grown = new Int32Array(last + room - low + 1);
    if (span > 0) grown.set(this.#counts, this.#low - low);
    this.#counts = grown;
    this.#above = new Int32Array(grown.length);
    this.#low = low;
    this.#cleanFrom = grown.length - 1;
  }
}
