import type {
  ContestSnapshot,
  MatchSnapshot,
  RanksAnswer,
  SmallEntry,
  TopRow,
  WhoEntry,
} from '../../channels/contest/messages.ts';
import type { Model, ModelContest, ModelEntry, ModelMatch } from './model.ts';

/** What the model's state looks like from outside; epochs are left to the caller. */

export interface ModelRow {
  rank: number;
  entry: string;
  user: string;
  score: number;
  ordinal: number;
}

/** [RK-14] */
export function scoreOf(model: Model, contest: ModelContest, entry: ModelEntry): number {
  if (contest.kind === 'scores') return entry.score;
  const { totals } = model.matches.get(contest.match!)!;
  const team = entry.team!;
  let score = 0;
  for (const player of team.players) {
    const weight = player === team.captain ? 4 : player === team.viceCaptain ? 3 : 2;
    score += weight * totals.get(player)!.steps;
  }
  return score;
}

/** The whole leaderboard. [RK-17], [RK-18] */
export function rowsOf(model: Model, contest: ModelContest): ModelRow[] {
  const rows: ModelRow[] = [];
  contest.appeared.forEach((name, ordinal) => {
    if (!contest.inside.has(name)) return;
    const entry = contest.entries.get(name)!;
    const score = scoreOf(model, contest, entry);
    rows.push({ rank: 0, entry: name, user: entry.user, score, ordinal });
  });
  rows.sort((a, b) => (a.score !== b.score ? b.score - a.score : a.ordinal - b.ordinal));
  for (const [i, row] of rows.entries()) {
    const above = rows[i - 1];
    row.rank = above !== undefined && above.score === row.score ? above.rank : i + 1;
  }
  return rows;
}

/** The captain, the vice-captain, the others by index. */
export function teamOf(match: ModelMatch, entry: ModelEntry): number[] | null {
  const { team } = entry;
  if (team === null) return null;
  const index = (player: string): number => match.players.indexOf(player);
  const others = team.players.filter((player) => player !== team.captain && player !== team.viceCaptain);
  return [index(team.captain), index(team.viceCaptain), ...others.map(index).sort((a, b) => a - b)];
}

export function matchSnapshotOf(model: Model, match: ModelMatch, epoch: string): MatchSnapshot {
  return {
    match: match.id,
    epoch,
    version: model.version,
    at: match.at,
    pointStep: match.pointStep,
    startsAt: match.startsAt,
    final: match.final !== null,
    players: match.players.map((player): [string, number] => [player, match.totals.get(player)!.steps]),
    label: match.label,
  };
}

export function contestSnapshotOf(
  model: Model,
  contest: ModelContest,
  epoch: string,
  matchEpoch: string,
  topRows: number,
): ContestSnapshot {
  const match = contest.match === null ? null : model.matches.get(contest.match)!;
  const rows = rowsOf(model, contest);
  const small = match !== null && !contest.large;
  return {
    contest: contest.id,
    kind: contest.kind,
    match: contest.match,
    epoch,
    version: model.version,
    at: (match ?? contest).at,
    scoreStep: match === null ? 1 : match.pointStep / 2,
    prizes: contest.prizes,
    final: (match ?? contest).final !== null,
    total: rows.length,
    entries: small ? smallEntriesOf(contest, match) : null,
    counts: small ? null : countsOf(rows),
    top: small
      ? []
      : rows.slice(0, topRows).map(({ rank, entry, score, user }): TopRow => [rank, entry, score, user]),
    matchState: match === null ? null : matchSnapshotOf(model, match, matchEpoch),
  };
}

function smallEntriesOf(contest: ModelContest, match: ModelMatch): SmallEntry[] {
  const entries: SmallEntry[] = [];
  contest.appeared.forEach((name, ordinal) => {
    if (!contest.inside.has(name)) return;
    const entry = contest.entries.get(name)!;
    entries.push([ordinal, name, entry.user, teamOf(match, entry)]);
  });
  return entries;
}

function countsOf(rows: ModelRow[]): { scores: number[]; counts: number[] } {
  const counts = new Map<number, number>();
  for (const { score } of rows) counts.set(score, (counts.get(score) ?? 0) + 1);
  const scores = [...counts.keys()].sort((a, b) => a - b);
  return { scores, counts: scores.map((score) => counts.get(score)!) };
}

export function whoOf(model: Model, contest: ModelContest, user: string): WhoEntry[] {
  const found: WhoEntry[] = [];
  for (const name of contest.appeared) {
    const entry = contest.entries.get(name)!;
    if (!contest.inside.has(name) || entry.user !== user) continue;
    const team = contest.match === null ? null : teamOf(model.matches.get(contest.match)!, entry);
    found.push([name, team, scoreOf(model, contest, entry)]);
  }
  return found;
}

export function ranksOf(rows: ModelRow[], entries: readonly string[]): RanksAnswer['ranks'] {
  return entries.map((name) => {
    const row = rows.find(({ entry }) => entry === name);
    return row === undefined ? null : [row.score, row.rank];
  });
}
