/**
 * Sorted sets of members by score, greatest first; equal scores by member, greatest byte order first (as
 * ZREVRANGE).
 *
 * Keys used: the lists `followers_<id>`, `following_<id>` (member: user id, score: stored affinity), and
 * `top_<contest>`. A store that lost its memory must not answer that nobody follows a user: of a list it
 * answers only where it knows it whole, because it was told that it is new (`markNew`), or that the list was
 * mended since (`mend`, `mended`). The other sets are written again by themselves.
 *
 * Laws, for every implementation:
 * [SET-1] `page` answers the members from the offset on, at most `limit`, by score, greatest first, equal
 * scores by member, greatest bytes first; and the count of all. Beyond the end there are no rows.
 * [SET-2] `apply` takes effect in the order given, per set at once (of more than 1,000 members of a set: in
 * several steps, in order); a member's score is the last one set.
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
 * [SET-12] Where the memory was lost, `page` and `counts` answer `null` for a list, written since or not,
 * until it is mended or the store marked as new. Sets that are no lists are never `null`.
 * [SET-13] `mended` makes the list whole and answers true, unless the memory was lost after the `mend` whose
 * word it is given. What was applied between the two stands. Mendings of one list, side by side, do not
 * disturb each other.
 * [SET-14] A scan answers at least once every member that is in the set from its first step to its last, and
 * ends whatever is applied meanwhile.
 * [SET-15] `scoresOf` answers as `scores` does for each place, in order; more than 5,000 are refused.
 */
export interface RankedSets {
  /** All in one atomic step per set; repeats are harmless. Order within the call is kept per set. */
  apply(changes: readonly SetChange[]): Promise<void>;
  /** Members at offset.. in order, and the count. `null`: the list was lost and is not mended yet. */
  page(set: string, offset: number, limit: number): Promise<SetPage | null>;
  /** `null` per set as in `page`. */
  counts(sets: readonly string[]): Promise<(number | null)[]>;
  /** Scores of members, `null` where not a member, lost or not. At most 500 members a call. */
  scores(set: string, members: readonly string[]): Promise<(number | null)[]>;
  /** The same of members of many sets at once. At most 5,000 places a call. */
  scoresOf(places: readonly SetPlace[]): Promise<(number | null)[]>;
  /** Replaces the set whole unless it was replaced with an equal or higher fence. */
  replace(set: string, fence: number, rows: readonly SetRow[]): Promise<void>;
  /**
   * About `limit` members from the cursor on (`null`: from the beginning), in no order, lost or not. `next`
   * `null`: that was all.
   */
  scan(set: string, cursor: string | null, limit: number): Promise<SetScan>;
  /** Says that nothing was written before: every list is what was applied to it. */
  markNew(): Promise<void>;
  /** Says that the list is about to be written anew from elsewhere. The answer is a word for `mended`. */
  mend(set: string): Promise<string>;
  /** Says that it was. False: the memory was lost meanwhile, begin again. */
  mended(set: string, word: string): Promise<boolean>;
  close(): Promise<void>;
}
/** Members of one set that `apply` changes in one step. */
export const changesAtOnceMax = 1_000;
export type SetRow = readonly [member: string, score: number];
export interface SetPage {
  total: number;
  rows: SetRow[];
}
/** A member and the set that it may be in. */
export interface SetPlace {
  readonly set: string;
  readonly member: string;
}
export interface SetScan {
  members: string[];
  next: string | null;
}
export interface SetChange {
  set: string;
  member: string;
  /** `null` removes. */
  score: number | null;
  /** true: only if it is a member already (affinity never creates one). */
  ifMember?: boolean;
}
