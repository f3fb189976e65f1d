/**
 * How many entries of a `scores` contest stand at each of any number of distinct scores: an order-statistics
 * structure. Scores ascend in blocks of up to 512 with their counts, as in the leaves of a B-tree; a change
 * is a binary search over blocks, one within, and a move of half a block at most. Sums over blocks are made
 * when a rank is first asked for after a change, so that many ranks asked together cost one pass over the
 * blocks.
 */
const blockMax = 512;

interface Block {
  scores: Float64Array;
  counts: Uint32Array;
  size: number;
  total: number;
}

export class SortedCounts {
  /** Distinct scores. */
  distinct = 0;
  private readonly blocks: Block[] = [];
  /** Entries in the blocks after each. */
  private after: Float64Array | null = null;

  /** `change` entries come to (or, below 0, leave) a score. */
  add(score: number, change: number): void {
    this.after = null;
    if (this.blocks.length === 0) this.blocks.push(newBlock(8));
    let at = this.blockOf(score);
    let block = this.blocks[at]!;
    let index = lowerBound(block, score);
    if (index === block.size || block.scores[index] !== score) {
      if (block.size === blockMax) {
        this.blocks.splice(at + 1, 0, splitOff(block));
        if (score > block.scores[block.size - 1]!) at += 1;
        block = this.blocks[at]!;
        index = lowerBound(block, score);
      }
      insertAt(block, index, score);
      this.distinct += 1;
    }
    block.counts[index]! += change;
    block.total += change;
    if (block.counts[index] !== 0) return;
    removeAt(block, index);
    this.distinct -= 1;
    if (block.size === 0 && this.blocks.length > 1) this.blocks.splice(at, 1);
  }

  at(score: number): number {
    const block = this.blocks[this.blockOf(score)];
    if (block === undefined) return 0;
    const index = lowerBound(block, score);
    return index < block.size && block.scores[index] === score ? block.counts[index]! : 0;
  }

  /** Entries with a greater score. */
  greaterThan(score: number): number {
    if (this.blocks.length === 0) return 0;
    const at = this.blockOf(score);
    const block = this.blocks[at]!;
    let sum = this.sums()[at]!;
    for (let i = block.size - 1; i >= 0 && block.scores[i]! > score; i -= 1) sum += block.counts[i]!;
    return sum;
  }

  all(): { scores: number[]; counts: number[] } {
    const scores: number[] = [];
    const counts: number[] = [];
    for (const block of this.blocks) {
      for (let i = 0; i < block.size; i += 1) {
        scores.push(block.scores[i]!);
        counts.push(block.counts[i]!);
      }
    }
    return { scores, counts };
  }

  /** The score at which the first `rows` rows end, and how many entries are above it. */
  threshold(rows: number): { score: number; above: number } {
    let above = 0;
    for (let at = this.blocks.length - 1; at >= 0; at -= 1) {
      const block = this.blocks[at]!;
      for (let i = block.size - 1; i >= 0; i -= 1) {
        if (above + block.counts[i]! >= rows) return { score: block.scores[i]!, above };
        above += block.counts[i]!;
      }
    }
    return { score: Number.NEGATIVE_INFINITY, above };
  }

  /** The first block whose greatest score is not less; else the last. */
  private blockOf(score: number): number {
    let low = 0;
    let high = this.blocks.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.blocks[middle]!;
      if (block.scores[block.size - 1]! >= score) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private sums(): Float64Array {
    if (this.after !== null) return this.after;
    const after = new Float64Array(this.blocks.length);
    let sum = 0;
    for (let at = this.blocks.length - 1; at >= 0; at -= 1) {
      after[at] = sum;
      sum += this.blocks[at]!.total;
    }
    this.after = after;
    return after;
  }
}

function newBlock(capacity: number): Block {
  return { scores: new Float64Array(capacity), counts: new Uint32Array(capacity), size: 0, total: 0 };
}

function lowerBound(block: Block, score: number): number {
  let low = 0;
  let high = block.size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (block.scores[middle]! >= score) high = middle;
    else low = middle + 1;
  }
  return low;
}

function insertAt(block: Block, index: number, score: number): void {
  if (block.size === block.scores.length) {
    const next = newBlock(Math.min(blockMax, block.size * 2));
    next.scores.set(block.scores);
    next.counts.set(block.counts);
    block.scores = next.scores;
    block.counts = next.counts;
  }
  block.scores.copyWithin(index + 1, index, block.size);
  block.counts.copyWithin(index + 1, index, block.size);
  block.scores[index] = score;
  block.counts[index] = 0;
  block.size += 1;
}

function removeAt(block: Block, index: number): void {
  block.scores.copyWithin(index, index + 1, block.size);
  block.counts.copyWithin(index, index + 1, block.size);
  block.size -= 1;
}

/** The upper half as a block of its own. */
function splitOff(block: Block): Block {
  const half = block.size >>> 1;
  const upper = newBlock(blockMax);
  upper.scores.set(block.scores.subarray(half, block.size));
  upper.counts.set(block.counts.subarray(half, block.size));
  upper.size = block.size - half;
  for (let i = 0; i < upper.size; i += 1) upper.total += upper.counts[i]!;
  block.size = half;
  block.total -= upper.total;
  return upper;
}
