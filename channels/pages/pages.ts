/** Leaderboard pages of 500 rows that a ranker leaves behind for readers when it cannot be asked. */
export interface Pages {
  /** Keeps the page unless a higher version (of the same epoch) of the page is kept. `expireMs` 0: for ever. */
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
