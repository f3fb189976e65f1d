import type { OrderInput } from './ranking.ts';

/**
 * The whole order of a contest: ordinals of the entries present, by score, greatest first, equal scores by
 * ordinal. A counting sort where the scores span no more than a few million; else a radix sort of 14 bits a
 * pass, on both halves of a safe integer. Both are stable, which keeps equal scores in the order of first
 * appearance.
 */
const countingSpanMax = 4_000_000;
const radixBits = 14;
const radixSize = 1 << radixBits;
/** Fewer are sorted by comparing: the tables of the other sorts are larger than these are. */
const comparedMax = 512;
/** A safe integer is high * 2^27 + low, low from 0 on. */
const halfSize = 2 ** 27;

export function orderSlots(input: Pick<OrderInput, 'scores' | 'present'>): Uint32Array {
  const slots = presentSlots(input.present);
  if (slots.length < 2) return slots;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const slot of slots) {
    const score = input.scores[slot]!;
    if (score < min) min = score;
    if (score > max) max = score;
  }
  if (min === max) return slots;
  const { scores } = input;
  if (slots.length <= comparedMax) return slots.sort((a, b) => scores[b]! - scores[a]! || a - b);
  return max - min < countingSpanMax
    ? countingSort(slots, input.scores, min, max)
    : radixSort(slots, input.scores);
}

function presentSlots(present: Uint8Array): Uint32Array {
  let count = 0;
  for (let slot = 0; slot < present.length; slot += 1) count += present[slot]!;
  const slots = new Uint32Array(count);
  let at = 0;
  for (let slot = 0; slot < present.length; slot += 1) {
    if (present[slot] === 0) continue;
    slots[at] = slot;
    at += 1;
  }
  return slots;
}

function countingSort(slots: Uint32Array, scores: ArrayLike<number>, min: number, max: number): Uint32Array {
  const places = new Uint32Array(max - min + 2);
  // Of the score `max - k` at k + 1, so that the sum so far is where a score begins.
  for (const slot of slots) places[max - scores[slot]! + 1]! += 1;
  for (let i = 1; i < places.length; i += 1) places[i]! += places[i - 1]!;
  const ordered = new Uint32Array(slots.length);
  for (const slot of slots) {
    const key = max - scores[slot]!;
    ordered[places[key]!] = slot;
    places[key]! += 1;
  }
  return ordered;
}

function radixSort(slots: Uint32Array, scores: ArrayLike<number>): Uint32Array {
  const count = slots.length;
  const low = new Uint32Array(scores.length);
  const high = new Uint32Array(scores.length);
  for (const slot of slots) {
    const score = -scores[slot]!;
    const upper = Math.floor(score / halfSize);
    low[slot] = score - upper * halfSize;
    high[slot] = upper + halfSize;
  }
  let from: Uint32Array = slots;
  let to: Uint32Array = new Uint32Array(count);
  for (const keys of [low, high]) {
    for (let shift = 0; shift < 28; shift += radixBits) {
      if (!radixPass(from, to, keys, shift)) continue;
      const swap = from;
      from = to;
      to = swap;
    }
  }
  return from;
}

/** One stable pass by 14 bits of the keys; false (and nothing done) where they are the same for all. */
function radixPass(from: Uint32Array, to: Uint32Array, keys: Uint32Array, shift: number): boolean {
  const places = new Uint32Array(radixSize + 1);
  for (const slot of from) places[((keys[slot]! >>> shift) & (radixSize - 1)) + 1]! += 1;
  const first = (keys[from[0]!]! >>> shift) & (radixSize - 1);
  if (places[first + 1] === from.length) return false;
  for (let i = 1; i <= radixSize; i += 1) places[i]! += places[i - 1]!;
  for (const slot of from) {
    const key = (keys[slot]! >>> shift) & (radixSize - 1);
    to[places[key]!] = slot;
    places[key]! += 1;
  }
  return true;
}
