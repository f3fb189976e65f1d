import type { Stamp } from './graph.ts';

/** Stamps order by `at`, then by `id` in byte order (ids are ASCII, where code units say the same). */
export function isGreater(stamp: Stamp, kept: Stamp | null): boolean {
  if (kept === null) return true;
  return stamp.at === kept.at ? stamp.id > kept.id : stamp.at > kept.at;
}

/** The greater of the two. */
export function greatest(stamp: Stamp, kept: Stamp | null): Stamp {
  return kept === null || isGreater(stamp, kept) ? stamp : kept;
}

/** The latest `at` of any stamp of a state; 0 where it has none. */
export function newestAt(stamps: readonly (Stamp | null)[]): number {
  let newest = 0;
  for (const stamp of stamps) if (stamp !== null && stamp.at > newest) newest = stamp.at;
  return newest;
}
