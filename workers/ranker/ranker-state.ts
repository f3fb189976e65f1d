import { createHash } from 'node:crypto';
import { Float64Column, NumberColumn } from './columns.ts';
import { ContestSets } from './contest-sets.ts';
import { EntryTable } from './entry-table.ts';
import { Members } from './members.ts';
import { IdQuery } from './packed-ids.ts';
import type { RankingOptions } from './ranking-options.ts';
import { ScoreCounts } from './score-counts.ts';
import { SegmentWriter } from './segment-writer.ts';
import { SortedCounts } from './sorted-counts.ts';
import { noStamp, type Stamp } from './stamps.ts';
import { CountScratch, TeamBoard } from './team-board.ts';

/** What a ranker holds of one partition, and the few steps that all records share. */

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
  readonly scoreStamps: NumberColumn;
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
  /** See `Ranking.nameUnwatched`. */
  namesUnwatched: boolean;
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
  readonly counts: CountScratch;
}

export function newState(options: RankingOptions): RankerState {
  return {
    options,
    version: 0,
    namesUnwatched: false,
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
    counts: new CountScratch(),
  };
}

export function epochOf(options: RankingOptions, offset: number, id: string): string {
  const hash = createHash('sha256').update(`${options.topic}\n${options.partition}\n${offset}\n${id}`);
  return hash.digest().subarray(0, 12).toString('base64url');
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
    scoreStamps: new NumberColumn(),
    sorted: new SortedCounts(),
    unsaved: new Set(),
    watch: null,
  };
  state.spaces.push(contest);
  state.contests.set(id, contest);
  state.scoresContests += 1;
  return contest;
}

/**
 * A contest that has (or `once` had) too many entries to be small gets frames of its own, from `version` on.
 */
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
