/**
 * Sorted sets of members by score, greatest first; equal scores by member, greatest byte order first (as
 * ZREVRANGE).
 *
 * Keys used: `followers_<id>`, `following_<id>` (member: user id, score: stored affinity), `top_<contest>`.
 * A set that was never written is empty, unless the store has lost its memory: then `rebuilding` until
 * marked whole.
 *
 * Laws, for every implementation:
 * [SET-1] `page` answers the members from the offset on, at most `limit`, by score, greatest first, equal
 * scores by member, greatest bytes first; and the count of all. Beyond the end there are no rows.
 * [SET-2] `apply` takes effect in the order given, per set at once; a member's score is the last one set.
 * [SET-3] Repeating a call changes nothing more.
 * [SET-4] `null` removes; what is no member stays none. With `ifMember` a change never makes a member.
 * [SET-5] `counts` answers in the order asked; a set that was never written has 0.
 * [SET-6] `scores` answers in the order asked, `null` for who is no member; more than 500 are refused.
 * [SET-7] `replace` makes the set exactly the rows given, or changes nothing where it was replaced with an
 * equal or higher fence; `apply` touches no fence.
 * [SET-8] Scores are doubles and come back exactly, -0 as 0; what is not finite is refused with a
 * ClientError, and nothing of its call is applied.
 * [SET-9] Sets do not touch each other, whatever their names.
 * [SET-10] What resolved survives the death of the process.
 * [SET-11] Names of sets and members have 1 to 255 bytes; others are refused with a ClientError, and
 * nothing of their call is applied.
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
