import { createHash } from 'node:crypto';
import {
  changedScoresMax,
  changedUsersMax,
  smallContestEntriesMax,
} from '../../channels/contest/messages.ts';
import { limits } from '../../proto/limits.ts';
import { Float64Column, Uint32Column } from './columns.ts';
import { ContestSets } from './contest-sets.ts';
import { EntryTable } from './entry-table.ts';
import { Members } from './members.ts';
import { IdQuery } from './packed-ids.ts';
import { ScoreCounts } from './score-counts.ts';
import { SegmentWriter } from './segment-writer.ts';
import { SortedCounts } from './sorted-counts.ts';
import { noStamp, type Stamp } from './stamps.ts';
import { TeamBoard, teamBounds } from './team-board.ts';

/** What a ranker holds of one partition, and the few steps that all records share. */

export interface RankingOptions {
  /** With the partition, part of every epoch. */
  topic: string;
  partition: number;
  /** Rows of `top`: what a phone shows before it asks for pages. */
  topRows: number;
  /** Beyond, a contest is large. Edges rank small ones entry by entry, and are sent all their entries. */
  smallContestEntriesMax: number;
  /** Entries named in a frame of a fantasy contest, and of a `scores` contest; above, edges ask `who` again. */
  changedUsersMax: number;
  changedScoresMax: number;
  /** Scores whose counts a frame names; above, it is whole. As many as frames of a busy contest touch in seconds. */
  touchedScoresMax: number;
  /** A row of bits for each player and role is 24 bytes per 64 entries. */
  playersPerMatchMax: number;
  /** Entries ever accepted in a match: at 64 bytes each a million fits any process. Up to 16,777,214. */
  entriesPerMatchMax: number;
  /** Entries that ever were in a contest: the same. Up to 16,777,214. */
  entriesPerContestMax: number;
  /** Entries of one user in a match or `scores` contest: an answer to `who` stays readable. */
  entriesPerUserMax: number;
  /** Sets of contests stay short. */
  contestsPerEntryMax: number;
  /** Each takes about half a kilobyte besides its entries. */
  contestsPerMatchMax: number;
  /** More live at once than any season has. */
  matchesMax: number;
  /** Each takes some kilobytes besides its entries. */
  scoresContestsMax: number;
  /** Final matches and contests that are remembered by name after they left memory. */
  forgottenMax: number;
  /** Changes kept for the next checkpoint; above, they are dropped and the next one is whole. */
  segmentBytesMax: number;
}
export const rankingDefaults = {
  topic: 'contest-events',
  partition: 0,
  topRows: 20,
  smallContestEntriesMax,
  changedUsersMax,
  changedScoresMax,
  touchedScoresMax: 100_000,
  playersPerMatchMax: limits.playersPerMatchMax,
  entriesPerMatchMax: 1_000_000,
  entriesPerContestMax: 1_000_000,
  entriesPerUserMax: limits.entriesPerUserMax,
  contestsPerEntryMax: limits.contestsPerEntryMax,
  contestsPerMatchMax: 200_000,
  matchesMax: 10_000,
  scoresContestsMax: 100_000,
  forgottenMax: 10_000,
  segmentBytesMax: 64 * 1024 * 1024,
} as const satisfies RankingOptions;

export interface MatchState {
  /** Of matches and `scores` contests together, in order of creation; names it in checkpoints. */
  readonly no: number;
  readonly id: string;
  readonly epoch: string;
  readonly pointStep: number;
  startsAt: number;
  startsAtStamp: Stamp;
  at: number;
  final: Stamp | null;
  label: string | null;
  labelStamp: Stamp;
  readonly players: string[];
  readonly playerIndex: Map<string, number>;
  /** Steps by player. */
  readonly totals: number[];
  readonly totalStamps: Stamp[];
  /** Version at which a record last named the player; likewise for the list, the end and the match itself. */
  readonly playerSeen: number[];
  rosterSeen: number;
  finalSeen: number;
  seen: number;
  /** Rises with each change of any total: what was computed from totals knows that it is stale. */
  points: number;
  readonly table: EntryTable;
  readonly board: TeamBoard;
  readonly sets: ContestSets;
  readonly contests: FantasyContest[];
  watch: MatchWatch | null;
}
export interface MatchWatch {
  base: number;
  /** Watched by itself, and not only for a contest. */
  own: boolean;
  readonly contests: Set<FantasyContest>;
  /** Watched contests named since `base`. */
  readonly named: Set<FantasyContest>;
}

