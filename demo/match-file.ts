/**
 * Ball-by-ball files of T20 matches (Cricsheet's JSON format, version 1.x: cricsheet.org/format/json), read
 * and checked whole before anything is replayed. What the file says of weather, umpires and reviews is
 * ignored.
 */

/** Larger than any T20 file by a factor of ten. */
export const matchFileBytesMax = 2_000_000;
/** Wides and no-balls make an over longer; nobody has bowled this many. */
const deliveriesPerOverMax = 40;
/** Two innings, and super overs until one side wins. */
const inningsMax = 20;
/** Eleven, and substitutes that a league lists. */
const playersPerTeamMax = 30;

export interface MatchPlayer {
  /** The registry's id: 8 hex digits. */
  id: string;
  /** As the file writes it, for show. */
  name: string;
  team: string;
}
type WicketKind = (typeof wicketKinds)[number];
export interface Wicket {
  kind: WicketKind;
  /** Player id. */
  out: string;
  /** In the file's order; player null: a substitute who is not listed. */
  fielders: { player: string | null; substitute: boolean }[];
}
export interface Delivery {
  /**
   * `innings.over.ball`: innings from 1, over from 0, ball from 1 and counting wides and no-balls. Unique.
   */
  label: string;
  innings: number;
  over: number;
  ball: number;
  superOver: boolean;
  /** Player ids. */
  batter: string;
  nonStriker: string;
  bowler: string;
  runs: { batter: number; total: number; nonBoundary: boolean };
  extras: { wides: number; noballs: number; byes: number; legbyes: number; penalty: number };
  wickets: Wicket[];
}
export interface MatchFile {
  teams: string[];
  /** `YYYY-MM-DD` of the first day, for show. */
  date: string;
  /** In the order of the file. */
  players: MatchPlayer[];
  deliveries: Delivery[];
}

/** The file is not one that can be replayed; the sentence names what is wrong and where. */
export class MatchFileError extends Error {
  constructor(where: string, what: string) {
    super(where === '' ? what : `${where}: ${what}`);
    this.name = 'MatchFileError';
  }
}

const wicketKinds = [
  'bowled',
  'caught',
  'caught and bowled',
  'lbw',
  'stumped',
  'hit wicket',
  'run out',
  'retired hurt',
  'retired not out',
  'retired out',
  'obstructing the field',
  'hit the ball twice',
  'handled the ball',
  'timed out',
] as const;
const extraKinds = ['wides', 'noballs', 'byes', 'legbyes', 'penalty'] as const;
const matchTypes = ['T20', 'IT20'];

type Json = Record<string, unknown>;
interface Roster {
  byName: Map<string, MatchPlayer>;
}

