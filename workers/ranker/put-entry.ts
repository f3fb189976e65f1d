import type { EntryItem } from '../../proto/records.ts';
import {
  type FantasyContest,
  growIfLarge,
  type MatchState,
  type RankerState,
  type ScoresContest,
} from './ranker-state.ts';
import { touchContest, touchScore, touchTeam } from './touch.ts';

/** The accepted change of an entry: what a record and a checkpoint do alike. */
export interface TeamChange {
  item: Pick<EntryItem, 'entry' | 'user'>;
  /** -1: a new entry. */
  entry: number;
  stampNumber: number;
  /** Indexes in the match, ascending, each once. */
  contests: readonly number[];
  team: readonly number[] | null;
}

export function putFantasyEntry(
  state: RankerState,
  match: MatchState,
  change: TeamChange,
  version: number,
): void {
  const { table, board, sets } = match;
  const isNew = change.entry < 0;
  const entry = isNew ? table.add(change.item.entry, change.item.user, change.stampNumber) : change.entry;
  if (isNew) board.add(entry);
  else table.setStamp(entry, change.stampNumber);
  const former = sets.get(table.set.get(entry));
  const before = board.score(entry);
  board.setTeam(entry, change.team, match.totals, isNew);
  const after = board.score(entry);
  const set = sets.intern(change.contests);
  if (set !== 0 || !isNew) table.set.set(entry, set);
  for (const index of former) {
    if (!change.contests.includes(index)) leave(state, match.contests[index]!, entry, before, version);
  }
  for (const index of change.contests) {
    const contest = match.contests[index]!;
    if (former.includes(index)) stay(state, contest, entry, before, after);
    else join(state, contest, entry, isNew, after, version);
  }
}

function leave(
  state: RankerState,
  contest: FantasyContest,
  entry: number,
  before: number,
  version: number,
): void {
  contest.members.setPresent(contest.members.find(entry), false);
  touchContest(contest, version);
  touchTeam(state, contest, entry, before, null);
  if (contest.counts?.isFresh(contest.match.points) === true) contest.counts.add(before, -1);
}

function stay(
  state: RankerState,
  contest: FantasyContest,
  entry: number,
  before: number,
  after: number,
): void {
  touchTeam(state, contest, entry, before, after);
  if (before === after || contest.counts?.isFresh(contest.match.points) !== true) return;
  contest.counts.add(before, -1);
  if (contest.counts.isFresh(contest.match.points)) contest.counts.add(after, 1);
}

function join(
  state: RankerState,
  contest: FantasyContest,
  entry: number,
  isNew: boolean,
  after: number,
  version: number,
): void {
  const ordinal = isNew ? -1 : contest.members.find(entry);
  if (ordinal < 0) contest.members.append(entry);
  else contest.members.setPresent(ordinal, true);
  growIfLarge(state, contest, version);
  touchContest(contest, version);
  touchTeam(state, contest, entry, null, after);
  if (contest.counts?.isFresh(contest.match.points) === true) contest.counts.add(after, 1);
}

/** `entry` -1: a new one. `is`: it is in the contest from now on. */
export function putScoresEntry(
  state: RankerState,
  contest: ScoresContest,
  item: Pick<EntryItem, 'entry' | 'user'>,
  entry: number,
  stampNumber: number,
  is: boolean,
): void {
  const { table, members, sorted } = contest;
  const isNew = entry < 0;
  const number = isNew ? table.add(item.entry, item.user, stampNumber) : entry;
  if (isNew) contest.scores.set(number, 0);
  else table.setStamp(number, stampNumber);
  const was = table.set.get(number) === 1;
  const score = contest.scores.get(number);
  if (is && !was) {
    const ordinal = isNew ? -1 : members.find(number);
    if (ordinal < 0) members.append(number);
    else members.setPresent(ordinal, true);
    sorted.add(score, 1);
  } else if (was && !is) {
    members.setPresent(members.find(number), false);
    sorted.add(score, -1);
  }
  table.set.set(number, is ? 1 : 0);
  touchScore(state, contest, number, was ? score : null, is ? score : null);
}

/** The entry's score is `score` from now on, whether it is in the contest or not. */
export function putScore(state: RankerState, contest: ScoresContest, entry: number, score: number): void {
  const before = contest.scores.get(entry);
  contest.scores.set(entry, score);
  const present = contest.table.set.get(entry) === 1;
  touchScore(state, contest, entry, present ? before : null, present ? score : null);
  if (!present || before === score) return;
  contest.sorted.add(before, -1);
  contest.sorted.add(score, 1);
}
