import type { CodeName } from '../../proto/codes.ts';
import { limits } from '../../proto/limits.ts';
import type {
  ContestEvent,
  ContestRecord,
  EntriesRecord,
  FinalRecord,
  MatchRecord,
  PointsRecord,
  ScoreRecord,
} from '../../proto/records.ts';
import { applyFantasyEntries, applyScoresEntries } from './apply-entries.ts';
import { putScore } from './put-entry.ts';
import {
  addPlayers,
  advanceTime,
  type Contest,
  epochOf,
  type Forgotten,
  type MatchState,
  newFantasyContest,
  newMatch,
  newScoresContest,
  type RankerState,
} from './ranker-state.ts';
import type { Refusal } from './ranking.ts';
import { isAfter, type Stamp } from './stamps.ts';
import { touchContest, touchMatch } from './touch.ts';

/** The laws of docs/rules.md, a function for each type of record. */

const none: Refusal[] = [];

function refuse(code: CodeName, message: string): Refusal[] {
  return [{ code, message, item: null }];
}
const copy = (stamp: Stamp): Stamp => ({ at: stamp.at, id: stamp.id });

export function applyRecord(
  state: RankerState,
  offset: number,
  version: number,
  record: ContestEvent,
): Refusal[] {
  switch (record.type) {
    case 'match':
      return applyMatch(state, offset, version, record);
    case 'contest':
      return applyContest(state, offset, version, record);
    case 'entries':
      return applyEntries(state, version, record);
    case 'points':
      return applyPoints(state, version, record);
    case 'score':
      return applyScore(state, version, record);
    case 'final':
      return applyFinal(state, version, record);
    default:
      return record satisfies never;
  }
}

/** The match, touched; or why not. */
function findMatch(state: RankerState, name: string, version: number): MatchState | Refusal[] {
  const match = state.matches.get(name);
  if (match === undefined) {
    return state.forgottenMatches.has(name)
      ? refuse('is_final', `match ${name} is final`)
      : refuse('no_such_match', `match ${name} has not been created`);
  }
  touchMatch(match, version);
  return match.final === null ? match : refuse('is_final', `match ${name} is final`);
}

function applyMatch(state: RankerState, offset: number, version: number, record: MatchRecord): Refusal[] {
  const { playersPerMatchMax, matchesMax } = state.options;
  let match = state.matches.get(record.match);
  if (match !== undefined || state.forgottenMatches.has(record.match)) {
    const found = findMatch(state, record.match, version);
    if (Array.isArray(found)) return found;
    if (found.pointStep !== record.pointStep) {
      return refuse('fixed_field', `pointStep of match ${record.match} is ${found.pointStep} and stays so`);
    }
  }
  const known = match;
  const players = [...new Set(record.players)].filter((player) => known?.playerIndex.has(player) !== true);
  if (players.length + (match?.players.length ?? 0) > playersPerMatchMax) {
    return refuse('contest_full', `match ${record.match} would have more than ${playersPerMatchMax} players`);
  }
  if (match === undefined) {
    if (state.matches.size >= matchesMax)
      return refuse('contest_full', `there are ${matchesMax} matches already`);
    const epoch = epochOf(state.options, offset, record.id);
    match = newMatch(state, record.match, epoch, record.pointStep, record.startsAt, record);
    touchMatch(match, version);
    state.journal.match(match);
  } else if (isAfter(record, match.startsAtStamp)) {
    match.startsAt = record.startsAt;
    match.startsAtStamp = copy(record);
  }
  advanceTime(match, record);
  if (players.length === 0) return none;
  addPlayers(match, players, version);
  state.journal.players(match.no, players);
  return none;
}

function applyContest(state: RankerState, offset: number, version: number, record: ContestRecord): Refusal[] {
  const contest = state.contests.get(record.contest);
  const matchName = record.kind === 'fantasy' ? (record.match ?? '') : null;
  const named = state.matches.get(record.match ?? '');
  if (named !== undefined) touchMatch(named, version);
  if (contest !== undefined) {
    touchContest(contest, version);
    const match = contest.kind === 'fantasy' ? contest.match : null;
    if (match !== null) touchMatch(match, version);
    const final = match === null ? (contest as { final?: Stamp | null }).final : match.final;
    if (final !== null && final !== undefined)
      return refuse('is_final', `contest ${record.contest} is final`);
    if (contest.kind !== record.kind) {
      return refuse('fixed_field', `kind of contest ${record.contest} is ${contest.kind} and stays so`);
    }
    if (match !== null && match.id !== matchName) {
      return refuse('fixed_field', `match of contest ${record.contest} is ${match.id} and stays so`);
    }
    setPrizes(state, contest, record);
    return none;
  }
  if (state.forgottenContests.has(record.contest))
    return refuse('is_final', `contest ${record.contest} is final`);
  const epoch = epochOf(state.options, offset, record.id);
  if (matchName === null) {
    const { scoresContestsMax } = state.options;
    if (state.scoresContests >= scoresContestsMax) {
      return refuse('contest_full', `there are ${scoresContestsMax} scores contests already`);
    }
    const made = newScoresContest(state, record.contest, epoch);
    state.journal.scoresContest(record.contest, epoch);
    touchContest(made, version);
    setPrizes(state, made, record);
    return none;
  }
  const match = findMatch(state, matchName, version);
  if (Array.isArray(match)) return match;
  const { contestsPerMatchMax } = state.options;
  if (match.contests.length >= contestsPerMatchMax) {
    return refuse('contest_full', `match ${matchName} has ${contestsPerMatchMax} contests, the most it may`);
  }
  const made = newFantasyContest(state, match, record.contest, epoch);
  state.journal.contest(match.no, record.contest, epoch);
  touchContest(made, version);
  setPrizes(state, made, record);
  return none;
}

