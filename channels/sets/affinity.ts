/**
 * Affinity: how near one user is to another, 0 to 1, fading with time; what orders the lists of followers and
 * following.
 *
 * It is kept by forward decay (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay: A Practical Time Decay
 * Model for Streaming Systems", ICDE 2009), exponential: an affinity of `value` at the time t is stored once
 * as
 *
 *     value * 2 ^ ((t - landmark) / halfLife)
 *
 * and shown at a later time by dividing by what 1 is worth then. All stored values shrink alike, so time
 * rewrites and reorders nothing: a sorted set of stored values is in order for ever. What came later counts
 * for more.
 *
 * The landmark and the half-life are part of what is stored: they cannot change once anything is.
 */

/** 2026-01-01T00:00:00Z: what is stored about now is near 1, where a double is read easily. */
export const affinityLandmarkMs = Date.UTC(2026, 0, 1);

/**
 * 30 days: someone not heard of for a season still has an eighth. 2 ^ 1023 is the largest power a double
 * holds, and fifty years are 609 half-lives, which leaves room for sums of a billion interactions at the end
 * of them.
 */
export const affinityHalfLifeMs = 30 * 24 * 3_600_000;

/**
 * A `follow` that names no affinity begins in the middle: above those it has lost touch with, below its
 * dearest.
 */
export const affinityOfFollow = 0.5;

/**
 * Times further from the landmark than this (65 years) are taken as this far: 1,024 half-lives would
 * overflow.
 */
const reachMs = 800 * affinityHalfLifeMs;

/** Shown values are rounded to this many parts of 1, so that 0.7 set is 0.7 shown. */
const shownParts = 1_000_000;

/** What an affinity of 1 at `atMs` is stored as. Positive and finite for every time. */
function unitAt(atMs: number): number {
  const elapsedMs = Math.max(-reachMs, Math.min(reachMs, atMs - affinityLandmarkMs));
  return 2 ** (elapsedMs / affinityHalfLifeMs);
}

/** What to store for an affinity of `value` (0 to 1) that holds at `atMs`. */
export function storedAffinity(value: number, atMs: number): number {
  return value * unitAt(atMs);
}

/**
 * What a stored affinity is worth at `nowMs`, 0 to 1. Of two stored values the greater is never shown as the
 * lesser. A sum of interactions above 1 is shown as 1.
 */
export function shownAffinity(stored: number, nowMs: number): number {
  const value = stored / unitAt(nowMs);
  if (!(value > 0)) return 0;
  return value >= 1 ? 1 : Math.round(value * shownParts) / shownParts;
}

/**
 * Adds an interaction of `weight` (0 to 1) at `atMs`: the exact decayed sum, whatever order interactions come
 * in. A sum beyond a double's range stays at its end.
 */
export function accumulate(stored: number, weight: number, atMs: number): number {
  return Math.min(Number.MAX_VALUE, stored + weight * unitAt(atMs));
}
