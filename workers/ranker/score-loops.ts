/**
 * The loops over all entries of a chunk: what a `points` record costs. Those that both widths of scores need
 * are written once for each: shared, they would be compiled for both and run at a third of the speed.
 *
 * Narrow scores are unsigned, 32,768 higher than they are, so that two of them side by side can be changed
 * by one addition of 32 bits: neither half ever carries into the other.
 */
export const narrowBias = 32_768;
/** Counts of one lane of `countNarrow`: one for each value of a narrow score. */
export const laneSize = 65_536;

/**
 * Bits of a row go with pairs of scores by position, which is in the order of memory only where that is low
 * to high.
 */
export const canPair = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** What is added to a pair of scores by the two bits of a row: 4 for each role. */
export function pairDeltas(plain: number, vice: number, captain: number): Int32Array {
  const deltas = new Int32Array(12);
  [plain, vice, captain].forEach((delta, role) => {
    deltas[role * 4 + 1] = delta;
    deltas[role * 4 + 2] = delta * 65_536;
    deltas[role * 4 + 3] = delta * 65_537;
  });
  return deltas;
}

/**
 * Adds to all narrow scores of a chunk, seen in pairs, what the bits of the three rows say; the same work
 * whatever the bits are. Written out: a loop over the sixteen pairs of a word takes twice as long.
 */
export function addPairs(
  scores: Int32Array,
  plainRow: Uint32Array,
  viceRow: Uint32Array,
  captainRow: Uint32Array,
  deltas: Int32Array,
): void {
  for (let word = 0, i = 0; i < scores.length; word += 1, i += 16) {
    const plain = plainRow[word]! | 0;
    const vice = viceRow[word]! | 0;
    const captain = captainRow[word]! | 0;
    scores[i]! += deltas[plain & 3]! + deltas[4 | (vice & 3)]! + deltas[8 | (captain & 3)]!;
    scores[i + 1]! +=
      deltas[(plain >>> 2) & 3]! + deltas[4 | ((vice >>> 2) & 3)]! + deltas[8 | ((captain >>> 2) & 3)]!;
    scores[i + 2]! +=
      deltas[(plain >>> 4) & 3]! + deltas[4 | ((vice >>> 4) & 3)]! + deltas[8 | ((captain >>> 4) & 3)]!;
    scores[i + 3]! +=
      deltas[(plain >>> 6) & 3]! + deltas[4 | ((vice >>> 6) & 3)]! + deltas[8 | ((captain >>> 6) & 3)]!;
    scores[i + 4]! +=
      deltas[(plain >>> 8) & 3]! + deltas[4 | ((vice >>> 8) & 3)]! + deltas[8 | ((captain >>> 8) & 3)]!;
    scores[i + 5]! +=
      deltas[(plain >>> 10) & 3]! + deltas[4 | ((vice >>> 10) & 3)]! + deltas[8 | ((captain >>> 10) & 3)]!;
    scores[i + 6]! +=
      deltas[(plain >>> 12) & 3]! + deltas[4 | ((vice >>> 12) & 3)]! + deltas[8 | ((captain >>> 12) & 3)]!;
    scores[i + 7]! +=
      deltas[(plain >>> 14) & 3]! + deltas[4 | ((vice >>> 14) & 3)]! + deltas[8 | ((captain >>> 14) & 3)]!;
    scores[i + 8]! +=
      deltas[(plain >>> 16) & 3]! + deltas[4 | ((vice >>> 16) & 3)]! + deltas[8 | ((captain >>> 16) & 3)]!;
    scores[i + 9]! +=
      deltas[(plain >>> 18) & 3]! + deltas[4 | ((vice >>> 18) & 3)]! + deltas[8 | ((captain >>> 18) & 3)]!;
    scores[i + 10]! +=
      deltas[(plain >>> 20) & 3]! + deltas[4 | ((vice >>> 20) & 3)]! + deltas[8 | ((captain >>> 20) & 3)]!;
    scores[i + 11]! +=
      deltas[(plain >>> 22) & 3]! + deltas[4 | ((vice >>> 22) & 3)]! + deltas[8 | ((captain >>> 22) & 3)]!;
    scores[i + 12]! +=
      deltas[(plain >>> 24) & 3]! + deltas[4 | ((vice >>> 24) & 3)]! + deltas[8 | ((captain >>> 24) & 3)]!;
    scores[i + 13]! +=
      deltas[(plain >>> 26) & 3]! + deltas[4 | ((vice >>> 26) & 3)]! + deltas[8 | ((captain >>> 26) & 3)]!;
    scores[i + 14]! +=
      deltas[(plain >>> 28) & 3]! + deltas[4 | ((vice >>> 28) & 3)]! + deltas[8 | ((captain >>> 28) & 3)]!;
    scores[i + 15]! +=
      deltas[(plain >>> 30) & 3]! + deltas[4 | ((vice >>> 30) & 3)]! + deltas[8 | ((captain >>> 30) & 3)]!;
  }
}

