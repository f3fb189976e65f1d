import { names, orderInput, ranks, who } from './answers.ts';
import { applyRecord } from './apply-record.ts';
import { encodeHead, readHead, restoreSpace } from './checkpoint-head.ts';
import { hasFrames, isFinal, scoreStepOf } from './contest-view.ts';
import {
  takeContestFrame,
  takeMatchFrame,
  touched,
  unwatchContest,
  unwatchMatch,
  watchContest,
  watchMatch,
} from './frames.ts';
import {
  type Contest,
  forgetSpace,
  type MatchState,
  newState,
  type RankerState,
  remember,
} from './ranker-state.ts';
import type { ContestInfo, MatchInfo, Ranking } from './ranking.ts';
import { type RankingOptions, rankingDefaults } from './ranking-options.ts';
import { playSegment } from './segment-reader.ts';
import { contestSnapshot, matchSnapshot } from './snapshots.ts';
import { wholeSegment } from './whole-segment.ts';

/**
 * The ranker's state machine in memory. An entry takes some 60 bytes with ids of 12; a `points` record costs
 * a pass over the bitmaps of the player, whatever the number of contests
 * (docs/decisions/0002-ranker-layout.md).
 */
export function createRanking(options: Partial<RankingOptions> = {}): Ranking {
  return rankingOver(newState({ ...rankingDefaults, ...options }));
}

/**
 * The state at the time of `head`, out of all segments since (and with) the last whole one, in order.
 * Nothing is watched. Throws where they do not belong together.
 */
export function restoreRanking(
  segments: Iterable<Uint8Array>,
  head: Uint8Array,
  options: Partial<RankingOptions> = {},
): Ranking {
  const state = newState({ ...rankingDefaults, ...options });
  const read = readHead(head);
  for (const forgotten of read.forgotten) remember(state, forgotten);
  for (const segment of segments) playSegment(state, segment, (no) => read.spaces[no] === null);
  if (state.spaces.length !== read.spaces.length) {
    throw new Error(
      `the segments hold ${state.spaces.length} matches and contests, the head ${read.spaces.length}`,
    );
  }
  read.spaces.forEach((space, no) => {
    if (space !== null) restoreSpace(state, no, space);
  });
  state.version = read.version;
  state.lastOffset = read.lastOffset;
  state.lastId = read.lastId;
  // when each was touched last is not kept: not after this, which is all that `who` needs to be right
  for (const contest of state.contests.values()) contest.seen = read.version;
  return rankingOver(state);
}

function rankingOver(state: RankerState): Ranking {
  const contestNamed = (id: string): Contest => {
    const contest = state.contests.get(id);
    if (contest === undefined) throw new Error(`no contest ${id}`);
    return contest;
  };
  const matchNamed = (id: string): MatchState => {
    const match = state.matches.get(id);
    if (match === undefined) throw new Error(`no match ${id}`);
    return match;
  };
  return {
    get version() {
      return state.version;
    },
    get segmentBytes() {
      return state.journal.overflown ? Number.POSITIVE_INFINITY : state.journal.length;
    },
    apply(offset, record) {
      const refusals = applyRecord(state, offset, offset + 1, record);
      state.version = offset + 1;
      state.lastOffset = offset;
      state.lastId = record.id;
      return refusals;
    },
    skip(offset) {
      state.version = offset + 1;
    },
    *contests() {
      for (const contest of state.contests.values()) yield contestInfo(contest);
    },
    contest(id) {
      const contest = state.contests.get(id);
      return contest === undefined ? null : contestInfo(contest);
    },
    match(id) {
      const match = state.matches.get(id);
      return match === undefined ? null : matchInfo(match);
    },
    watchContest: (id) => watchContest(state, contestNamed(id)),
    unwatchContest(id) {
      const contest = state.contests.get(id);
      if (contest !== undefined) unwatchContest(state, contest);
    },
    watchMatch(id) {
      watchMatch(state, matchNamed(id), true);
    },
    unwatchMatch(id) {
      const match = state.matches.get(id);
      if (match !== undefined) unwatchMatch(state, match);
    },
    nameUnwatched(on) {
      state.namesUnwatched = on;
    },
    touched: () => touched(state),
    takeContestFrame: (id) => takeContestFrame(state, contestNamed(id)),
    takeMatchFrame: (id) => takeMatchFrame(state, matchNamed(id)),
    snapshotContest(id) {
      const contest = state.contests.get(id);
      return contest === undefined ? null : contestSnapshot(state, contest);
    },
    snapshotMatch(id) {
      const match = state.matches.get(id);
      return match === undefined ? null : matchSnapshot(state, match);
    },
    who: (contest, users) => who(state, state.contests.get(contest), users),
    ranks: (contest, entries) => ranks(state, state.contests.get(contest), entries),
    orderInput(id) {
      const contest = state.contests.get(id);
      return contest === undefined ? null : orderInput(state, contest);
    },
    names: (contest, ordinals) => names(contestNamed(contest), ordinals),
    checkpoint: (whole) => checkpoint(state, whole === true),
    forget(id) {
      const match = state.matches.get(id);
      const contest = state.contests.get(id);
      const space = match ?? (contest?.kind === 'scores' ? contest : undefined);
      if (space === undefined) throw new Error(`no match or scores contest ${id} to forget`);
      state.journal.forget(space.no);
      forgetSpace(state, space);
    },
  };
}

function checkpoint(state: RankerState, asked: boolean) {
  if (!asked) writeScores(state);
  const whole = asked || state.journal.overflown;
  for (const space of state.spaces) if (space !== null && 'kind' in space) space.unsaved.clear();
  const changes = state.journal.take();
  return { segment: whole ? wholeSegment(state) : changes, head: encodeHead(state), whole };
}

/** A score set many times since the last checkpoint is written once. */
function writeScores(state: RankerState): void {
  for (const space of state.spaces) {
    if (space === null || !('kind' in space)) continue;
    for (const entry of space.unsaved) {
      const stamp = space.table.stamps.get(space.scoreStamps.get(entry));
      state.journal.score(space.no, entry, space.scores.get(entry), stamp);
    }
  }
}

function contestInfo(contest: Contest): ContestInfo {
  return {
    contest: contest.id,
    kind: contest.kind,
    match: contest.kind === 'fantasy' ? contest.match.id : null,
    epoch: contest.epoch,
    total: contest.members.live,
    scoreStep: scoreStepOf(contest),
    final: isFinal(contest),
    large: hasFrames(contest),
  };
}

function matchInfo(match: MatchState): MatchInfo {
  return {
    match: match.id,
    epoch: match.epoch,
    startsAt: match.startsAt,
    pointStep: match.pointStep,
    final: match.final !== null,
    contests: match.contests.map((contest) => contest.id),
  };
}
