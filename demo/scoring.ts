/**
 * Fantasy points of a T20 match, delivery by delivery: a table of points (`data/scoring-t20.json`) and the
 * exact reading of it that the table's notes state.
 *
 * A player's points are a function of a dozen tallies; a delivery changes the tallies of the few players it
 * names, and only theirs are computed anew. Points may go down (a strike rate falls, a wicket's band moves).
 *
 * Beyond the notes: a seventh legal ball in a miscounted over takes back no maiden; an over shared by two
 * bowlers is a maiden of neither.
 */
import type { Delivery, MatchPlayer, Wicket } from './match-file.ts';

/** Bounds of a band: `above` and `below` leave the bound out, `from` and `upTo` take it in. */
interface Band {
  above?: number;
  from?: number;
  below?: number;
  upTo?: number;
  points: number;
}
/** [at least so many, points]; only the highest one reached counts. */
type Steps = [number, number][];
export interface ScoringTable {
  startingEleven: number;
  batting: {
    run: number;
    fourBonus: number;
    sixBonus: number;
    milestone: Steps;
    duck: number;
    strikeRate: { minBalls: number; bands: Band[] };
  };
  bowling: {
    wicket: number;
    bowledOrLbwBonus: number;
    haul: Steps;
    maiden: number;
    economy: { minBalls: number; bands: Band[] };
  };
  fielding: {
    catch: number;
    threeCatchBonus: number;
    stumping: number;
    runOutDirect: number;
    runOutShared: number;
  };
}

export interface Scorer {
  /** Takes the next delivery; answers the players whose points it changed, with their new totals. */
  apply(delivery: Delivery): [player: string, points: number][];
  /** The player's total now. */
  pointsOf(player: string): number;
}

interface Tally {
  runs: number;
  faced: number;
  fours: number;
  sixes: number;
  dismissed: boolean;
  legalBalls: number;
  conceded: number;
  wickets: number;
  bowledOrLbw: number;
  maidens: number;
  catches: number;
  stumpings: number;
  runOutsDirect: number;
  runOutsShared: number;
  /** As last told. */
  points: number;
}
interface OverSoFar {
  innings: number;
  over: number;
  /** null: more than one. */
  bowler: string | null;
  legalBalls: number;
  conceded: number;
}

export function createScorer(players: readonly MatchPlayer[], table: ScoringTable): Scorer {
  const tallies = new Map<string, Tally>();
  for (const player of players) tallies.set(player.id, newTally(table.startingEleven));
  const over: OverSoFar = { innings: 0, over: -1, bowler: null, legalBalls: 0, conceded: 0 };

  function tally(player: string): Tally {
    const found = tallies.get(player);
    if (found === undefined) throw new RangeError(`player ${player} is not in the match`);
    return found;
  }
  function apply(delivery: Delivery): [string, number][] {
    if (delivery.superOver) return [];
    const touched = new Set([delivery.batter, delivery.bowler]);
    countBatting(tally(delivery.batter), delivery);
    countBowling(tally(delivery.bowler), delivery, over);
    for (const wicket of delivery.wickets) {
      touched.add(wicket.out);
      countWicket(wicket, delivery.bowler, tally);
      for (const { player } of wicket.fielders) if (player !== null) touched.add(player);
    }
    const changed: [string, number][] = [];
    for (const player of touched) {
      const its = tally(player);
      const points = pointsOfTally(its, table);
      if (points === its.points) continue;
      its.points = points;
      changed.push([player, points]);
    }
    return changed;
  }
  return { apply, pointsOf: (player) => tally(player).points };
}

/** The smaller of the two point steps of which every total of this table is a multiple. */
export function pointStepOf(table: ScoringTable): 1 | 0.5 {
  const numbers: number[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === 'number') numbers.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  collect(table);
  return numbers.every(Number.isInteger) ? 1 : 0.5;
}

/** Reads a points table's text; throws a sentence naming the part that is missing. */
export function parseScoringTable(text: string): ScoringTable {
  const table = JSON.parse(text) as ScoringTable;
  const needed: [string, unknown][] = [
    ['startingEleven', table.startingEleven],
    ['batting.run', table.batting?.run],
    ['batting.fourBonus', table.batting?.fourBonus],
    ['batting.sixBonus', table.batting?.sixBonus],
    ['batting.duck', table.batting?.duck],
    ['batting.strikeRate.minBalls', table.batting?.strikeRate?.minBalls],
    ['bowling.wicket', table.bowling?.wicket],
    ['bowling.bowledOrLbwBonus', table.bowling?.bowledOrLbwBonus],
    ['bowling.maiden', table.bowling?.maiden],
    ['bowling.economy.minBalls', table.bowling?.economy?.minBalls],
    ['fielding.catch', table.fielding?.catch],
    ['fielding.threeCatchBonus', table.fielding?.threeCatchBonus],
    ['fielding.stumping', table.fielding?.stumping],
    ['fielding.runOutDirect', table.fielding?.runOutDirect],
    ['fielding.runOutShared', table.fielding?.runOutShared],
  ];
  for (const [name, value] of needed) {
    if (typeof value !== 'number') throw new TypeError(`points table: ${name} is not a number`);
  }
  const lists: [string, unknown][] = [
    ['batting.milestone', table.batting.milestone],
    ['batting.strikeRate.bands', table.batting.strikeRate.bands],
    ['bowling.haul', table.bowling.haul],
    ['bowling.economy.bands', table.bowling.economy.bands],
  ];
  for (const [name, value] of lists) {
    if (!Array.isArray(value)) throw new TypeError(`points table: ${name} is not a list`);
  }
  return table;
}

