/**
 * What edges and rankers say to each other over the bus: questions, answers, frames, heads. Encoded as
 * msgpack by message-codec.ts.
 *
 * Units: a player's total is an integer of `pointStep` steps; a fantasy score is an integer of half steps
 * (2 x steps for a player, 3 x for the vice-captain, 4 x for the captain). A `scores` contest's score is as
 * given.
 *
 * Versions: every snapshot and frame is exact at its `version` (log offset + 1 of the newest record applied
 * to the partition). A frame covers (base, version] and carries the absolute value of every key touched by
 * any record in it; whoever is at v with base <= v < version may take it, whichever replica made it.
 */

/** Bus topics and subjects. */
export const contestTopic = (contest: string): string => `c:${contest}`;
export const matchTopic = (match: string): string => `m:${match}`;
export const headsTopic = (partition: number): string => `h:${partition}`;
/**
 * A ranker that has come to the partition says so here a few times (one byte, its replica): edges tell it at
 * once what they want, since it may be the only one left before their next renewal.
 */
export const newcomerTopic = (partition: number): string => `n:${partition}`;
export const rankerSubject = (partition: number): string => `ranker:${partition}`;

/** A contest with more entries than this has frames of its own; once large, it stays large. */
export const smallContestEntriesMax = 1_000;
/**
 * A frame names at most so many users (or `scores` entries) that changed; above, it says null: ask `who`
 * again.
 */
export const changedUsersMax = 1_000;
export const changedScoresMax = 5_000;

/** Value of `contest_<id>` and `match_<id>` in the Lookup (JSON). */
export interface ContestPlace {
  partition: number;
  kind: 'fantasy' | 'scores' | 'match';
  match: string | null;
  epoch: string;
}

/** Eleven indexes into the match's players: the captain first, the vice-captain second. */
export type Team = number[];
/**
 * [ordinal, entry, user, team]; ordinals rise with first appearance; team null: not in the contest any more.
 */
export type SmallEntry = [ordinal: number, entry: string, user: string, team: Team | null];
/** [rank, entry, score, user] */
export type TopRow = [rank: number, entry: string, score: number, user: string];
/** Entries at each score, ascending by score; only counts above 0 in a snapshot, 0 allowed in a frame. */
export interface Counts {
  scores: number[];
  counts: number[];
}

export interface MatchSnapshot {
  match: string;
  epoch: string;
  version: number;
  at: number;
  pointStep: number;
  startsAt: number;
  final: boolean;
  /** In index order. */
  players: [player: string, steps: number][];
  label: string | null;
}
export interface ContestSnapshot {
  contest: string;
  kind: 'fantasy' | 'scores';
  match: string | null;
  epoch: string;
  version: number;
  at: number;
  /** Points per unit of score. */
  scoreStep: number;
  prizes: number;
  final: boolean;
  total: number;
  /** small fantasy contests: every entry, by ordinal; else null. */
  entries: SmallEntry[] | null;
  /** large fantasy and all scores contests: the counts; else null. */
  counts: Counts | null;
  /** large fantasy and all scores contests: the first rows; else empty (the edge makes them). */
  top: TopRow[];
  /** Fantasy: the match at the same version. */
  matchState: MatchSnapshot | null;
}

/** On `m:<match>`: for the match's channel and all small contests of it. */
export interface MatchFrame {
  match: string;
  epoch: string;
  base: number;
  version: number;
  at: number;
  startsAt: number;
  final: boolean;
  /** Touched players: [index, steps]. */
  players: [index: number, steps: number][];
  /** All players' ids in index order, when the list grew within (base, version]. */
  roster: string[] | null;
  label: string | null;
  /**
   * Wanted small contests touched other than by points. entries null: too many, `want` again (also: became
   * large).
   */
  contests: {
    contest: string;
    total: number;
    prizes: number;
    final: boolean;
    entries: SmallEntry[] | null;
  }[];
}
/** On `c:<contest>`: large fantasy contests and all `scores` contests. */
export interface ContestFrame {
  contest: string;
  epoch: string;
  base: number;
  version: number;
  at: number;
  total: number;
  prizes: number;
  final: boolean;
  /** Fantasy: touched players [index, steps], roster as in MatchFrame. */
  players: [index: number, steps: number][];
  roster: string[] | null;
  /** Touched counts; `whole`: all of them (scores not named stand at 0). */
  counts: Counts;
  whole: boolean;
  top: TopRow[];
  /** Fantasy: users whose entries changed; null: too many, ask `who` again. */
  changedUsers: string[] | null;
  /**
   * scores: entries whose score was set or that came or left (score null); null: too many, ask `who` again.
   */
  changedScores: [entry: string, user: string, score: number | null][] | null;
}
/** On `h:<partition>`, each second: the version of the last frame of wanted channels. */
export interface Heads {
  partition: number;
  replica: number;
  /** Newest version applied. */
  version: number;
  contests: [contest: string, version: number][];
  matches: [match: string, version: number][];
}

export type Question = WantQuestion | WhoQuestion | RanksQuestion | PageQuestion;
/** A lease on frames for `leaseMs`, and a snapshot for each name not in `renew...`. */
export interface WantQuestion {
  q: 'want';
  edge: string;
  leaseMs: number;
  contests: string[];
  matches: string[];
  renewContests: string[];
  renewMatches: string[];
}
export interface WantAnswer {
  version: number;
  /** In the order asked; null: unknown. */
  contests: (ContestSnapshot | null)[];
  matches: (MatchSnapshot | null)[];
}
/** Up to 256 users. */
export interface WhoQuestion {
  q: 'who';
  contest: string;
  users: string[];
}
export interface WhoAnswer {
  version: number;
  /**
   * Version of the newest record that touched the contest: the answer is the same at every version from here
   * on to `version`. In a quiet contest of a busy partition an edge never comes to `version` itself.
   */
  touched: number;
  epoch: string;
  /** In the order asked: each user's entries in the contest by ordinal. */
  users: WhoEntry[][] | null;
}
/** team in fantasy contests, score in scores contests. */
export type WhoEntry = [entry: string, team: Team | null, score: number];
/** Up to 500 entries. Answered once `minVersion` is applied, or with `timeout` after `waitMs`. */
export interface RanksQuestion {
  q: 'ranks';
  contest: string;
  entries: string[];
  minVersion: number;
  waitMs: number;
}
export interface RanksAnswer {
  outcome: 'ok' | 'unknown' | 'timeout';
  version: number;
  appliedVersion: number;
  scoreStep: number;
  /** In the order asked; null: not in the contest. */
  ranks: ([score: number, rank: number] | null)[];
}
/** Page 0 is the first 500 rows. */
export interface PageQuestion {
  q: 'page';
  contest: string;
  page: number;
  minVersion: number;
  waitMs: number;
}
export interface PageAnswer {
  outcome: 'ok' | 'unknown' | 'timeout';
  version: number;
  total: number;
  scoreStep: number;
  rows: [rank: number, entry: string, score: number][];
}
