/**
 * How many entries of a large fantasy contest stand at each score: an array over the few thousand scores
 * there are. A `points` record makes it stale in no time; it is counted anew when next asked for.
 */
export class ScoreCounts {
  /** Score of index 0. */
  private low = 0;
  private counts = new Int32Array(1);
  /** Entries above each score; made when asked for. */
  private above: Int32Array | null = null;
  /** Of the match's points when this was counted. */
  private pointsSeen = -1;

  isFresh(points: number): boolean {
    return this.pointsSeen === points;
  }

  /** Takes over a histogram of scores from `low` on, at the match's `points`. */
  take(points: number, low: number, histogram: Int32Array): void {
    let from = 0;
    let to = histogram.length;
    while (from < to && histogram[from] === 0) from += 1;
    while (to > from && histogram[to - 1] === 0) to -= 1;
    const size = to - from;
    if (this.counts.length < size || this.counts.length > 2 * size + 1_024)
      this.counts = new Int32Array(size);
    else this.counts.fill(0);
    this.counts.set(histogram.subarray(from, to));
    this.low = low + from;
    this.above = null;
    this.pointsSeen = points;
  }

  /** While fresh: one entry comes (1) or goes (-1). A score beyond the array makes all stale. */
  add(score: number, change: number): void {
    const index = score - this.low;
    if (index < 0 || index >= this.counts.length) {
      this.pointsSeen = -1;
      return;
    }
    this.counts[index]! += change;
    this.above = null;
  }

  at(score: number): number {
    return this.counts[score - this.low] ?? 0;
  }

  /** Entries with a greater score. */
  greaterThan(score: number): number {
    if (this.above === null) {
      this.above = new Int32Array(this.counts.length);
      let sum = 0;
      for (let i = this.counts.length - 1; i >= 0; i -= 1) {
        this.above[i] = sum;
        sum += this.counts[i]!;
      }
    }
    return this.above[score - this.low]!;
  }

  /** All counts above 0, ascending by score. */
  all(): { scores: number[]; counts: number[] } {
    const scores: number[] = [];
    const counts: number[] = [];
    for (let i = 0; i < this.counts.length; i += 1) {
      if (this.counts[i] === 0) continue;
      scores.push(this.low + i);
      counts.push(this.counts[i]!);
    }
    return { scores, counts };
  }

  /** The score at which the first `rows` rows end, and how many entries are above it. */
  threshold(rows: number): { score: number; above: number } {
    let above = 0;
    for (let i = this.counts.length - 1; i >= 0; i -= 1) {
      if (above + this.counts[i]! >= rows) return { score: this.low + i, above };
      above += this.counts[i]!;
    }
    return { score: Number.NEGATIVE_INFINITY, above };
  }
}
