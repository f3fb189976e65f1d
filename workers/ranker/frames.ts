import type { ContestFrame, Counts, MatchFrame, SmallEntry } from '../../channels/contest/messages.ts';
import { countsOf, hasFrames, isFinal, scoreOf, topOf } from './contest-view.ts';
import type {
  Contest,
  FantasyContest,
  FantasyWatch,
  MatchState,
  MatchWatch,
  RankerState,
  ScoresContest,
  ScoresWatch,
} from './ranker-state.ts';
import { smallEntry, timeOf } from './snapshots.ts';

/**
 * Watching and frames. A frame covers (base, version] and carries the absolute value of every key that any
 * record in it touched, so it is right for whoever is at any version of base..version - 1.
 */

export function watchMatch(state: RankerState, match: MatchState, own: boolean): MatchWatch {
  match.watch ??= { base: state.version, own: false, contests: new Set(), named: new Set() };
  if (own) match.watch.own = true;
  state.watchedMatches.add(match);
  return match.watch;
}

export function unwatchMatch(state: RankerState, match: MatchState): void {
  if (match.watch === null) return;
  match.watch.own = false;
  dropMatchWatch(state, match, match.watch);
}

function dropMatchWatch(state: RankerState, match: MatchState, watch: MatchWatch): void {
  if (watch.own || watch.contests.size > 0) return;
  match.watch = null;
  state.watchedMatches.delete(match);
}

export function watchContest(state: RankerState, contest: Contest): void {
  if (contest.watch !== null) return;
  if (contest.kind === 'scores') {
    contest.watch = { base: state.version, changed: new Set(), scores: new Set() };
    state.watchedContests.add(contest);
    return;
  }
  const { match } = contest;
  const watch = watchMatch(state, match, false);
  watch.contests.add(contest);
  // Entries that changed between the base of the match's frame and now were not noted: a frame cannot name
  // them.
  const missed = !contest.large && contest.seen > watch.base;
  contest.watch = {
    base: state.version,
    changed: missed ? null : new Set(),
    scores: new Set(),
    points: match.points,
  };
  // Likewise one that has become large since then: who holds it as a small one must hear of it.
  const grown = contest.large && contest.largeSince > watch.base;
  if (missed || grown) watch.named.add(contest);
  if (contest.large) state.watchedContests.add(contest);
}

export function unwatchContest(state: RankerState, contest: Contest): void {
  if (contest.watch === null) return;
  contest.watch = null;
  state.watchedContests.delete(contest);
  if (contest.kind === 'scores') return;
  const { match } = contest;
  const watch = match.watch!;
  watch.contests.delete(contest);
  watch.named.delete(contest);
  dropMatchWatch(state, match, watch);
}

export function touched(state: RankerState): { contests: string[]; matches: string[] } {
  const contests: string[] = [];
  for (const contest of state.watchedContests) {
    const seen = contest.kind === 'fantasy' ? Math.max(contest.seen, contest.match.seen) : contest.seen;
    if (seen > contest.watch!.base) contests.push(contest.id);
  }
  const matches: string[] = [];
  for (const match of state.watchedMatches) if (match.seen > match.watch!.base) matches.push(match.id);
  return { contests, matches };
}

export function takeMatchFrame(state: RankerState, match: MatchState): MatchFrame {
  const watch = match.watch;
  if (watch === null) throw new Error(`match ${match.id} is not watched`);
  const { base } = watch;
  const contests: MatchFrame['contests'] = [];
  if (state.namesUnwatched) nameUnwatched(match, watch);
  for (const contest of watch.named) {
    const grown = contest.large && contest.largeSince > base;
    if (contest.large && !grown) continue;
    contests.push({
      contest: contest.id,
      total: contest.members.live,
      prizes: contest.prizes,
      final: match.final !== null,
      entries: grown || contest.watch === null ? null : changedEntries(contest, contest.watch),
    });
    if (!contest.large && contest.watch !== null) contest.watch.changed = new Set();
  }
  watch.named.clear();
  watch.base = state.version;
  return {
    match: match.id,
    epoch: match.epoch,
    base,
    version: state.version,
    at: match.at,
    startsAt: match.startsAt,
    final: match.final !== null,
    players: changedPlayers(match, base),
    roster: match.rosterSeen > base ? match.players.slice() : null,
    label: match.label,
    contests,
  };
}

