/**
 * A value per entry number, in chunks of 65,536: growing never copies more than the first chunk, and slack
 * is never more than one chunk. The first chunk begins small, as most matches and contests do.
 */
export const chunkBits = 16;
export const chunkEntries = 1 << chunkBits;
export const chunkMask = chunkEntries - 1;
const firstCapacity = 64;

/** Entries the first chunk has room for, once `index` must fit. */
export function firstChunkCapacity(index: number): number {
  let capacity = firstCapacity;
  while (capacity <= index) capacity *= 2;
  return Math.min(capacity, chunkEntries);
}

/**
 * Whole numbers below 2^32, two bytes each in a chunk whose numbers are all below 2^16, else four. Unset
 * values are 0; `get` of what was never set, even in a chunk never made, is 0.
 */
export class NumberColumn {
  private readonly chunks: (Uint16Array | Uint32Array | undefined)[] = [];

  get(index: number): number {
    return this.chunks[index >>> chunkBits]?.[index & chunkMask] ?? 0;
  }

  set(index: number, value: number): void {
    const at = index >>> chunkBits;
    const within = index & chunkMask;
    let chunk = this.chunks[at];
    const isWide = value > 0xffff || chunk instanceof Uint32Array;
    if (chunk === undefined || within >= chunk.length || isWide !== chunk instanceof Uint32Array) {
      const needed = at === 0 ? firstChunkCapacity(within) : chunkEntries;
      const capacity = Math.max(needed, chunk?.length ?? 0);
      const next = isWide ? new Uint32Array(capacity) : new Uint16Array(capacity);
      if (chunk !== undefined) next.set(chunk);
      while (this.chunks.length < at) this.chunks.push(undefined);
      this.chunks[at] = next;
      chunk = next;
    }
    chunk[within] = value;
  }
}

export class Float64Column {
  private readonly chunks: Float64Array[] = [];

  get(index: number): number {
    return this.chunks[index >>> chunkBits]?.[index & chunkMask] ?? 0;
  }

  /** Indexes are set in rising order the first time. */
  set(index: number, value: number): void {
    const at = index >>> chunkBits;
    let chunk = this.chunks[at];
    if (chunk === undefined || (index & chunkMask) >= chunk.length) {
      const next = new Float64Array(at === 0 ? firstChunkCapacity(index) : chunkEntries);
      if (chunk !== undefined) next.set(chunk);
      this.chunks[at] = next;
      chunk = next;
    }
    chunk[index & chunkMask] = value;
  }

  /**
   * The next index from `from` on with a value of at least `floor`, of those that there is room for; -1:
   * none.
   */
  nextAtLeast(from: number, floor: number): number {
    for (let at = from >>> chunkBits; at < this.chunks.length; at += 1) {
      const chunk = this.chunks[at]!;
      for (let i = at === from >>> chunkBits ? from & chunkMask : 0; i < chunk.length; i += 1) {
        if (chunk[i]! >= floor) return (at << chunkBits) + i;
      }
    }
    return -1;
  }
}
