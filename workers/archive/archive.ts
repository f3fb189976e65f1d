/** Past leaderboards: pages by (contest, version), versions by contest, newest first. */
export interface Archive {
  /** Writing the same version again is harmless. Pages first, then the version becomes visible. */
  save(board: ArchivedVersion, pages: readonly Uint8Array[]): Promise<void>;
  /** Newest first, at most `limit`. */
  versions(contest: string, limit: number): Promise<ArchivedVersion[]>;
  page(contest: string, version: number, page: number): Promise<Uint8Array | null>;
  close(): Promise<void>;
}
export interface ArchivedVersion {
  contest: string;
  version: number;
  /** Event time of the newest record covered, ms. */
  at: number;
  total: number;
  pages: number;
  final: boolean;
}