/** Which of their entries changed was not noted: who follows one of them has to ask. */
function nameUnwatched(match: MatchState, watch: MatchWatch): void {
  for (const contest of match.contests) {
    if (contest.watch === null && contest.seen > watch.base) watch.named.add(contest);
  }
}

export function takeContestFrame(state: RankerState, contest: Contest): ContestFrame {
  if (contest.watch === null) throw new Error(`contest ${contest.id} is not watched`);
  if (!hasFrames(contest)) throw new Error(`contest ${contest.id} is small: its match's frames are its own`);
  return contest.kind === 'fantasy'
    ? takeFantasyFrame(state, contest, contest.watch!)
    : takeScoresFrame(state, contest, contest.watch!);
}

function takeFantasyFrame(state: RankerState, contest: FantasyContest, watch: FantasyWatch): ContestFrame {
  const { match } = contest;
  const { base } = watch;
  const whole = watch.points !== match.points;
  const counts = touchedCounts(state, contest, whole ? null : watch.scores);
  const frame: ContestFrame = {
    ...commonFields(state, contest, base),
    players: changedPlayers(match, base),
    roster: match.rosterSeen > base ? match.players.slice() : null,
    counts,
    whole,
    top: topOf(state, contest),
    changedUsers: changedUsers(state, contest, watch),
    changedScores: [],
  };
  watch.base = state.version;
  watch.changed = new Set();
  watch.scores.clear();
  watch.points = match.points;
  return frame;
}

function takeScoresFrame(state: RankerState, contest: ScoresContest, watch: ScoresWatch): ContestFrame {
  const { base } = watch;
  const frame: ContestFrame = {
    ...commonFields(state, contest, base),
    players: [],
    roster: null,
    counts: touchedCounts(state, contest, watch.scores),
    whole: watch.scores === null,
    top: topOf(state, contest),
    changedUsers: [],
    changedScores: changedScores(contest, watch),
  };
  watch.base = state.version;
  watch.changed = new Set();
  watch.scores = new Set();
  return frame;
}

function commonFields(state: RankerState, contest: Contest, base: number) {
  return {
    contest: contest.id,
    epoch: contest.epoch,
    base,
    version: state.version,
    at: timeOf(contest),
    total: contest.members.live,
    prizes: contest.prizes,
    final: isFinal(contest),
  };
}

/** Those of `scores`, or all (null). */
function touchedCounts(state: RankerState, contest: Contest, scores: ReadonlySet<number> | null): Counts {
  const counts = countsOf(state, contest);
  if (scores === null) return counts.all();
  const ascending = [...scores].sort((a, b) => a - b);
  return { scores: ascending, counts: ascending.map((score) => counts.at(score)) };
}

function changedPlayers(match: MatchState, base: number): [index: number, steps: number][] {
  const players: [number, number][] = [];
  for (let i = 0; i < match.players.length; i += 1) {
    if (match.playerSeen[i]! > base) players.push([i, match.totals[i]!]);
  }
  return players;
}

function changedEntries(contest: FantasyContest, watch: FantasyWatch): SmallEntry[] | null {
  if (watch.changed === null) return null;
  const ordinals = [...watch.changed].map((entry) => contest.members.find(entry)).sort((a, b) => a - b);
  return ordinals.map((ordinal) => smallEntry(contest, ordinal));
}

function changedUsers(state: RankerState, contest: FantasyContest, watch: FantasyWatch): string[] | null {
  if (watch.changed === null) return null;
  const users = new Set<string>();
  for (const entry of watch.changed) users.add(contest.match.table.userId(entry));
  return users.size > state.options.changedUsersMax ? null : [...users];
}

function changedScores(contest: ScoresContest, watch: ScoresWatch): ContestFrame['changedScores'] {
  if (watch.changed === null) return null;
  const { table } = contest;
  return [...watch.changed].map((entry): [string, string, number | null] => {
    const score = table.set.get(entry) === 1 ? scoreOf(contest, entry) : null;
    return [table.entryId(entry), table.userId(entry), score];
  });
}
