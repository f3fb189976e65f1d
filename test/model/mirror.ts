import type {
  ContestFrame,
  ContestSnapshot,
  Counts,
  MatchFrame,
  MatchSnapshot,
  SmallEntry,
} from '../../channels/contest/messages.ts';

/**
 * What whoever holds a snapshot makes of a frame, as messages.ts says it; written apart from the edge's
 * mirror. Takes nothing over in place. A frame that does not fit the version is an error.
 */

function checkFits(version: number, frame: { base: number; version: number }): void {
  if (version < frame.base || version >= frame.version) {
    throw new Error(`a frame of (${frame.base}, ${frame.version}] for a state at ${version}`);
  }
}

function players(
  held: [string, number][],
  frame: { players: [number, number][]; roster: string[] | null },
): [string, number][] {
  const now: [string, number][] = held.map(([player, steps]) => [player, steps]);
  if (frame.roster !== null) for (const player of frame.roster.slice(now.length)) now.push([player, 0]);
  for (const [index, steps] of frame.players) now[index]![1] = steps;
  return now;
}

export function mirrorMatch(held: MatchSnapshot, frame: MatchFrame): MatchSnapshot {
  checkFits(held.version, frame);
  return {
    ...held,
    version: frame.version,
    at: frame.at,
    startsAt: frame.startsAt,
    final: frame.final,
    label: frame.label,
    players: players(held.players, frame),
  };
}

/** A small contest after its match's frame; null: it must be asked for again. */
export function mirrorSmall(held: ContestSnapshot, frame: MatchFrame): ContestSnapshot | null {
  const matchState = mirrorMatch(held.matchState!, frame);
  const changed = frame.contests.find(({ contest }) => contest === held.contest);
  const state = { ...held, version: frame.version, at: frame.at, matchState };
  if (changed === undefined) return state;
  if (changed.entries === null) return null;
  const entries = new Map<number, SmallEntry>(held.entries!.map((entry) => [entry[0], entry]));
  for (const entry of changed.entries) {
    if (entry[3] === null) entries.delete(entry[0]);
    else entries.set(entry[0], entry);
  }
  return {
    ...state,
    total: changed.total,
    prizes: changed.prizes,
    final: changed.final,
    entries: [...entries.values()].sort((a, b) => a[0] - b[0]),
  };
}

/**
 * A contest with frames of its own. The match's `label` and `startsAt` are no part of its frames: `match`
 * says how the match stands at the frame's version.
 */
export function mirrorContest(
  held: ContestSnapshot,
  frame: ContestFrame,
  match: MatchSnapshot | null,
): ContestSnapshot {
  checkFits(held.version, frame);
  const matchState =
    held.matchState === null || match === null
      ? null
      : { ...match, players: players(held.matchState.players, frame) };
  return {
    ...held,
    version: frame.version,
    at: frame.at,
    total: frame.total,
    prizes: frame.prizes,
    final: frame.final,
    counts: counts(frame.whole ? { scores: [], counts: [] } : held.counts!, frame.counts),
    top: frame.top,
    matchState,
  };
}

function counts(held: Counts, changed: Counts): Counts {
  const now = new Map<number, number>();
  held.scores.forEach((score, i) => {
    now.set(score, held.counts[i]!);
  });
  changed.scores.forEach((score, i) => {
    now.set(score, changed.counts[i]!);
  });
  const scores = [...now.keys()].filter((score) => now.get(score) !== 0).sort((a, b) => a - b);
  return { scores, counts: scores.map((score) => now.get(score)!) };
}
