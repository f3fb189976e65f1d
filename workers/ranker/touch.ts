import type { Contest, FantasyContest, MatchState, RankerState, ScoresContest } from './ranker-state.ts';

/**
 * What records touched, for the frames of watched channels. A frame carries every key that any record in
 * (base, version] touched, so nothing is taken back when a value returns to what it was.
 */

export function touchMatch(match: MatchState, version: number): void {
  match.seen = version;
}

export function touchContest(contest: Contest, version: number): void {
  contest.seen = version;
  if (contest.kind === 'fantasy' && contest.watch !== null) contest.match.watch!.named.add(contest);
}

/**
 * The entry came, left or changed its team; `before` and `after` are its scores, null: not in the contest.
 */
export function touchTeam(
  state: RankerState,
  contest: FantasyContest,
  entry: number,
  before: number | null,
  after: number | null,
): void {
  const watch = contest.watch;
  // Amid the record that made it large: whoever holds it as a large one has the whole of that record.
  if (watch === null || contest.seen <= watch.base) return;
  if (watch.changed !== null) {
    watch.changed.add(entry);
    if (watch.changed.size > state.options.changedUsersMax) watch.changed = null;
  }
  if (!contest.large) return;
  if (before !== null) watch.scores.add(before);
  if (after !== null) watch.scores.add(after);
}

/** The entry came, left, or its score was set. */
export function touchScore(
  state: RankerState,
  contest: ScoresContest,
  entry: number,
  before: number | null,
  after: number | null,
): void {
  const watch = contest.watch;
  if (watch === null) return;
  if (watch.changed !== null) {
    watch.changed.add(entry);
    if (watch.changed.size > state.options.changedScoresMax) watch.changed = null;
  }
  if (watch.scores === null) return;
  if (before !== null) watch.scores.add(before);
  if (after !== null) watch.scores.add(after);
  if (watch.scores.size > state.options.touchedScoresMax) watch.scores = null;
}