function setPrizes(state: RankerState, contest: Contest, record: ContestRecord): void {
  advanceTime(contest.kind === 'fantasy' ? contest.match : contest, record);
  if (record.prizes === undefined || !isAfter(record, contest.prizesStamp)) return;
  contest.prizes = record.prizes;
  contest.prizesStamp = copy(record);
  if (contest.kind === 'fantasy') {
    state.journal.prizes(contest.match.no, contest.index, contest.prizes, contest.prizesStamp);
  } else {
    state.journal.prizes(contest.no, 0, contest.prizes, contest.prizesStamp);
  }
}

function applyEntries(state: RankerState, version: number, record: EntriesRecord): Refusal[] {
  if (record.match !== undefined) {
    const match = findMatch(state, record.match, version);
    if (Array.isArray(match)) return match;
    advanceTime(match, record);
    return applyFantasyEntries(state, match, record, version);
  }
  const contest = findScoresContest(state, record.contest ?? '', version);
  if (Array.isArray(contest)) return contest;
  advanceTime(contest, record);
  return applyScoresEntries(state, contest, record);
}

/** The `scores` contest, touched; or why not. */
function findScoresContest(state: RankerState, name: string, version: number) {
  const contest = state.contests.get(name);
  if (contest === undefined) return refuseMissing(state.forgottenContests.get(name), name);
  touchContest(contest, version);
  if (contest.kind !== 'scores') {
    touchMatch(contest.match, version);
    return refuse('wrong_kind', `contest ${name} takes teams, not scores`);
  }
  return contest.final === null ? contest : refuse('is_final', `contest ${name} is final`);
}

function refuseMissing(forgotten: Forgotten | undefined, name: string): Refusal[] {
  if (forgotten === undefined) return refuse('no_such_contest', `contest ${name} has not been created`);
  if (forgotten.isMatch) return refuse('wrong_kind', `contest ${name} takes teams, not scores`);
  return refuse('is_final', `contest ${name} is final`);
}

function applyPoints(state: RankerState, version: number, record: PointsRecord): Refusal[] {
  const match = findMatch(state, record.match, version);
  if (Array.isArray(match)) return match;
  const player = match.playerIndex.get(record.player);
  if (player === undefined) {
    return refuse('no_such_player', `player ${record.player} is not in match ${record.match}`);
  }
  const steps = record.points / match.pointStep;
  if (!Number.isInteger(steps) || Math.abs(steps) > limits.pointsStepsMax) {
    const most = limits.pointsStepsMax * match.pointStep;
    return refuse(
      'off_step',
      `points ${record.points} is not a multiple of ${match.pointStep} within ±${most}`,
    );
  }
  advanceTime(match, record);
  // A repeat touches him too: whoever waits for its version on a small contest hears of it by his total.
  match.playerSeen[player] = version;
  if (record.label !== undefined && isAfter(record, match.labelStamp)) {
    match.label = record.label;
    match.labelStamp = copy(record);
  }
  if (!isAfter(record, match.totalStamps[player]!)) return none;
  match.totalStamps[player] = copy(record);
  const change = steps - match.totals[player]!;
  if (change === 0) return none;
  // -0 would be a total unlike 0 in an answer.
  match.totals[player] = steps + 0;
  match.points += 1;
  match.board.addPoints(player, change, match.totals);
  return none;
}

function applyScore(state: RankerState, version: number, record: ScoreRecord): Refusal[] {
  const contest = findScoresContest(state, record.contest, version);
  if (Array.isArray(contest)) return contest;
  const { table, scoreStamps } = contest;
  const entry = table.find(record.entry);
  if (entry < 0) {
    return refuse('no_such_entry', `entry ${record.entry} has not been in contest ${record.contest}`);
  }
  advanceTime(contest, record);
  if (!table.stamps.isAfter(record, scoreStamps.get(entry))) return none;
  scoreStamps.set(entry, table.stamps.add(record));
  contest.unsaved.add(entry);
  putScore(state, contest, entry, record.score + 0);
  table.sweepStamps([scoreStamps]);
  return none;
}

function applyFinal(state: RankerState, version: number, record: FinalRecord): Refusal[] {
  const name = record.match ?? record.contest ?? '';
  const isMatch = record.match !== undefined;
  const forgotten = isMatch ? state.forgottenMatches.get(name) : state.forgottenContests.get(name);
  const of = isMatch ? state.matches.get(name) : state.contests.get(name);
  if (of === undefined) {
    const isIt = forgotten !== undefined && forgotten.isMatch === isMatch;
    if (isIt && isSame(forgotten.final, record)) return none;
    return isMatch ? (findMatch(state, name, version) as Refusal[]) : refuseMissing(forgotten, name);
  }
  const space = 'kind' in of ? findScoresContest(state, name, version) : findMatch(state, name, version);
  const final = 'kind' in of && of.kind === 'fantasy' ? null : (of as { final: Stamp | null }).final;
  if (final !== null && isSame(final, record)) return none;
  if (Array.isArray(space)) return space;
  space.final = copy(record);
  advanceTime(space, record);
  if ('kind' in space) return none;
  space.finalSeen = version;
  if (space.watch !== null) for (const contest of space.watch.contests) space.watch.named.add(contest);
  return none;
}

const isSame = (a: Stamp, b: Stamp): boolean => a.at === b.at && a.id === b.id;
