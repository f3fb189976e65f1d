import { limits } from '../../proto/limits.ts';
import { chunkBits, chunkEntries, chunkMask, firstChunkCapacity } from './columns.ts';
import { goneBit, type Members } from './members.ts';
import {
  addBitsNarrow,
  addBitsWide,
  addPairs,
  canPair,
  countNarrow,
  countWide,
  laneSize,
  narrowBias,
  nextAtLeastNarrow,
  nextAtLeastWide,
  pairDeltas,
} from './score-loops.ts';

/**
 * The teams of a match as bitmaps, and the score of each: for every player and role (plain, vice-captain,
 * captain) one bit an entry, in chunks of 65,536 entries, a row of bits made when first used. A player's new
 * total is then added to the scores of exactly the entries that hold him, in the order of memory.
 *
 * Scores are half steps. They are 16 bits wide while every team that the match's players allow would fit at
 * the present totals, and 32 bits from the first total on with which one would not (`teamBounds`).
 */
export const teamSize = limits.playersPerTeam;
/** Half steps per step by role: plain, vice-captain, captain. */
const roleWeights = [2, 3, 4] as const;
const roles = 3;
const noBits = new Uint32Array(chunkEntries >>> 5);
/** A player that fewer than one in so many entries of a chunk hold is added bit by bit. */
const sparseShare = 8;

interface Chunk {
  /** Bits by player * 3 + role. */
  rows: (Uint32Array | undefined)[];
  /** Bits set in each row. */
  holders: number[];
  /** Narrow ones are `narrowBias` higher than the scores. */
  scores: Uint16Array | Int32Array;
  /** The same memory as narrow scores, two by two; else empty. */
  pairs: Int32Array;
}

