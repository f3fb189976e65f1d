/**
 * Sorted sets of members by score, greatest first; equal scores by member, greatest byte order first (as ZREVRANGE).
 *
 * Keys used: `followers_<id>`, `following_<id>` (member: user id, score: stored affinity), `top_<contest>`.
 * A set that was never written is empty, unless the store has lost its memory: then `rebuilding` until marked whole.
 */
export interface RankedSets {
  /** All in one atomic step per set; repeats are harmless. Order within the call is kept per set. */
  apply(changes: readonly SetChange[]): Promise<void>;
  /** Members at offset.. in order, and the count. `null`: the set was lost and is not rebuilt yet. */
  page(set: string, offset: number, limit: number): Promise<SetPage | null>;
  /** `null` per set as in `page`. */
  counts(sets: readonly string[]): Promise<(number | null)[]>;
  /** Scores of members, `null` where not a member. At most 500 members a call. */
  scores(set: string, members: readonly string[]): Promise<(number | null)[]>;
  /** Replaces the set whole unless it was replaced with an equal or higher fence. */
  replace(set: string, fence: number, rows: readonly SetRow[]): Promise<void>;
  close(): Promise<void>;
}
export type SetRow = readonly [member: string, score: number];
export interface SetPage {
  total: number;
  rows: SetRow[];
}
export interface SetChange {
  set: string;
  member: string;
  /** `null` removes. */
  score: number | null;
  /** true: only if it is a member already (affinity never creates one). */
  ifMember?: boolean;
}
