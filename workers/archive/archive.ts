/**
 * Past leaderboards: pages by (contest, version), versions by contest, newest first.
 *
 * Laws, for every implementation:
 * [ARCH-1] `versions` answers what was saved, newest version first, at most `limit` and none at or above
 *   `below`; none for an unknown contest.
 * [ARCH-2] `page` answers the page byte for byte; `null` where contest, version or page was never saved.
 * [ARCH-3] Saving a version again leaves it as the last save has it. While that is under way, or after it
 *   failed, each page is one of the former save's or of this one's (a ranker saves the same bytes again).
 * [ARCH-4] A version is listed, and its pages are answered, only when all of its pages are kept, whatever
 *   happens on the way.
 * [ARCH-5] What resolved survives the death of the process.
 * [ARCH-6] Contests do not touch each other, whatever their ids.
 * [ARCH-7] A save whose pages are not as many as it says, or of which one is longer than
 *   `archivePageBytesMax`, is refused and never listed.
 */
export interface Archive {
  /**
   * Writing the same version again is harmless. Pages first, then the version becomes visible. Pages are
   * taken as they can be written: a board need not be in memory whole.
   */
  save(board: ArchivedVersion, pages: ArchivePages): Promise<void>;
  /** Newest first, at most `limit`; with `below` only lower ones, so that a list is read on from its end. */
  versions(contest: string, limit: number, below?: number): Promise<ArchivedVersion[]>;
  page(contest: string, version: number, page: number): Promise<Uint8Array | null>;
  close(): Promise<void>;
}
export type ArchivePages = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
export interface ArchivedVersion {
  contest: string;
  version: number;
  /** Event time of the newest record covered, ms. */
  at: number;
  total: number;
  pages: number;
  final: boolean;
}

/** Forty times a page of 500 rows with the longest ids; what stores of rows take without effort. */
export const archivePageBytesMax = 1_048_576;