/**
 * The least and the greatest score a team could have: the worst eleven and the best, the captain at the
 * extreme.
 */
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
    const scores = this.wide ? new Int32Array(capacity) : new Uint16Array(capacity).fill(narrowBias);
    if (chunk === undefined) {
      this.chunks[at] = { rows: [], holders: [], scores, pairs: pairsOf(scores) };
      return;
    }
    scores.set(chunk.scores);
    chunk.scores = scores;
    chunk.pairs = pairsOf(scores);
    for (let i = 0; i < chunk.rows.length; i += 1) {
      const row = chunk.rows[i];
      if (row === undefined) continue;
      const next = new Uint32Array(capacity >>> 5);
      next.set(row);
      chunk.rows[i] = next;
    }
  }

  score(entry: number): number {
    const value = this.chunks[entry >>> chunkBits]!.scores[entry & chunkMask]!;
    return this.wide ? value : value - narrowBias;
  }

  /** Replaces the team: the captain first, the vice-captain second; null: none. */
  setTeam(entry: number, team: readonly number[] | null, totals: readonly number[], isNew: boolean): void {
    const chunk = this.chunks[entry >>> chunkBits]!;
    const within = entry & chunkMask;
    if (!isNew) clearTeam(chunk, within);
    let score = 0;
    if (team !== null) {
      for (let i = 0; i < team.length; i += 1) {
        const player = team[i]!;
        const role = i === 0 ? 2 : i === 1 ? 1 : 0;
        setBit(chunk, player * roles + role, within);
        score += roleWeights[role]! * totals[player]!;
      }
    }
    chunk.scores[within] = this.wide ? score : score + narrowBias;
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

  /**
   * Adds `steps` to the player's total in the score of every entry that holds him. `totals` are those after
   * it.
   */
  addPoints(player: number, steps: number, totals: readonly number[]): void {
    if (!this.wide) {
      const bounds = teamBounds(totals);
      if (bounds.min < -narrowBias || bounds.max >= narrowBias) this.widen();
    }
    const [plain, vice, captain] = roleWeights;
    const deltas = pairDeltas(plain * steps, vice * steps, captain * steps);
    for (const chunk of this.chunks) addToChunk(chunk, player * roles, steps, deltas);
  }

  /**
   * How many of the members stand at each score; index 0 is the score `low`, `size` scores. `masks`: the
   * members' bits, where they are kept; else their list is gone through. `scratch` is overwritten, and the
   * answer may be a part of it.
   */
  count(
    members: Members,
    masks: readonly (Uint32Array | undefined)[] | null,
    low: number,
    size: number,
    scratch: CountScratch,
  ): Int32Array {
    if (masks === null) return this.countListed(members, low, scratch.room(size).fill(0));
    if (this.wide) return this.countMaskedWide(masks, low, scratch.room(size).fill(0));
    const lanes = scratch.room(4 * laneSize);
    const first = low + narrowBias;
    for (let lane = 0; lane < 4; lane += 1)
      lanes.fill(0, lane * laneSize + first, lane * laneSize + first + size);
    for (let at = 0; at < masks.length; at += 1) {
      const mask = masks[at];
      const chunk = this.chunks[at]!;
      if (mask !== undefined) countNarrow(chunk.scores as Uint16Array, chunk.pairs, mask, lanes);
    }
    for (let i = first; i < first + size; i += 1) {
      lanes[i]! += lanes[i + laneSize]! + lanes[i + 2 * laneSize]! + lanes[i + 3 * laneSize]!;
    }
    return lanes.subarray(first, first + size);
  }

  /** The next entry from `from` on with a score of at least `floor`, in the contest or not; -1: none. */
  nextAtLeast(from: number, floor: number): number {
    for (let at = from >>> chunkBits; at < this.chunks.length; at += 1) {
      const { scores } = this.chunks[at]!;
      const within = at === from >>> chunkBits ? from & chunkMask : 0;
      const found =
        scores instanceof Uint16Array
          ? nextAtLeastNarrow(scores, within, floor + narrowBias)
          : nextAtLeastWide(scores, within, floor);
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
    const bias = this.wide ? 0 : narrowBias;
    let i = from;
    for (; i < to; i += 1) {
      const value = list[i]! | 0;
      if ((value & 0x7fffffff) >>> chunkBits !== at) break;
      if (value < 0) continue;
      scores[first + i] = source[value & chunkMask]! - bias;
      present[first + i] = 1;
    }
    return i;
  }

  private countListed(members: Members, low: number, counts: Int32Array): Int32Array {
    let left = members.size;
    for (const list of members.raw()) {
      const size = Math.min(left, list.length);
      for (let i = 0; i < size; i += 1) {
        const value = list[i]!;
        if (value < goneBit) counts[this.score(value) - low]! += 1;
      }
      left -= size;
    }
    return counts;
  }

  private countMaskedWide(
    masks: readonly (Uint32Array | undefined)[],
    low: number,
    counts: Int32Array,
  ): Int32Array {
    for (let at = 0; at < masks.length; at += 1) {
      const mask = masks[at];
      if (mask !== undefined) countWide(this.chunks[at]!.scores as Int32Array, mask, low, counts);
    }
    return counts;
  }

  private widen(): void {
    this.wide = true;
    for (const chunk of this.chunks) {
      chunk.scores = Int32Array.from(chunk.scores, (value) => value - narrowBias);
      chunk.pairs = pairsOf(chunk.scores);
    }
  }
}

/** Room for counts, used again and again. */
export class CountScratch {
  private counts = new Int32Array(1_024);

  room(size: number): Int32Array {
    if (this.counts.length < size) this.counts = new Int32Array(size);
    return this.counts.subarray(0, size);
  }
}

const noPairs = new Int32Array(0);

function pairsOf(scores: Uint16Array | Int32Array): Int32Array {
  return scores instanceof Int32Array ? noPairs : new Int32Array(scores.buffer);
}

function setBit(chunk: Chunk, at: number, within: number): void {
  while (chunk.rows.length <= at) {
    chunk.rows.push(undefined);
    chunk.holders.push(0);
  }
  let row = chunk.rows[at];
  if (row === undefined) {
    row = new Uint32Array(chunk.scores.length >>> 5);
    chunk.rows[at] = row;
  }
  row[within >>> 5]! |= 1 << (within & 31);
  chunk.holders[at]! += 1;
}

function clearTeam(chunk: Chunk, within: number): void {
  const word = within >>> 5;
  const bit = 1 << (within & 31);
  for (let at = 0; at < chunk.rows.length; at += 1) {
    const row = chunk.rows[at];
    if (row === undefined || (row[word]! & bit) === 0) continue;
    row[word]! &= ~bit;
    chunk.holders[at]! -= 1;
  }
}

/** `first`: the row of the player's plain role. */
function addToChunk(chunk: Chunk, first: number, steps: number, deltas: Int32Array): void {
  const { rows, scores, holders } = chunk;
  const held = (holders[first] ?? 0) + (holders[first + 1] ?? 0) + (holders[first + 2] ?? 0);
  if (canPair && scores instanceof Uint16Array && held * sparseShare >= scores.length) {
    addPairs(
      chunk.pairs,
      rows[first] ?? noBits,
      rows[first + 1] ?? noBits,
      rows[first + 2] ?? noBits,
      deltas,
    );
    return;
  }
  for (let role = 0; role < roles; role += 1) {
    const row = rows[first + role];
    if (row === undefined) continue;
    const delta = steps * roleWeights[role]!;
    if (scores instanceof Uint16Array) addBitsNarrow(scores, row, delta);
    else addBitsWide(scores, row, delta);
  }
}
