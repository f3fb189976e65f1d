/**
 * Small values by key, each with a fence: a put with a lower fence than the kept one's is ignored, so repeats and
 * latecomers change nothing. Keys: `contest_<id>` (where a contest lives), `match_<id>`, `frame_<contest>` (its last
 * snapshot), `profile_<user>`, `command_<id>` (state of a graph command),
 * `followers_told_<partition>` (how far feeds have been told of graph changes).
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
