import type { RanksAnswer, WhoAnswer, WhoEntry } from '../../channels/contest/messages.ts';
import { countsOf, hasFrames, presentOrdinal, scoreOf, scoreStepOf, tableOf } from './contest-view.ts';
import type { Contest, RankerState } from './ranker-state.ts';
import type { OrderInput } from './ranking.ts';

/** Answers to what edges ask, exact at the ranker's version. */

export function who(state: RankerState, contest: Contest | undefined, users: readonly string[]): WhoAnswer {
  if (contest === undefined) return { version: state.version, touched: 0, epoch: '', users: null };
  return {
    version: state.version,
    touched: contest.seen,
    epoch: contest.epoch,
    users: users.map((user) => entriesOf(contest, user)),
  };
}

function entriesOf(contest: Contest, user: string): WhoEntry[] {
  const table = tableOf(contest);
  const found: { ordinal: number; entry: number }[] = [];
  for (let entry = table.newestOf(user); entry >= 0; entry = table.olderOf(entry)) {
    const ordinal = presentOrdinal(contest.members, entry);
    if (ordinal >= 0) found.push({ ordinal, entry });
  }
  found.sort((a, b) => a.ordinal - b.ordinal);
  return found.map(({ entry }): WhoEntry => {
    const team = contest.kind === 'fantasy' ? contest.match.board.team(entry) : null;
    return [table.entryId(entry), team, scoreOf(contest, entry)];
  });
}

export function ranks(
  state: RankerState,
  contest: Contest | undefined,
  entries: readonly string[],
): RanksAnswer {
  const version = state.version;
  if (contest === undefined) {
    return { outcome: 'unknown', version, appliedVersion: version, scoreStep: 1, ranks: [] };
  }
  const greaterThan = rankSource(state, contest);
  const table = tableOf(contest);
  const found = entries.map((name): [number, number] | null => {
    const entry = table.find(name);
    if (entry < 0 || presentOrdinal(contest.members, entry) < 0) return null;
    const score = scoreOf(contest, entry);
    return [score, greaterThan(score) + 1];
  });
  return { outcome: 'ok', version, appliedVersion: version, scoreStep: scoreStepOf(contest), ranks: found };
}

/** Entries with a greater score: by the counts, or by sorting the few scores of a small contest. */
function rankSource(state: RankerState, contest: Contest): (score: number) => number {
  if (hasFrames(contest)) {
    const counts = countsOf(state, contest);
    return (score) => counts.greaterThan(score);
  }
  const { members } = contest;
  const scores = new Float64Array(members.live);
  let count = 0;
  for (let ordinal = 0; ordinal < members.size; ordinal += 1) {
    if (!members.isPresent(ordinal)) continue;
    scores[count] = scoreOf(contest, members.entryAt(ordinal));
    count += 1;
  }
  scores.sort();
  return (score) => {
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (scores[middle]! > score) high = middle;
      else low = middle + 1;
    }
    return count - low;
  };
}

export function orderInput(state: RankerState, contest: Contest): OrderInput {
  const copied =
    contest.kind === 'fantasy' ? contest.match.board.copyScores(contest.members) : copyScores(contest);
  return { contest: contest.id, version: state.version, total: contest.members.live, ...copied };
}

function copyScores(contest: Contest): { scores: Float64Array; present: Uint8Array } {
  const { members } = contest;
  const scores = new Float64Array(members.size);
  const present = new Uint8Array(members.size);
  for (let ordinal = 0; ordinal < members.size; ordinal += 1) {
    if (!members.isPresent(ordinal)) continue;
    scores[ordinal] = scoreOf(contest, members.entryAt(ordinal));
    present[ordinal] = 1;
  }
  return { scores, present };
}

export function names(contest: Contest, ordinals: ArrayLike<number>): { entry: string; user: string }[] {
  const table = tableOf(contest);
  const found = new Array<{ entry: string; user: string }>(ordinals.length);
  for (let i = 0; i < ordinals.length; i += 1) {
    const entry = contest.members.entryAt(ordinals[i]!);
    found[i] = { entry: table.entryId(entry), user: table.userId(entry) };
  }
  return found;
}