/** Reads a file's text. Throws `MatchFileError`. */
export function parseMatchFile(text: string): MatchFile {
  if (text.length > matchFileBytesMax) {
    throw new MatchFileError('', `the file is longer than ${matchFileBytesMax} bytes; no T20 match is`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new MatchFileError('', `the file is not JSON (${(cause as Error).message})`);
  }
  const root = object(json, 'the file');
  const info = object(root['info'], 'info');
  checkFormat(info);
  const players = readPlayers(info);
  const roster: Roster = { byName: new Map(players.map((player) => [player.name, player])) };
  const deliveries: Delivery[] = [];
  const innings = array(root['innings'], 'innings');
  if (innings.length === 0) throw new MatchFileError('innings', 'there is none');
  if (innings.length > inningsMax) throw new MatchFileError('innings', `more than ${inningsMax}`);
  for (const [index, one] of innings.entries()) readInnings(one, index + 1, roster, deliveries);
  if (deliveries.length === 0) throw new MatchFileError('innings', 'no ball was bowled');
  const dates = Array.isArray(info['dates']) ? info['dates'] : [];
  return {
    teams: [...new Set(players.map((player) => player.team))],
    date: String(dates[0] ?? ''),
    players,
    deliveries,
  };
}

function checkFormat(info: Json): void {
  const type = info['match_type'];
  if (typeof type !== 'string' || !matchTypes.includes(type)) {
    throw new MatchFileError('info.match_type', `${show(type)} is not one of ${matchTypes.join(', ')}`);
  }
  const balls = info['balls_per_over'] ?? 6;
  if (balls !== 6) throw new MatchFileError('info.balls_per_over', `${show(balls)} is not 6`);
}

function readPlayers(info: Json): MatchPlayer[] {
  const lists = object(info['players'], 'info.players');
  const people = object(object(info['registry'], 'info.registry')['people'], 'info.registry.people');
  const teams = Object.keys(lists);
  if (teams.length !== 2) throw new MatchFileError('info.players', `${teams.length} teams; a match has 2`);
  const players: MatchPlayer[] = [];
  const names = new Set<string>();
  const ids = new Map<string, string>();
  for (const team of teams) {
    const where = `info.players.${team}`;
    const list = array(lists[team], where);
    if (list.length < 11 || list.length > playersPerTeamMax) {
      throw new MatchFileError(where, `${list.length} players; a team lists 11 to ${playersPerTeamMax}`);
    }
    for (const name of list) {
      if (typeof name !== 'string' || name === '')
        throw new MatchFileError(where, `${show(name)} is no name`);
      if (names.has(name)) throw new MatchFileError(where, `${show(name)} is listed twice`);
      names.add(name);
      const id = people[name];
      if (typeof id !== 'string' || !/^[0-9a-f]{8}$/.test(id)) {
        throw new MatchFileError('info.registry.people', `${show(name)} has no id of 8 hex digits`);
      }
      if (ids.has(id)) {
        throw new MatchFileError(
          'info.registry.people',
          `${show(name)} and ${show(ids.get(id))} share the id ${id}`,
        );
      }
      ids.set(id, name);
      players.push({ id, name, team });
    }
  }
  return players;
}

function readInnings(value: unknown, number: number, roster: Roster, into: Delivery[]): void {
  const where = `innings ${number}`;
  const innings = object(value, where);
  const team = innings['team'];
  if (![...roster.byName.values()].some((player) => player.team === team)) {
    throw new MatchFileError(where, `team ${show(team)} is not one of info.players`);
  }
  if (innings['forfeited'] === true) return;
  const superOver = innings['super_over'] ?? false;
  if (typeof superOver !== 'boolean') throw new MatchFileError(where, 'super_over is not true or false');
  let before = -1;
  for (const one of array(innings['overs'], `${where}, overs`)) {
    const over = object(one, `${where}, the over after over ${before}`);
    const no = over['over'];
    if (typeof no !== 'number' || no !== before + 1) {
      throw new MatchFileError(where, `over ${show(no)} stands where over ${before + 1} should`);
    }
    before = no;
    readOver(over, { innings: number, over: no, team: team as string, superOver }, roster, into);
  }
}

interface OverPlace {
  innings: number;
  over: number;
  team: string;
  superOver: boolean;
}

function readOver(over: Json, place: OverPlace, roster: Roster, into: Delivery[]): void {
  const where = `innings ${place.innings}, over ${place.over}`;
  const deliveries = array(over['deliveries'], `${where}, deliveries`);
  if (deliveries.length === 0 || deliveries.length > deliveriesPerOverMax) {
    throw new MatchFileError(
      where,
      `${deliveries.length} deliveries; an over has 1 to ${deliveriesPerOverMax}`,
    );
  }
  for (const [index, one] of deliveries.entries()) {
    into.push(readDelivery(one, place, index + 1, roster));
  }
}

function readDelivery(value: unknown, place: OverPlace, ball: number, roster: Roster): Delivery {
  const where = `innings ${place.innings}, over ${place.over}, delivery ${ball}`;
  const delivery = object(value, where);
  const batter = person(delivery['batter'], `${where}, batter`, roster);
  const nonStriker = person(delivery['non_striker'], `${where}, non_striker`, roster);
  const bowler = person(delivery['bowler'], `${where}, bowler`, roster);
  if (batter.team !== place.team)
    throw new MatchFileError(`${where}, batter`, `${batter.name} is not batting`);
  if (nonStriker.team !== place.team || nonStriker === batter) {
    throw new MatchFileError(`${where}, non_striker`, `${nonStriker.name} cannot be at the other end`);
  }
  if (bowler.team === place.team) throw new MatchFileError(`${where}, bowler`, `${bowler.name} is batting`);
  return {
    label: `${place.innings}.${place.over}.${ball}`,
    innings: place.innings,
    over: place.over,
    ball,
    superOver: place.superOver,
    batter: batter.id,
    nonStriker: nonStriker.id,
    bowler: bowler.id,
    ...readRuns(delivery, where),
    wickets: readWickets(delivery['wickets'], where, place.team, roster),
  };
}

function readRuns(delivery: Json, where: string): Pick<Delivery, 'runs' | 'extras'> {
  const runs = object(delivery['runs'], `${where}, runs`);
  const batter = count(runs['batter'], `${where}, runs.batter`);
  const extra = count(runs['extras'], `${where}, runs.extras`);
  const total = count(runs['total'], `${where}, runs.total`);
  if (batter + extra !== total) {
    throw new MatchFileError(
      `${where}, runs`,
      `batter ${batter} and extras ${extra} are not the total ${total}`,
    );
  }
  const nonBoundary = runs['non_boundary'] ?? false;
  if (typeof nonBoundary !== 'boolean') {
    throw new MatchFileError(`${where}, runs.non_boundary`, `${show(nonBoundary)} is not true or false`);
  }
  const extras = { wides: 0, noballs: 0, byes: 0, legbyes: 0, penalty: 0 };
  const given = delivery['extras'] === undefined ? {} : object(delivery['extras'], `${where}, extras`);
  let sum = 0;
  for (const [kind, value] of Object.entries(given)) {
    if (!isOneOf(kind, extraKinds))
      throw new MatchFileError(`${where}, extras`, `${show(kind)} is no kind of extra`);
    extras[kind] = count(value, `${where}, extras.${kind}`);
    sum += extras[kind];
  }
  if (sum !== extra) {
    throw new MatchFileError(`${where}, extras`, `they sum up to ${sum}, not to runs.extras ${extra}`);
  }
  return { runs: { batter, total, nonBoundary }, extras };
}

function readWickets(value: unknown, where: string, batting: string, roster: Roster): Wicket[] {
  if (value === undefined) return [];
  return array(value, `${where}, wickets`).map((one, index) => {
    const here = `${where}, wicket ${index + 1}`;
    const wicket = object(one, here);
    const kind = wicket['kind'];
    if (!isOneOf(kind, wicketKinds)) throw new MatchFileError(here, `${show(kind)} is no kind of dismissal`);
    const out = person(wicket['player_out'], `${here}, player_out`, roster);
    if (out.team !== batting) throw new MatchFileError(`${here}, player_out`, `${out.name} is not batting`);
    const fielders = readFielders(wicket['fielders'], here, batting, roster);
    if ((kind === 'caught' || kind === 'stumped') && fielders.length !== 1) {
      throw new MatchFileError(here, `${kind} names ${fielders.length} fielders; it takes one`);
    }
    return { kind, out: out.id, fielders };
  });
}

function readFielders(value: unknown, where: string, batting: string, roster: Roster): Wicket['fielders'] {
  if (value === undefined) return [];
  return array(value, `${where}, fielders`).map((one, index) => {
    const here = `${where}, fielder ${index + 1}`;
    const fielder = object(one, here);
    const substitute = fielder['substitute'] ?? false;
    if (typeof substitute !== 'boolean') throw new MatchFileError(here, 'substitute is not true or false');
    if (substitute) return { player: null, substitute };
    const player = person(fielder['name'], here, roster);
    if (player.team === batting) throw new MatchFileError(here, `${player.name} is batting`);
    return { player: player.id, substitute };
  });
}

function person(value: unknown, where: string, roster: Roster): MatchPlayer {
  const player = typeof value === 'string' ? roster.byName.get(value) : undefined;
  if (player === undefined) throw new MatchFileError(where, `${show(value)} is not a player of info.players`);
  return player;
}

function object(value: unknown, where: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MatchFileError(
      where,
      value === undefined ? 'it is missing' : `${show(value)} is not an object`,
    );
  }
  return value as Json;
}

function array(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) {
    throw new MatchFileError(where, value === undefined ? 'it is missing' : `${show(value)} is not a list`);
  }
  return value;
}

/** Runs of one delivery: a small whole number. */
function count(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 20) {
    throw new MatchFileError(where, `${show(value)} is not a whole number from 0 to 20`);
  }
  return value;
}

function isOneOf<T extends string>(value: unknown, list: readonly T[]): value is T {
  return list.some((one) => one === value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
