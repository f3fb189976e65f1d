import type { Archive, ArchivedVersion } from './archive.ts';

/** A leaderboard to archive: rows are asked for page by page. */
export interface Board {
  contest: string;
  version: number;
  /** Event time of the newest record covered, ms. */
  at: number;
  total: number;
  scoreStep: number;
  final: boolean;
  rows(start: number, end: number): [rank: number, entry: string, score: number][];
  /** What stands at places (from 0) anywhere in it. */
  ranks(places: Uint32Array): [entry: string, score: number, rank: number][];
}

const archivePageRows = 500;

/**
 * Archives the first `pagesMax` pages of a board. A page is the JSON that a leaderboard read answers:
 * {"version","total","scoreStep","rows":[[rank,entry,score]]}. An empty board has one page without rows.
 * Pages are made as the archive takes them, never all at once; others have their turn between them.
 */
export async function archiveBoard(
  archive: Archive,
  board: Board,
  pagesMax: number,
): Promise<ArchivedVersion> {
  const { contest, version, at, total, scoreStep, final } = board;
  const count = Math.min(pagesMax, Math.max(1, Math.ceil(total / archivePageRows)));
  async function* pages(): AsyncGenerator<Uint8Array> {
    for (let page = 0; page < count; page += 1) {
      if (page > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      const start = page * archivePageRows;
      const rows = board.rows(start, Math.min(total, start + archivePageRows));
      yield Buffer.from(JSON.stringify({ version, total, scoreStep, rows }));
    }
  }
  const archived: ArchivedVersion = { contest, version, at, total, pages: count, final };
  await archive.save(archived, pages());
  return archived;
}
