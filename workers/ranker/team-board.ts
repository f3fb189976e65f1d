import { limits } from '../../proto/limits.ts';
import { chunkBits, chunkEntries, chunkMask, firstChunkCapacity } from './columns.ts';
import { goneBit, type Members } from './members.ts';

/**
 * The teams of a match as bitmaps, and the score of each: for every player and role (plain, vice-captain, captain) one
 * bit an entry, in chunks of 65,536 entries, a row of bits made when first used. A player's new total is then added
 * to the scores of exactly the entries that hold him, in the order of memory.
 *
 * Scores are half steps. They are 16 bits wide while every team that the match's players allow would fit at the
 * present totals, and 32 bits from the first total on with which one would not (`teamBounds`).
 */
export const teamSize = limits.playersPerTeam;
/** Half steps per step by role: plain, vice-captain, captain. */
const roleWeights = [2, 3, 4] as const;
const roles = 3;

interface Chunk {
  /** Bits by player * 3 + role. */
  rows: (Uint32Array | undefined)[];
  scores: Int16Array | Int32Array;
}

/** The least and the greatest score a team could have: the worst eleven and the best, the captain at the extreme. */
export function teamBounds(totals: readonly number[]): { min: number; max: number } {
  const sorted = Float64Array.from(totals).sort();
  const size = Math.min(teamSize, sorted.length);
  let min = 0;
  let max = 0;
  for (let i = 0; i < size; i += 1) {
    const weight = i === 0 ? 4 : i === 1 ? 3 : 2;
    min += weight * sorted[i]!;
    max += weight * sorted[sorted.length - 1 - i]!;
  }
  return { min, max };
}

export class TeamBoard {
  private readonly chunks: Chunk[] = [];
  private wide = false;

  /** Makes room for the next entry; its team is empty. */
  add(entry: number): void {
    const at = entry >>> chunkBits;
    const within = entry & chunkMask;
    const chunk = this.chunks[at];
    if (chunk !== undefined && within < chunk.scores.length) return;
    const capacity = at === 0 ? firstChunkCapacity(within) : chunkEntries;
    const scores = this.wide ? new Int32Array(capacity) : new Int16Array(capacity);
    if (chunk === undefined) {
      this.chunks[at] = { rows: [], scores };
      return;
    }
    scores.set(chunk.scores);
    chunk.scores = scores;
    for (let i = 0; i < chunk.rows.length; i += 1) {
      const row = chunk.rows[i];
      if (row === undefined) continue;
      const next = new Uint32Array(capacity >>> 5);
      next.set(row);
      chunk.rows[i] = next;
    }
  }

  score(entry: number): number {
    return this.chunks[entry >>> chunkBits]!.scores[entry & chunkMask]!;
  }

  /** Replaces the team: the captain first, the vice-captain second; null: none. */
  setTeam(entry: number, team: readonly number[] | null, totals: readonly number[], isNew: boolean): void {
    const chunk = this.chunks[entry >>> chunkBits]!;
    const within = entry & chunkMask;
    const word = within >>> 5;
    const bit = 1 << (within & 31);
    if (!isNew) {
      for (const row of chunk.rows) if (row !== undefined) row[word]! &= ~bit;
    }
    let score = 0;
    if (team !== null) {
      for (let i = 0; i < team.length; i += 1) {
        const player = team[i]!;
        const role = i === 0 ? 2 : i === 1 ? 1 : 0;
        const at = player * roles + role;
        while (chunk.rows.length <= at) chunk.rows.push(undefined);
        let row = chunk.rows[at];
        if (row === undefined) {
          row = new Uint32Array(chunk.scores.length >>> 5);
          chunk.rows[at] = row;
        }
        row[word]! |= bit;
        score += roleWeights[role]! * totals[player]!;
      }
    }
    chunk.scores[within] = score;
  }

  /** The captain, the vice-captain, the others by index; null: no team. */
  team(entry: number): number[] | null {
    const rows = this.chunks[entry >>> chunkBits]!.rows;
    const word = (entry & chunkMask) >>> 5;
    const shift = entry & 31;
    const team = [-1, -1];
    for (let i = 0; i < rows.length; i += 1) {
      const row = rows[i];
      if (row === undefined || ((row[word]! >>> shift) & 1) === 0) continue;
      const role = i % roles;
      const player = (i - role) / roles;
      if (role === 2) team[0] = player;
      else if (role === 1) team[1] = player;
      else team.push(player);
    }
    return team[0] === -1 ? null : team;
  }

  /** Adds `steps` to the player's total in the score of every entry that holds him. `totals` are those after it. */
  addPoints(player: number, steps: number, totals: readonly number[]): void {
    if (!this.wide) {
      const bounds = teamBounds(totals);
      if (bounds.min < -32_768 || bounds.max > 32_767) this.widen();
    }
    for (const chunk of this.chunks) {
      for (let role = 0; role < roles; role += 1) {
        const row = chunk.rows[player * roles + role];
        if (row === undefined) continue;
        const delta = steps * roleWeights[role]!;
        if (chunk.scores instanceof Int16Array) addToHolders16(chunk.scores, row, delta);
        else addToHolders32(chunk.scores, row, delta);
      }
    }
  }