export interface FantasyContest {
  readonly kind: 'fantasy';
  /** In its match. */
  readonly index: number;
  readonly id: string;
  readonly epoch: string;
  readonly match: MatchState;
  prizes: number;
  prizesStamp: Stamp;
  members: Members;
  large: boolean;
  largeSince: number;
  /** Version at which a record last named it. */
  seen: number;
  counts: ScoreCounts | null;
  watch: FantasyWatch | null;
}
export interface FantasyWatch {
  /** Of the contest's own frames (when large); a small one goes by its match. */
  base: number;
  /** Numbers of entries that changed; null: too many, or not known since the base of the frame. */
  changed: Set<number> | null;
  /** Large: scores whose counts changed other than by points. */
  readonly scores: Set<number>;
  /** The match's `points` at `base`. */
  points: number;
}

export interface ScoresContest {
  readonly kind: 'scores';
  readonly no: number;
  readonly id: string;
  readonly epoch: string;
  prizes: number;
  prizesStamp: Stamp;
  at: number;
  final: Stamp | null;
  seen: number;
  /** `set` is 1 for an entry that is in the contest. */
  readonly table: EntryTable;
  members: Members;
  readonly scores: Float64Column;
  readonly scoreStamps: Uint32Column;
  readonly sorted: SortedCounts;
  /** Entries whose score is not in a checkpoint yet. */
  readonly unsaved: Set<number>;
  watch: ScoresWatch | null;
}
export interface ScoresWatch {
  base: number;
  changed: Set<number> | null;
  /** null: too many to name, the next frame is whole. */
  scores: Set<number> | null;
}
export type Contest = FantasyContest | ScoresContest;

/** A final match or contest that left memory. */
export interface Forgotten {
  readonly name: string;
  readonly isMatch: boolean;
  readonly final: Stamp;
  readonly contests: readonly string[];
}

export interface RankerState {
  readonly options: RankingOptions;
  version: number;
  lastOffset: number;
  lastId: string;
  readonly matches: Map<string, MatchState>;
  readonly contests: Map<string, Contest>;
  scoresContests: number;
  /** By number; null: forgotten. */
  readonly spaces: (MatchState | ScoresContest | null)[];
  readonly forgottenMatches: Map<string, Forgotten>;
  /** Contests of forgotten matches as well. */
  readonly forgottenContests: Map<string, Forgotten>;
  /** All of them, the oldest first. */
  readonly forgotten: Set<Forgotten>;
  readonly watchedMatches: Set<MatchState>;
  /** Those with frames of their own: large fantasy contests and `scores` contests. */
  readonly watchedContests: Set<Contest>;
  readonly journal: SegmentWriter;
  readonly query: IdQuery;
  /** Scratch space for counting. */
  histogram: Int32Array;
}

export function newState(options: RankingOptions): RankerState {
  return {
    options,
    version: 0,
    lastOffset: -1,
    lastId: '',
    matches: new Map(),
    contests: new Map(),
    scoresContests: 0,
    spaces: [],
    forgottenMatches: new Map(),
    forgottenContests: new Map(),
    forgotten: new Set(),
    watchedMatches: new Set(),
    watchedContests: new Set(),
    journal: new SegmentWriter(options.segmentBytesMax),
    query: new IdQuery(),
    histogram: new Int32Array(1_024),
  };
}

export function epochOf(options: RankingOptions, offset: number, id: string): string {
  const hash = createHash('sha256').update(`${options.topic}\n${options.partition}\n${offset}\n${id}`);
  return hash.digest('base64url').slice(0, 16);
}

export function newMatch(
  state: RankerState,
  id: string,
  epoch: string,
  pointStep: number,
  startsAt: number,
  stamp: Stamp,
): MatchState {
  const match: MatchState = {
    no: state.spaces.length,
    id,
    epoch,
    pointStep,
    startsAt,
    startsAtStamp: { at: stamp.at, id: stamp.id },
    at: 0,
    final: null,
    label: null,
    labelStamp: noStamp,
    players: [],
    playerIndex: new Map(),
    totals: [],
    totalStamps: [],
    playerSeen: [],
    rosterSeen: 0,
    finalSeen: 0,
    seen: 0,
    points: 0,
    table: new EntryTable(state.query),
    board: new TeamBoard(),
    sets: new ContestSets(),
    contests: [],
    watch: null,
  };
  state.spaces.push(match);
  state.matches.set(id, match);
  return match;
}

export function addPlayers(match: MatchState, players: readonly string[], version: number): void {
  for (const player of players) {
    match.playerIndex.set(player, match.players.length);
    match.players.push(player);
    match.totals.push(0);
    match.totalStamps.push(noStamp);
    match.playerSeen.push(version);
  }
  match.rosterSeen = version;
}

export function newFantasyContest(
  state: RankerState,
  match: MatchState,
  id: string,
  epoch: string,
): FantasyContest {
  const contest: FantasyContest = {
    kind: 'fantasy',
    index: match.contests.length,
    id,
    epoch,
    match,
    prizes: 0,
    prizesStamp: noStamp,
    members: new Members(),
    large: false,
    largeSince: 0,
    seen: 0,
    counts: null,
    watch: null,
  };
  match.contests.push(contest);
  state.contests.set(id, contest);
  return contest;
}

