import type { Counts } from './contest/messages.ts';
import type { ScoreCounts } from './rank-table.ts';

/**
 * Counts at any number of distinct scores, in sorted blocks (a B+ tree of two levels, kept flat).
 *
 * A block holds up to 512 scores ascending, their counts, and the sum of these. The entries above a score
 * are those in higher blocks (a suffix sum over blocks, rebuilt by the first question after a change: 2,700
 * blocks for a million scores) plus those above it in its own block. A full block splits in two; one that
 * shrinks joins its neighbour.
 */
const blockScoresMax = 512;
/** Fill of fresh blocks: leaves room so that the first insertions do not split every block. */
const blockScoresFresh = 384;
/** Two neighbours of together at most so many scores become one. */
const joinBelow = 256;

class Block {
  size = 0;
  sum = 0;
  readonly scores = new Float64Array(blockScoresMax);
  readonly counts = new Int32Array(blockScoresMax);

  /** Index of the first score >= `score`; `size` when all are less. */
  find(score: number): number {
    let from = 0;
    let to = this.size;
    while (from < to) {
      const mid = (from + to) >> 1;
      if (this.scores[mid]! < score) from = mid + 1;
      else to = mid;
    }
    return from;
  }

  insert(index: number, score: number, count: number): void {
    this.scores.copyWithin(index + 1, index, this.size);
    this.counts.copyWithin(index + 1, index, this.size);
    this.scores[index] = score;
    this.counts[index] = count;
    this.size++;
    this.sum += count;
  }

  remove(index: number): void {
    this.sum -= this.counts[index]!;
    this.scores.copyWithin(index, index + 1, this.size);
    this.counts.copyWithin(index, index + 1, this.size);
    this.size--;
  }

  /** Takes over the scores of `other` from `start` on; they are all above this block's. */
  take(other: Block, start: number): void {
    this.scores.set(other.scores.subarray(start, other.size), this.size);
    this.counts.set(other.counts.subarray(start, other.size), this.size);
    let moved = 0;
    for (let i = start; i < other.size; i++) moved += other.counts[i]!;
    this.size += other.size - start;
    this.sum += moved;
    other.size = start;
    other.sum -= moved;
  }
}

export class OrderStatistics implements ScoreCounts {
  total = 0;
  distinct = 0;
  /** Never empty; only the first may hold no score. */
  #blocks: Block[] = [new Block()];
  /** Entries in higher blocks, by block; rebuilt when #stale. */
  #above: number[] = [0];
  #stale = false;

  /** Scores ascending. */
  static from(counts: Counts): OrderStatistics {
    const made = new OrderStatistics();
    let block = made.#blocks[0]!;
    for (let i = 0; i < counts.scores.length; i++) {
      const count = counts.counts[i]!;
      if (count === 0) continue;
      if (block.size === blockScoresFresh) {
        block = new Block();
        made.#blocks.push(block);
      }
      block.insert(block.size, counts.scores[i]!, count);
      made.total += count;
      made.distinct++;
    }
    made.#stale = true;
    return made;
  }

  set(score: number, count: number): void {
    const at = this.#blockOf(score);
    const block = this.#blocks[at]!;
    const index = block.find(score);
    const here = index < block.size && block.scores[index] === score;
    const before = here ? block.counts[index]! : 0;
    if (before === count) return;
    this.total += count - before;
    this.#stale = true;
    if (here && count > 0) {
      block.counts[index] = count;
      block.sum += count - before;
    } else if (here) {
      block.remove(index);
      this.distinct--;
      this.#shrink(at);
    } else {
      this.distinct++;
      this.#insert(at, index, score, count);
    }
  }

  countAt(score: number): number {
    const block = this.#blocks[this.#blockOf(score)]!;
    const index = block.find(score);
    return index < block.size && block.scores[index] === score ? block.counts[index]! : 0;
  }

  rankOf(score: number): number {
    if (this.#stale) this.#sum();
    const at = this.#blockOf(score);
    const block = this.#blocks[at]!;
    let above = this.#above[at]!;
    let index = block.find(score);
    if (index < block.size && block.scores[index] === score) index++;
    if (index <= block.size >> 1) {
      above += block.sum;
      for (let i = 0; i < index; i++) above -= block.counts[i]!;
    } else {
      for (let i = index; i < block.size; i++) above += block.counts[i]!;
    }
    return above + 1;
  }

  toCounts(): Counts {
    const scores: number[] = [];
    const counts: number[] = [];
    for (const block of this.#blocks) {
      for (let i = 0; i < block.size; i++) {
        scores.push(block.scores[i]!);
        counts.push(block.counts[i]!);
      }
    }
    return { scores, counts };
  }

  /** The last block whose first score is <= `score`; the first block when none is. */
  #blockOf(score: number): number {
    const blocks = this.#blocks;
    let from = 0;
    let to = blocks.length - 1;
    while (from < to) {
      const mid = (from + to + 1) >> 1;
      if (blocks[mid]!.scores[0]! <= score) from = mid;
      else to = mid - 1;
    }
    return from;
  }

  #insert(at: number, index: number, score: number, count: number): void {
    const block = this.#blocks[at]!;
    if (block.size < blockScoresMax) {
      block.insert(index, score, count);
      return;
    }
    const upper = new Block();
    upper.take(block, blockScoresMax >> 1);
    this.#blocks.splice(at + 1, 0, upper);
    const target = index <= block.size ? block : upper;
    target.insert(target.find(score), score, count);
  }

  /** Joins the block with a neighbour if both are small. */
  #shrink(at: number): void {
    const blocks = this.#blocks;
    const lower = at > 0 ? at - 1 : at;
    if (lower + 1 >= blocks.length) return;
    const below = blocks[lower]!;
    const above = blocks[lower + 1]!;
    if (below.size + above.size > joinBelow) {
      // An empty block would make the search for a block read a score that is not there.
      if (blocks[at]!.size === 0) blocks.splice(at, 1);
      return;
    }
    below.take(above, 0);
    blocks.splice(lower + 1, 1);
  }

  #sum(): void {
    const blocks = this.#blocks;
    this.#above.length = blocks.length;
    let sum = 0;
    for (let i = blocks.length - 1; i >= 0; i--) {
      this.#above[i] = sum;
      sum += blocks[i]!.sum;
    }
    this.#stale = false;
  }
}
