import type { TopRow } from '../../channels/contest/messages.ts';
import type { EntryTable } from './entry-table.ts';
import { freshCounts, isDense } from './fresh-counts.ts';
import type { Members } from './members.ts';
import type { Contest, RankerState } from './ranker-state.ts';
import type { ScoreCounts } from './score-counts.ts';
import type { SortedCounts } from './sorted-counts.ts';
import { topRows } from './top-rows.ts';

/** Both kinds of contests, read alike. */

export function tableOf(contest: Contest): EntryTable {
  return contest.kind === 'fantasy' ? contest.match.table : contest.table;
}

export function scoreOf(contest: Contest, entry: number): number {
  return contest.kind === 'fantasy' ? contest.match.board.score(entry) : contest.scores.get(entry);
}

export function isFinal(contest: Contest): boolean {
  return (contest.kind === 'fantasy' ? contest.match.final : contest.final) !== null;
}

/** Points per unit of score. */
export function scoreStepOf(contest: Contest): number {
  return contest.kind === 'fantasy' ? contest.match.pointStep / 2 : 1;
}

/** Whether it has counts and frames of its own. */
export function hasFrames(contest: Contest): boolean {
  return contest.kind === 'scores' || contest.large;
}

/** Of a contest with frames of its own, exact now. */
export function countsOf(state: RankerState, contest: Contest): ScoreCounts | SortedCounts {
  return contest.kind === 'fantasy' ? freshCounts(state, contest) : contest.sorted;
}

/** The ordinal of an entry that is in the contest now, or -1. */
export function presentOrdinal(members: Members, entry: number): number {
  const ordinal = members.find(entry);
  return ordinal >= 0 && members.isPresent(ordinal) ? ordinal : -1;
}

export function topOf(state: RankerState, contest: Contest): TopRow[] {
  const table = tableOf(contest);
  const counts = countsOf(state, contest);
  const source = {
    members: contest.members,
    scoreOf: (entry: number) => scoreOf(contest, entry),
    threshold: (rows: number) => counts.threshold(rows),
    nextAtLeast: nextAtLeastOf(contest),
    entryId: (entry: number) => table.entryId(entry),
    userId: (entry: number) => table.userId(entry),
  };
  return topRows(source, state.options.topRows);
}

function nextAtLeastOf(contest: Contest): ((from: number, floor: number) => number) | null {
  if (contest.kind === 'scores') return (from, floor) => contest.scores.nextAtLeast(from, floor);
  return isDense(contest) ? (from, floor) => contest.match.board.nextAtLeast(from, floor) : null;
}
