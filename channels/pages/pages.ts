/**
 * Leaderboard pages of 500 rows that a ranker leaves behind for readers when it cannot be asked.
 *
 * Laws, for every implementation:
 * [PAGE-1] `get` answers what `put` kept, byte for byte, with its epoch and version; `null` where nothing is.
 * [PAGE-2] A put with a lower version of the kept page's epoch changes nothing, its expiry included; an equal
 *   or higher one, or one of another epoch, replaces it.
 * [PAGE-3] A page is absent from `expireMs` after its put on; with `expireMs` 0 it stays.
 * [PAGE-4] `remove` takes all pages of the contest, and of no other.
 * [PAGE-5] What resolved survives the death of the process.
 */
export interface Pages {
  /**
   * Keeps the page unless a higher version (of the same epoch) of the page is kept. `expireMs` 0: for ever.
   */
  put(
    contest: string,
    page: number,
    epoch: string,
    version: number,
    bytes: Uint8Array,
    expireMs: number,
  ): Promise<void>;
  get(contest: string, page: number): Promise<{ epoch: string; version: number; bytes: Uint8Array } | null>;
  remove(contest: string): Promise<void>;
  close(): Promise<void>;
}
