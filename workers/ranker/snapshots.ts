import type { ContestSnapshot, MatchSnapshot, SmallEntry } from '../../channels/contest/messages.ts';
import { countsOf, hasFrames, isFinal, scoreStepOf, topOf } from './contest-view.ts';
import type { Contest, FantasyContest, MatchState, RankerState } from './ranker-state.ts';

/** The whole state of a channel at the ranker's version. */

export function matchSnapshot(state: RankerState, match: MatchState): MatchSnapshot {
  return {
    match: match.id,
    epoch: match.epoch,
    version: state.version,
    at: match.at,
    pointStep: match.pointStep,
    startsAt: match.startsAt,
    final: match.final !== null,
    players: match.players.map((player, i): [string, number] => [player, match.totals[i]!]),
    label: match.label,
  };
}

export function contestSnapshot(state: RankerState, contest: Contest): ContestSnapshot {
  const match = contest.kind === 'fantasy' ? contest.match : null;
  const own = hasFrames(contest);
  return {
    contest: contest.id,
    kind: contest.kind,
    match: match?.id ?? null,
    epoch: contest.epoch,
    version: state.version,
    at: timeOf(contest),
    scoreStep: scoreStepOf(contest),
    prizes: contest.prizes,
    final: isFinal(contest),
    total: contest.members.live,
    entries: own ? null : smallEntries(contest as FantasyContest),
    counts: own ? countsOf(state, contest).all() : null,
    top: own ? topOf(state, contest) : [],
    matchState: match === null ? null : matchSnapshot(state, match),
  };
}

export function timeOf(contest: Contest): number {
  return contest.kind === 'fantasy' ? contest.match.at : contest.at;
}

/** The entry at an ordinal, wherever it is now. */
export function smallEntry(contest: FantasyContest, ordinal: number): SmallEntry {
  const { table, board } = contest.match;
  const entry = contest.members.entryAt(ordinal);
  const team = contest.members.isPresent(ordinal) ? board.team(entry) : null;
  return [ordinal, table.entryId(entry), table.userId(entry), team];
}

function smallEntries(contest: FantasyContest): SmallEntry[] {
  const entries: SmallEntry[] = [];
  for (let ordinal = 0; ordinal < contest.members.size; ordinal += 1) {
    if (contest.members.isPresent(ordinal)) entries.push(smallEntry(contest, ordinal));
  }
  return entries;
}