/** Adds to the scores whose bits are set, one by one: for players that few have. */
export function addBitsNarrow(scores: Uint16Array, row: Uint32Array, delta: number): void {
  for (let word = 0; word < row.length; word += 1) {
    let bits = row[word]! | 0;
    const base = word << 5;
    while (bits !== 0) {
      const lowest = bits & -bits;
      scores[base + 31 - Math.clz32(lowest)]! += delta;
      bits ^= lowest;
    }
  }
}

export function addBitsWide(scores: Int32Array, row: Uint32Array, delta: number): void {
  for (let word = 0; word < row.length; word += 1) {
    let bits = row[word]! | 0;
    const base = word << 5;
    while (bits !== 0) {
      const lowest = bits & -bits;
      scores[base + 31 - Math.clz32(lowest)]! += delta;
      bits ^= lowest;
    }
  }
}

/**
 * Counts the scores whose bits are set, in four lanes in turn: equal scores side by side would wait for each
 * other. `pairs` is the same memory as `scores`.
 */
export function countNarrow(
  scores: Uint16Array,
  pairs: Int32Array,
  mask: Uint32Array,
  lanes: Int32Array,
): void {
  for (let word = 0; word < mask.length; word += 1) {
    let bits = mask[word]! | 0;
    if (bits === -1) {
      for (let i = word << 4, end = i + 16; i < end; i += 2) {
        const one = pairs[i]!;
        const two = pairs[i + 1]!;
        lanes[one & 65_535]! += 1;
        lanes[laneSize + (one >>> 16)]! += 1;
        lanes[2 * laneSize + (two & 65_535)]! += 1;
        lanes[3 * laneSize + (two >>> 16)]! += 1;
      }
      continue;
    }
    const base = word << 5;
    while (bits !== 0) {
      const lowest = bits & -bits;
      lanes[scores[base + 31 - Math.clz32(lowest)]!]! += 1;
      bits ^= lowest;
    }
  }
}

/** Index 0 of `counts` is the score `low`. */
export function countWide(scores: Int32Array, mask: Uint32Array, low: number, counts: Int32Array): void {
  for (let word = 0; word < mask.length; word += 1) {
    let bits = mask[word]! | 0;
    const base = word << 5;
    while (bits !== 0) {
      const lowest = bits & -bits;
      counts[scores[base + 31 - Math.clz32(lowest)]! - low]! += 1;
      bits ^= lowest;
    }
  }
}

/**
 * The next index from `from` on with a value of at least `floor`, or -1. Looks at eight by one comparison:
 * the sign of what is missing to each, one below the floor, or'ed.
 */
export function nextAtLeastNarrow(scores: Uint16Array, from: number, floor: number): number {
  const below = floor - 1;
  let i = from;
  for (; (i & 7) !== 0; i += 1) if (scores[i]! > below) return i;
  for (; i < scores.length; i += 8) {
    const signs =
      (below - scores[i]!) |
      (below - scores[i + 1]!) |
      (below - scores[i + 2]!) |
      (below - scores[i + 3]!) |
      (below - scores[i + 4]!) |
      (below - scores[i + 5]!) |
      (below - scores[i + 6]!) |
      (below - scores[i + 7]!);
    if (signs >= 0) continue;
    while (scores[i]! <= below) i += 1;
    return i;
  }
  return -1;
}

export function nextAtLeastWide(scores: Int32Array, from: number, floor: number): number {
  for (let i = from; i < scores.length; i += 1) if (scores[i]! >= floor) return i;
  return -1;
}
