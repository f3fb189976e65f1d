/**
 * What everyone's points and ranks must be, recomputed from nothing for every question: the match file is
 * scanned from its first delivery, all entries are added up and sorted. Slow and plain on purpose, and
 * written apart from the scorer and the ranker: it shares no line with them, only the match file. The numbers
 * of the points table are written out here by hand for the same reason.
 */
export interface RawDelivery {
  batter: string;
  bowler: string;
  non_striker: string;
  runs: { batter: number; extras: number; total: number; non_boundary?: boolean };
  extras?: { wides?: number; noballs?: number; byes?: number; legbyes?: number; penalty?: number };
  wickets?: { kind: string; player_out: string; fielders?: { name?: string; substitute?: boolean }[] }[];
}
export interface RawMatch {
  info: { players: Record<string, string[]>; registry: { people: Record<string, string> } };
  innings: { team: string; super_over?: boolean; overs: { over: number; deliveries: RawDelivery[] }[] }[];
}
/** A delivery and where it stands. */
export interface Ball extends RawDelivery {
  label: string;
  overKey: string;
  superOver: boolean;
}
export interface ModelTeam {
  entry: string;
  user: string;
  players: readonly string[];
  captain: string;
  viceCaptain: string;
}
export interface ModelRow {
  rank: number;
  entry: string;
  user: string;
  /** In half steps of 1 point: twice the points of a team. */
  score: number;
}

/** All deliveries of the file in order, super overs too. */
export function ballsOf(match: RawMatch): Ball[] {
  return match.innings.flatMap((innings, i) =>
    innings.overs.flatMap((over) =>
      over.deliveries.map((delivery, d) => ({
        ...delivery,
        label: `${i + 1}.${over.over}.${d + 1}`,
        overKey: `${i + 1}.${over.over}`,
        superOver: innings.super_over === true,
      })),
    ),
  );
}

/** Points of every listed player by id, after deliveries 0 to k (k = -1: before the first). */
export function pointsAfter(match: RawMatch, balls: readonly Ball[], k: number): Map<string, number> {
  const bowled = balls.slice(0, k + 1).filter((ball) => !ball.superOver);
  const points = new Map<string, number>();
  for (const name of Object.values(match.info.players).flat()) {
    const id = match.info.registry.people[name];
    if (id === undefined) throw new Error(`no id for ${name}`);
    points.set(id, 4 + batting(bowled, name) + bowling(bowled, name) + fielding(bowled, name));
  }
  return points;
}

/** Runs, balls faced, boundaries, and whether he is out. */
export function battingFigures(balls: readonly Ball[], name: string) {
  const own = balls.filter((ball) => ball.batter === name);
  const boundaries = own.filter((ball) => ball.runs.non_boundary !== true);
  return {
    runs: sum(own.map((ball) => ball.runs.batter)),
    faced: own.filter((ball) => !ball.extras?.wides).length,
    fours: boundaries.filter((ball) => ball.runs.batter === 4).length,
    sixes: boundaries.filter((ball) => ball.runs.batter === 6).length,
    out: wickets(balls).some(
      (wicket) => wicket.player_out === name && !['retired hurt', 'retired not out'].includes(wicket.kind),
    ),
  };
}

function batting(balls: readonly Ball[], name: string): number {
  const { runs, faced, fours, sixes, out } = battingFigures(balls, name);
  let points = runs + fours + 2 * sixes;
  if (runs >= 100) points += 16;
  else if (runs >= 50) points += 8;
  else if (runs >= 30) points += 4;
  if (out && runs === 0) points -= 2;
  if (faced < 10) return points;
  const rate = (100 * runs) / faced;
  if (rate > 170) return points + 6;
  if (rate > 150) return points + 4;
  if (rate >= 130) return points + 2;
  if (rate > 70) return points;
  if (rate >= 60) return points - 2;
  if (rate >= 50) return points - 4;
  return points - 6;
}

