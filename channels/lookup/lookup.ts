/**
 * Small values by key, each with a fence: a put with a lower fence than the kept one's is ignored, so repeats
 * and latecomers change nothing. Keys: `contest_<id>` (where a contest lives), `match_<id>`,
 * `frame_<contest>` (its last snapshot), `profile_<user>`, `command_<id>` (state of a graph command),
 * `told_<partition>` (how far feeds have been told of graph changes).
 *
 * Laws, for every implementation:
 * [LOOK-1] What was put is there once `put` resolved, byte for byte; other keys are untouched.
 * [LOOK-2] A put with a lower fence than the kept one's changes nothing, its expiry included; an equal or
 *   higher one replaces value, fence and expiry.
 * [LOOK-3] `putIfAbsent` keeps its value only where the key is absent or expired, and answers what is kept
 *   afterwards; of several at once exactly one is kept, and all answer it.
 * [LOOK-4] A value is absent from `expireMs` after its put on, its fence with it; with `expireMs` 0 it stays.
 * [LOOK-5] `get` answers in the order of the keys, `null` where absent; more than 500 keys are refused.
 * [LOOK-6] After `remove` the keys are absent, their fences with them; absent keys are no fault.
 * [LOOK-7] What resolved survives the death of the process.
 * [LOOK-8] A key of 1 to 255 bytes and a value of up to `valueBytesMax` are taken; others are refused with a
 *   ClientError.
 */
export interface Lookup {
  /** Kept if `fence` >= the kept one's. `expireMs` 0: for ever. */
  put(key: string, fence: number, value: Uint8Array, expireMs: number): Promise<void>;
  /** Kept only if the key is absent; answers what is kept afterwards. */
  putIfAbsent(key: string, fence: number, value: Uint8Array, expireMs: number): Promise<Uint8Array>;
  /** Values in the order of the keys, `null` where absent or expired. At most 500 keys. */
  get(keys: readonly string[]): Promise<(Uint8Array | null)[]>;
  remove(keys: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
