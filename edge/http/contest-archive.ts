/**
 * Past leaderboards: the versions kept of a contest, their pages, and what is final after the ranker has let
 * go of it. What is archived never changes, so pages go out as they are kept.
 */
import {
  type ArchivedRanks,
  archivedRanksName,
  rankBucketOf,
  rankBuckets,
} from '../../channels/contest/archived-ranks.ts';
import { ClientError } from '../../proto/codes.ts';
import type { HttpResponse } from '../sockets/sockets.ts';
import { jsonAnswer } from './http-error.ts';

/** Past leaderboards (as `workers/archive/archive.ts` has it). */
export interface HttpArchive {
  versions(contest: string, limit: number, below?: number): Promise<ArchivedBoard[]>;
  page(contest: string, version: number, page: number): Promise<Uint8Array | null>;
}
export interface ArchivedBoard {
  contest: string;
  version: number;
  at: number;
  total: number;
  pages: number;
  final: boolean;
}

/** A page as the archive keeps it. */
interface ArchivedPage {
  version: number;
  total: number;
  scoreStep: number;
  rows: [rank: number, entry: string, score: number][];
}
export interface RanksBody {
  version: number;
  appliedVersion: number;
  scoreStep: number;
  ranks: { entry: string; score: number; rank: number }[];
}

export interface ContestArchive {
  /** Page of exactly that version; a `ClientError` that names the nearest kept where it is not. */
  page(contest: string, version: number, page: number): Promise<HttpResponse>;
  /** Newest first. */
  versions(contest: string, limit: number, before: number | null): Promise<HttpResponse>;
  /** The board of what is final; null: none is kept. */
  final(contest: string): Promise<ArchivedBoard | null>;
  /** Ranks in a final board. */
  ranks(board: ArchivedBoard, entries: readonly string[]): Promise<RanksBody>;
}

/** Versions looked through for the nearest above the one asked for. */
const nearestOf = 100;
/** Buckets of ranks read at once for one request. */
const bucketsTogether = 16;
/** Of a page of an archived version, seconds: a tap back and forth costs nothing. */
const keepSeconds = 3_600;

export function createContestArchive(
  archive: HttpArchive,
  /** Whether the contest has been created; asked where nothing is kept of it. */
  exists: (contest: string) => Promise<boolean>,
): ContestArchive {
  async function boardAt(contest: string, version: number): Promise<ArchivedBoard> {
    const [found] = await archive.versions(contest, 1, version + 1);
    if (found?.version === version) return found;
    const newest = await archive.versions(contest, nearestOf);
    if (newest.length === 0 && !(await exists(contest))) throw unknownContest(contest);
    const above = newest.filter((board) => board.version > version).at(-1);
    const near = [found, above].flatMap((board) => (board === undefined ? [] : [board.version]));
    const kept = near.length === 0 ? 'none is' : `the nearest kept: ${near.join(' and ')}`;
    const message = `Version ${version} of contest ${contest} is not kept; ${kept}.`;
    throw new ClientError('unknown_version', message);
  }

  /** A page beyond those kept: without rows beyond the board's end, else only some pages are kept. */
  async function pageBeyond(board: ArchivedBoard, page: number): Promise<HttpResponse> {
    const { contest, version, pages, total } = board;
    if (page * pageRows < total) {
      const message = `Only the first ${pages} pages of contest ${contest} at version ${version} are kept.`;
      throw new ClientError('unknown_version', message);
    }
    const first = await archive.page(contest, version, 0);
    if (first === null) throw new ClientError('unknown_version', `Version ${version} is not kept any more.`);
    return keptAnswer(JSON.stringify({ ...parse<ArchivedPage>(first), rows: [] }));
  }

  async function bucket(board: ArchivedBoard, no: number): Promise<ArchivedRanks> {
    const bytes = await archive.page(archivedRanksName(board.contest), board.version, no);
    if (bytes !== null) return parse<ArchivedRanks>(bytes);
    const message = `Contest ${board.contest} is archived without ranks: only its pages can be read.`;
    throw new ClientError('unknown_version', message);
  }

  async function wholeBoard(board: ArchivedBoard): Promise<ArchivedRanks> {
    const bytes = await archive.page(board.contest, board.version, 0);
    if (bytes === null)
      throw new ClientError('unknown_version', `Version ${board.version} is not kept any more.`);
    const { scoreStep, rows } = parse<ArchivedPage>(bytes);
    return { scoreStep, ranks: rows.map(([rank, entry, score]) => [entry, score, rank]) };
  }

  /** Each bucket that an entry is in once, a bounded number at a time. */
  async function bucketsOf(board: ArchivedBoard, entries: readonly string[]): Promise<ArchivedRanks[]> {
    const buckets = rankBuckets(board.total);
    if (buckets === 0) return [await wholeBoard(board)];
    const wanted = [...new Set(entries.map((entry) => rankBucketOf(entry, buckets)))];
    const read: ArchivedRanks[] = [];
    for (let from = 0; from < wanted.length; from += bucketsTogether) {
      const some = wanted.slice(from, from + bucketsTogether);
      read.push(...(await Promise.all(some.map((no) => bucket(board, no)))));
    }
    return read;
  }

  return {
    async page(contest, version, page) {
      const bytes = await archive.page(contest, version, page);
      if (bytes !== null) return keptAnswer(bytes);
      return pageBeyond(await boardAt(contest, version), page);
    },
    async versions(contest, limit, before) {
      const boards = await archive.versions(contest, limit, before ?? undefined);
      if (boards.length === 0 && before === null && !(await exists(contest))) throw unknownContest(contest);
      const versions = boards.map(({ version, at, total, pages, final }) => ({
        version,
        at,
        total,
        pages,
        final,
      }));
      return jsonAnswer({ versions });
    },
    async final(contest) {
      const [newest] = await archive.versions(contest, 1);
      return newest?.final === true ? newest : null;
    },
    async ranks(board, entries) {
      const { version } = board;
      const read = await bucketsOf(board, entries);
      const asked = new Set(entries);
      const found = new Map<string, [score: number, rank: number]>();
      for (const { ranks } of read) {
        for (const [entry, score, rank] of ranks) if (asked.has(entry)) found.set(entry, [score, rank]);
      }
      const ranks = entries.flatMap((entry) => {
        const place = found.get(entry);
        return place === undefined ? [] : [{ entry, score: place[0], rank: place[1] }];
      });
      return { version, appliedVersion: version, scoreStep: read[0]?.scoreStep ?? 1, ranks };
    },
  };
}

const pageRows = 500;

export function unknownContest(contest: string): ClientError {
  return new ClientError('unknown_contest', `No contest ${contest} has been created.`);
}

function parse<T>(bytes: Uint8Array): T {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as T;
}

/** For the browser that asked only: tokens are its own. */
function keptAnswer(body: string | Uint8Array): HttpResponse {
  const headers = {
    'content-type': 'application/json',
    'cache-control': `private, max-age=${keepSeconds}`,
  };
  return { status: 200, headers, body };
}