function newTally(points: number): Tally {
  return {
    runs: 0,
    faced: 0,
    fours: 0,
    sixes: 0,
    dismissed: false,
    legalBalls: 0,
    conceded: 0,
    wickets: 0,
    bowledOrLbw: 0,
    maidens: 0,
    catches: 0,
    stumpings: 0,
    runOutsDirect: 0,
    runOutsShared: 0,
    points,
  };
}

function countBatting(batter: Tally, { runs, extras }: Delivery): void {
  batter.runs += runs.batter;
  if (extras.wides === 0) batter.faced += 1;
  if (runs.nonBoundary) return;
  if (runs.batter === 4) batter.fours += 1;
  if (runs.batter === 6) batter.sixes += 1;
}

function countBowling(bowler: Tally, delivery: Delivery, over: OverSoFar): void {
  const { runs, extras } = delivery;
  const conceded = runs.total - extras.byes - extras.legbyes - extras.penalty;
  const legal = extras.wides === 0 && extras.noballs === 0;
  if (over.innings !== delivery.innings || over.over !== delivery.over) {
    over.innings = delivery.innings;
    over.over = delivery.over;
    over.bowler = delivery.bowler;
    over.legalBalls = 0;
    over.conceded = 0;
  } else if (over.bowler !== delivery.bowler) {
    over.bowler = null;
  }
  bowler.conceded += conceded;
  over.conceded += conceded;
  if (!legal) return;
  bowler.legalBalls += 1;
  over.legalBalls += 1;
  if (over.legalBalls === 6 && over.conceded === 0 && over.bowler !== null) bowler.maidens += 1;
}

function countWicket(wicket: Wicket, bowler: string, tally: (player: string) => Tally): void {
  const { kind } = wicket;
  if (kind === 'retired hurt' || kind === 'retired not out') return;
  tally(wicket.out).dismissed = true;
  switch (kind) {
    case 'bowled':
    case 'lbw':
      tally(bowler).bowledOrLbw += 1;
      tally(bowler).wickets += 1;
      return;
    case 'caught':
    case 'stumped': {
      tally(bowler).wickets += 1;
      const by = wicket.fielders[0]?.player;
      if (by === null || by === undefined) return;
      if (kind === 'caught') tally(by).catches += 1;
      else tally(by).stumpings += 1;
      return;
    }
    case 'caught and bowled':
      tally(bowler).wickets += 1;
      tally(bowler).catches += 1;
      return;
    case 'hit wicket':
      tally(bowler).wickets += 1;
      return;
    case 'run out':
      countRunOut(wicket, tally);
      return;
    case 'retired out':
    case 'obstructing the field':
    case 'hit the ball twice':
    case 'handled the ball':
    case 'timed out':
      return;
    default:
      kind satisfies never;
  }
}

function countRunOut(wicket: Wicket, tally: (player: string) => Tally): void {
  const shared = wicket.fielders.length > 1;
  for (const { player } of wicket.fielders.slice(-2)) {
    if (player === null) continue;
    if (shared) tally(player).runOutsShared += 1;
    else tally(player).runOutsDirect += 1;
  }
}

function pointsOfTally(its: Tally, { startingEleven, batting, bowling, fielding }: ScoringTable): number {
  let points = startingEleven;
  points += its.runs * batting.run + its.fours * batting.fourBonus + its.sixes * batting.sixBonus;
  points += highestStep(batting.milestone, its.runs);
  if (its.dismissed && its.runs === 0) points += batting.duck;
  if (its.faced >= batting.strikeRate.minBalls) {
    points += bandPoints(batting.strikeRate.bands, its.runs * 100, its.faced);
  }
  points += its.wickets * bowling.wicket + its.bowledOrLbw * bowling.bowledOrLbwBonus;
  points += highestStep(bowling.haul, its.wickets) + its.maidens * bowling.maiden;
  if (its.legalBalls >= bowling.economy.minBalls) {
    points += bandPoints(bowling.economy.bands, its.conceded * 6, its.legalBalls);
  }
  points += its.catches * fielding.catch + its.stumpings * fielding.stumping;
  if (its.catches >= 3) points += fielding.threeCatchBonus;
  points += its.runOutsDirect * fielding.runOutDirect + its.runOutsShared * fielding.runOutShared;
  return points;
}

function highestStep(steps: Steps, value: number): number {
  let reached = -1;
  let points = 0;
  for (const [least, its] of steps) {
    if (value < least || least <= reached) continue;
    reached = least;
    points = its;
  }
  return points;
}

/**
 * Points of the band that holds the rate `over / under`; compared without dividing, so that bounds are exact.
 */
function bandPoints(bands: readonly Band[], over: number, under: number): number {
  for (const band of bands) {
    if (band.above !== undefined && over <= band.above * under) continue;
    if (band.from !== undefined && over < band.from * under) continue;
    if (band.below !== undefined && over >= band.below * under) continue;
    if (band.upTo !== undefined && over > band.upTo * under) continue;
    return band.points;
  }
  return 0;
}