/** Legal balls, runs conceded, wickets (all, and bowled or lbw), maidens. */
export function bowlingFigures(balls: readonly Ball[], name: string) {
  const own = balls.filter((ball) => ball.bowler === name);
  const kinds = wickets(own).map((wicket) => wicket.kind);
  const his = ['bowled', 'caught', 'caught and bowled', 'lbw', 'stumped', 'hit wicket'];
  let maidens = 0;
  for (const overKey of new Set(own.map((ball) => ball.overKey))) {
    const over = balls.filter((ball) => ball.overKey === overKey);
    const sixth = over.filter(legal)[5];
    if (sixth === undefined) continue;
    const tillSixth = over.slice(0, over.indexOf(sixth) + 1);
    if (tillSixth.every((ball) => ball.bowler === name && conceded(ball) === 0)) maidens += 1;
  }
  return {
    legalBalls: own.filter(legal).length,
    conceded: sum(own.map(conceded)),
    wickets: kinds.filter((kind) => his.includes(kind)).length,
    bowledOrLbw: kinds.filter((kind) => kind === 'bowled' || kind === 'lbw').length,
    maidens,
  };
}

function bowling(balls: readonly Ball[], name: string): number {
  const figures = bowlingFigures(balls, name);
  let points = 25 * figures.wickets + 8 * figures.bowledOrLbw + 12 * figures.maidens;
  if (figures.wickets >= 5) points += 16;
  else if (figures.wickets === 4) points += 8;
  else if (figures.wickets === 3) points += 4;
  if (figures.legalBalls < 12) return points;
  const economy = (6 * figures.conceded) / figures.legalBalls;
  if (economy < 5) return points + 6;
  if (economy < 6) return points + 4;
  if (economy <= 7) return points + 2;
  if (economy < 10) return points;
  if (economy <= 11) return points - 2;
  if (economy <= 12) return points - 4;
  return points - 6;
}

function fielding(balls: readonly Ball[], name: string): number {
  let catches = 0;
  let points = 0;
  for (const ball of balls) {
    for (const wicket of ball.wickets ?? []) {
      const fielders = wicket.fielders ?? [];
      const named = fielders.map((fielder) => (fielder.substitute === true ? null : fielder.name));
      if (wicket.kind === 'caught' && named[0] === name) catches += 1;
      if (wicket.kind === 'caught and bowled' && ball.bowler === name) catches += 1;
      if (wicket.kind === 'stumped' && named[0] === name) points += 12;
      if (wicket.kind !== 'run out') continue;
      if (named.length === 1 && named[0] === name) points += 12;
      if (named.length > 1 && named.at(-1) === name) points += 6;
      if (named.length > 1 && named.at(-2) === name) points += 6;
    }
  }
  return points + 8 * catches + (catches >= 3 ? 4 : 0);
}

/** Twice a team's points: the captain's count double, the vice-captain's one and a half times. */
function scoreOf(team: ModelTeam, points: ReadonlyMap<string, number>): number {
  let score = 0;
  for (const player of team.players) {
    const its = points.get(player);
    if (its === undefined) throw new Error(`no points for ${player}`);
    score += 2 * its;
    if (player === team.captain) score += 2 * its;
    if (player === team.viceCaptain) score += its;
  }
  return score;
}

/**
 * The leaderboard of `teams`, given in the order of their first appearance: 1-2-2-4, equals in that order.
 */
export function leaderboard(teams: readonly ModelTeam[], points: ReadonlyMap<string, number>): ModelRow[] {
  const rows = teams.map((team, place) => ({ team, place, score: scoreOf(team, points) }));
  rows.sort((a, b) => b.score - a.score || a.place - b.place);
  const listed: ModelRow[] = [];
  for (const { team, score } of rows) {
    const above = listed.at(-1);
    const rank = above !== undefined && above.score === score ? above.rank : listed.length + 1;
    listed.push({ rank, entry: team.entry, user: team.user, score });
  }
  return listed;
}

function legal(ball: RawDelivery): boolean {
  return !ball.extras?.wides && !ball.extras?.noballs;
}

function conceded(ball: RawDelivery): number {
  const { byes = 0, legbyes = 0, penalty = 0 } = ball.extras ?? {};
  return ball.runs.total - byes - legbyes - penalty;
}

function wickets(balls: readonly RawDelivery[]) {
  return balls.flatMap((ball) => ball.wickets ?? []);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
