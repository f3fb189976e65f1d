import type { FantasyContest, RankerState } from './ranker-state.ts';
import type { ScoreCounts } from './score-counts.ts';
import { teamBounds } from './team-board.ts';

/** Counts of a large contest, counted anew where points have changed since. */
export function freshCounts(state: RankerState, contest: FantasyContest): ScoreCounts {
  const { match, counts, members } = contest;
  if (counts === null) throw new Error(`contest ${contest.id} is small: it has no counts`);
  if (counts.isFresh(match.points)) return counts;
  const { min, max } = teamBounds(match.totals);
  if (!isDense(contest)) members.dropMasks();
  const masks = isDense(contest) ? members.keepMasks() : null;
  const counted = match.board.count(members, masks, min, max - min + 1, state.counts);
  counts.take(match.points, min, counted);
  return counts;
}

/**
 * Whether a contest holds so many of its match's entries that going over all of them in order is faster than
 * by its list; a bit for each of them is then at most two bytes an entry.
 */
export function isDense(contest: FantasyContest): boolean {
  return contest.members.live * 16 >= contest.match.table.count;
}