  /**
   * Adds to `histogram` how many of the members present stand at each score; index 0 is the score `low`. Entries are
   * counted in turn into four lanes of `lane` counts (0: all into one): equal scores side by side would wait for each
   * other.
   */
  countMasked(
    masks: readonly (Uint32Array | undefined)[],
    low: number,
    histogram: Int32Array,
    lane: number,
  ): void {
    for (let at = 0; at < masks.length; at += 1) {
      const mask = masks[at];
      if (mask === undefined) continue;
      const { scores } = this.chunks[at]!;
      if (scores instanceof Int16Array) countMasked16(scores, mask, low, histogram, lane);
      else countMasked32(scores, mask, low, histogram, lane);
    }
  }

  /** The same by the list, into one lane: for contests of few of the match's entries. */
  countListed(members: Members, low: number, histogram: Int32Array): void {
    let left = members.size;
    for (const list of members.raw()) {
      const size = Math.min(left, list.length);
      for (let i = 0; i < size; i += 1) {
        const value = list[i]!;
        if (value < goneBit) histogram[this.score(value) - low]! += 1;
      }
      left -= size;
    }
  }

  /** The next entry from `from` on with a score of at least `floor`, in the contest or not; -1: none. */
  nextAtLeast(from: number, floor: number): number {
    for (let at = from >>> chunkBits; at < this.chunks.length; at += 1) {
      const { scores } = this.chunks[at]!;
      const within = at === from >>> chunkBits ? from & chunkMask : 0;
      const found =
        scores instanceof Int16Array
          ? nextAtLeast16(scores, within, floor)
          : nextAtLeast32(scores, within, floor);
      if (found >= 0) return (at << chunkBits) + found;
    }
    return -1;
  }

  /** Scores of the members present, by ordinal; 0 for those who are gone. */
  copyScores(members: Members): { scores: Int16Array | Int32Array; present: Uint8Array } {
    const size = members.size;
    const scores = this.wide ? new Int32Array(size) : new Int16Array(size);
    const present = new Uint8Array(size);
    let first = 0;
    for (const list of members.raw()) {
      const to = Math.min(list.length, size - first);
      let from = 0;
      while (from < to) from = this.copyRun(list, from, to, first, scores, present);
      first += list.length;
    }
    return { scores, present };
  }

  /** Copies for as long as entries are in one chunk; answers where it stopped. */
  private copyRun(
    list: Uint32Array,
    from: number,
    to: number,
    first: number,
    scores: Int16Array | Int32Array,
    present: Uint8Array,
  ): number {
    const at = (list[from]! & 0x7fffffff) >>> chunkBits;
    const source = this.chunks[at]!.scores;
    let i = from;
    for (; i < to; i += 1) {
      const value = list[i]! | 0;
      if ((value & 0x7fffffff) >>> chunkBits !== at) break;
      if (value < 0) continue;
      scores[first + i] = source[value & chunkMask]!;
      present[first + i] = 1;
    }
    return i;
  }

  private widen(): void {
    this.wide = true;
    for (const chunk of this.chunks) chunk.scores = Int32Array.from(chunk.scores);
  }
}

// The loops over all entries are written once for each width: shared, they would be compiled for both and run at a
// third of the speed.

function addToHolders16(scores: Int16Array, row: Uint32Array, delta: number): void {
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

function addToHolders32(scores: Int32Array, row: Uint32Array, delta: number): void {
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

function countMasked16(
  scores: Int16Array,
  mask: Uint32Array,
  low: number,
  histogram: Int32Array,
  lane: number,
): void {
  const second = lane - low;
  const third = 2 * lane - low;
  const fourth = 3 * lane - low;
  for (let word = 0; word < mask.length; word += 1) {
    let bits = mask[word]! | 0;
    const base = word << 5;
    if (bits === -1) {
      for (let i = base; i < base + 32; i += 4) {
        histogram[scores[i]! - low]! += 1;
        histogram[scores[i + 1]! + second]! += 1;
        histogram[scores[i + 2]! + third]! += 1;
        histogram[scores[i + 3]! + fourth]! += 1;
      }
      continue;
    }
    while (bits !== 0) {
      const lowest = bits & -bits;
      histogram[scores[base + 31 - Math.clz32(lowest)]! - low]! += 1;
      bits ^= lowest;
    }
  }
}

function countMasked32(
  scores: Int32Array,
  mask: Uint32Array,
  low: number,
  histogram: Int32Array,
  lane: number,
): void {
  const second = lane - low;
  const third = 2 * lane - low;
  const fourth = 3 * lane - low;
  for (let word = 0; word < mask.length; word += 1) {
    let bits = mask[word]! | 0;
    const base = word << 5;
    if (bits === -1) {
      for (let i = base; i < base + 32; i += 4) {
        histogram[scores[i]! - low]! += 1;
        histogram[scores[i + 1]! + second]! += 1;
        histogram[scores[i + 2]! + third]! += 1;
        histogram[scores[i + 3]! + fourth]! += 1;
      }
      continue;
    }
    while (bits !== 0) {
      const lowest = bits & -bits;
      histogram[scores[base + 31 - Math.clz32(lowest)]! - low]! += 1;
      bits ^= lowest;
    }
  }
}

/** Looks at eight scores by one comparison: the sign of what is missing to each, one below the floor, or'ed. */
function nextAtLeast16(scores: Int16Array, from: number, floor: number): number {
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

function nextAtLeast32(scores: Int32Array, from: number, floor: number): number {
  for (let i = from; i < scores.length; i += 1) if (scores[i]! >= floor) return i;
  return -1;
}
