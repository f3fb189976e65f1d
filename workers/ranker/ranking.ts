import type {
  ContestFrame,
  ContestSnapshot,
  MatchFrame,
  MatchSnapshot,
  RanksAnswer,
  WhoAnswer,
} from '../../channels/contest/messages.ts';
import type { CodeName } from '../../proto/codes.ts';
import type { ContestEvent } from '../../proto/records.ts';

/**
 * The ranker's state machine over one partition of `contest-events`. Pure: no clock, no IO, no randomness;
 * the same records give the same state, everywhere.
 */
export interface Ranking {
  /** Offset + 1 of the newest record applied or skipped; 0 before any. */
  readonly version: number;
  /** Applies a well-formed record. What it refuses it names, and the rest of the record stands. */
  apply(offset: number, record: ContestEvent): Refusal[];
  /** A record refused before it came here: only the version moves. */
  skip(offset: number): void;

  contests(): Iterable<ContestInfo>;
  contest(id: string): ContestInfo | null;
  match(id: string): MatchInfo | null;

  /**
   * From now on (until unwatched) touched keys are collected for frames. A watched contest also watches its
   * match.
   */
  watchContest(id: string): void;
  unwatchContest(id: string): void;
  watchMatch(id: string): void;
  unwatchMatch(id: string): void;
  /**
   * While on, a match's frames also name its small contests that were touched and are not watched (entries
   * null), for those who may follow them under a lease that this ranking does not know of.
   */
  nameUnwatched(on: boolean): void;
  /** Watched channels whose match or contest was named by any record since their last frame was taken. */
  touched(): { contests: string[]; matches: string[] };
  /** Everything since the last frame of this channel (or since it was watched); the next begins here. */
  takeContestFrame(id: string): ContestFrame;
  takeMatchFrame(id: string): MatchFrame;

  snapshotContest(id: string): ContestSnapshot | null;
  snapshotMatch(id: string): MatchSnapshot | null;
  who(contest: string, users: readonly string[]): WhoAnswer;
  ranks(contest: string, entries: readonly string[]): RanksAnswer;
  /**
   * A copy to order elsewhere: the score of each ordinal slot, NaN-free; `present` marks slots in the
   * contest.
   */
  orderInput(contest: string): OrderInput | null;
  /** Rows for slots [ordinal...] as ordered by `order.ts` from an OrderInput of this contest. */
  names(contest: string, ordinals: ArrayLike<number>): { entry: string; user: string }[];

  /**
   * What changed since the last call (a segment, may be empty) and the small head that goes with all
   * segments. A whole segment says everything by itself and replaces all before it; it is made when asked
   * for, and when more had changed than is kept (`segmentBytes` is infinite then).
   */
  checkpoint(whole?: boolean): { segment: Uint8Array; head: Uint8Array; whole: boolean };
  /** Bytes of changes kept for the next checkpoint. */
  readonly segmentBytes: number;
  /**
   * Frees a final match (or `scores` contest); later records for it are refused as final. Throws if it is
   * not final.
   */
  forget(matchOrContest: string): void;
}

export interface Refusal {
  code: CodeName;
  /** A sentence naming what is wrong and where. */
  message: string;
  /** Index of the item in an `entries` record; null: the whole record. */
  item: number | null;
}
export interface ContestInfo {
  contest: string;
  kind: 'fantasy' | 'scores';
  match: string | null;
  epoch: string;
  total: number;
  scoreStep: number;
  final: boolean;
  large: boolean;
}
export interface MatchInfo {
  match: string;
  epoch: string;
  startsAt: number;
  pointStep: number;
  final: boolean;
  contests: string[];
}
/** Own buffers, so they can be transferred. */
export interface OrderInput {
  contest: string;
  version: number;
  total: number;
  /** Score by ordinal. */
  scores: Float64Array | Int32Array | Int16Array | Uint16Array;
  /** 1: the slot's entry is in the contest. */
  present: Uint8Array;
}
