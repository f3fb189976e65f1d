import type { Contest, MatchState, RankerState, ScoresContest } from './ranker-state.ts';
import { SegmentWriter } from './segment-writer.ts';

/** A segment that says everything by itself: it replaces all segments before it. */
export function wholeSegment(state: RankerState): Uint8Array {
  const writer = new SegmentWriter(Number.POSITIVE_INFINITY);
  for (const space of state.spaces) {
    if (space === null) writer.noSpace();
    else if ('kind' in space) writeScoresContest(state, writer, space);
    else writeMatch(state, writer, space);
  }
  return writer.take();
}

function writeMatch(state: RankerState, writer: SegmentWriter, match: MatchState): void {
  writer.match(match);
  writer.players(match.no, match.players);
  for (const contest of match.contests) {
    writer.contest(match.no, contest.id, contest.epoch);
    if (contest.prizesStamp.id !== '') {
      writer.prizes(match.no, contest.index, contest.prizes, contest.prizesStamp);
    }
  }
  const { table, sets, board } = match;
  for (let entry = 0; entry < table.count; entry += 1) {
    const stamp = table.stamps.get(table.stamp(entry));
    const contests = sets.get(table.set.get(entry));
    const team = contests.length === 0 ? null : board.team(entry);
    writer.newEntry(match.no, table.entryId(entry), table.userId(entry), stamp, contests, team);
  }
  for (const contest of match.contests) writeMembers(state, writer, match.no, contest.index, contest);
}

function writeScoresContest(state: RankerState, writer: SegmentWriter, contest: ScoresContest): void {
  writer.scoresContest(contest.id, contest.epoch);
  if (contest.prizesStamp.id !== '') writer.prizes(contest.no, 0, contest.prizes, contest.prizesStamp);
  const { table } = contest;
  for (let entry = 0; entry < table.count; entry += 1) {
    const stamp = table.stamps.get(table.stamp(entry));
    const contests = table.set.get(entry) === 1 ? [0] : [];
    writer.newEntry(contest.no, table.entryId(entry), table.userId(entry), stamp, contests, null);
  }
  for (let entry = 0; entry < table.count; entry += 1) {
    if (contest.scoreStamps.get(entry) === 0) continue;
    const stamp = table.stamps.get(contest.scoreStamps.get(entry));
    writer.score(contest.no, entry, contest.scores.get(entry), stamp);
  }
  writeMembers(state, writer, contest.no, 0, contest);
}

/**
 * Only where playing the entries by number does not give the same order, the same ordinals and the same
 * kind.
 */
function writeMembers(
  state: RankerState,
  writer: SegmentWriter,
  space: number,
  index: number,
  contest: Contest,
): void {
  const { members } = contest;
  const large = contest.kind === 'fantasy' && contest.large;
  const isPlain = members.ascending && members.live === members.size;
  if (isPlain && (!large || members.live > state.options.smallContestEntriesMax)) return;
  const entries = new Uint32Array(members.size);
  const gone = new Uint8Array(members.size);
  for (let ordinal = 0; ordinal < members.size; ordinal += 1) {
    entries[ordinal] = members.entryAt(ordinal);
    gone[ordinal] = members.isPresent(ordinal) ? 0 : 1;
  }
  writer.members(space, index, large, entries, gone);
}