export function newScoresContest(state: RankerState, id: string, epoch: string): ScoresContest {
  const contest: ScoresContest = {
    kind: 'scores',
    no: state.spaces.length,
    id,
    epoch,
    prizes: 0,
    prizesStamp: noStamp,
    at: 0,
    final: null,
    seen: 0,
    table: new EntryTable(state.query),
    members: new Members(),
    scores: new Float64Column(),
    scoreStamps: new Uint32Column(),
    sorted: new SortedCounts(),
    unsaved: new Set(),
    watch: null,
  };
  state.spaces.push(contest);
  state.contests.set(id, contest);
  state.scoresContests += 1;
  return contest;
}

/** A contest that has (or `once` had) too many entries to be small gets frames of its own, from `version` on. */
export function growIfLarge(
  state: RankerState,
  contest: FantasyContest,
  version: number,
  once = false,
): void {
  if (contest.large || (!once && contest.members.live <= state.options.smallContestEntriesMax)) return;
  contest.large = true;
  contest.largeSince = version;
  contest.counts = new ScoreCounts();
  if (contest.watch === null) return;
  contest.match.watch?.named.add(contest);
  contest.watch = { base: version, changed: new Set(), scores: new Set(), points: contest.match.points };
  state.watchedContests.add(contest);
}

/** Lanes of counts stay within a processor's nearest memory up to this many scores. */
const laneMax = 16_384;

/** Counts of a large contest, counted anew where points have changed since. */
export function freshCounts(state: RankerState, contest: FantasyContest): ScoreCounts {
  const { match, counts, members } = contest;
  if (counts === null) throw new Error(`contest ${contest.id} is small: it has no counts`);
  if (counts.isFresh(match.points)) return counts;
  const { min, max } = teamBounds(match.totals);
  const size = max - min + 1;
  const lane = size <= laneMax ? size : 0;
  if (state.histogram.length < Math.max(size, 4 * lane))
    state.histogram = new Int32Array(Math.max(size, 4 * lane));
  const histogram = state.histogram.fill(0, 0, Math.max(size, 4 * lane));
  if (isDense(contest)) {
    match.board.countMasked(members.keepMasks(), min, histogram, lane);
    for (let i = 0; i < lane; i += 1) {
      histogram[i]! += histogram[i + lane]! + histogram[i + 2 * lane]! + histogram[i + 3 * lane]!;
    }
  } else {
    members.dropMasks();
    match.board.countListed(members, min, histogram);
  }
  counts.take(match.points, min, histogram.subarray(0, size));
  return counts;
}

/**
 * Whether a contest holds so many of its match's entries that going over all of them in order is faster than by its
 * list; a bit for each of them is then at most two bytes an entry.
 */
export function isDense(contest: FantasyContest): boolean {
  return contest.members.live * 16 >= contest.match.table.count;
}

export function remember(state: RankerState, forgotten: Forgotten): void {
  state.forgotten.add(forgotten);
  if (forgotten.isMatch) state.forgottenMatches.set(forgotten.name, forgotten);
  else state.forgottenContests.set(forgotten.name, forgotten);
  for (const contest of forgotten.contests) state.forgottenContests.set(contest, forgotten);
  if (state.forgotten.size <= state.options.forgottenMax) return;
  for (const oldest of state.forgotten) {
    state.forgotten.delete(oldest);
    if (oldest.isMatch) state.forgottenMatches.delete(oldest.name);
    else state.forgottenContests.delete(oldest.name);
    for (const contest of oldest.contests) state.forgottenContests.delete(contest);
    return;
  }
}

/** Frees a final match or `scores` contest, and remembers its name. */
export function forgetSpace(state: RankerState, space: MatchState | ScoresContest): void {
  if (space.final === null) throw new Error(`${space.id} is not final`);
  state.spaces[space.no] = null;
  if ('kind' in space) {
    state.contests.delete(space.id);
    state.watchedContests.delete(space);
    state.scoresContests -= 1;
    remember(state, { name: space.id, isMatch: false, final: space.final, contests: [] });
    return;
  }
  state.matches.delete(space.id);
  state.watchedMatches.delete(space);
  for (const contest of space.contests) {
    state.contests.delete(contest.id);
    state.watchedContests.delete(contest);
  }
  const contests = space.contests.map((contest) => contest.id);
  remember(state, { name: space.id, isMatch: true, final: space.final, contests });
}

/** A later event moves the time on; a latecomer does not take it back. */
export function advanceTime(of: { at: number }, stamp: Stamp): void {
  if (stamp.at > of.at) of.at = stamp.at;
}
