import { parseMatchFile } from '../../demo/match-file.ts';
import { createRandom } from '../../demo/random.ts';
import { createReplay, type Replay } from '../../demo/replay.ts';
import { parseScoringTable } from '../../demo/scoring.ts';
import { seededTeams, type Team } from '../../demo/teams.ts';
import type { ContestEvent } from '../../proto/records.ts';
import {
  type Ball,
  ballsOf,
  leaderboard,
  type ModelRow,
  pointsAfter,
  type RawMatch,
} from '../model/brute-force.ts';
import { readTestFile } from '../model/test-files.ts';

export const matchFiles = {
  'final-2019': 'matches/ipl-2019-final-1181768.json',
  'final-2021': 'matches/ipl-2021-final-1254117.json',
} as const;

/** Items in one `entries` record at most. */
const entriesPerRecord = 1_000;
/** Begin before the first ball, so that every team is in before the match starts. */
const seedLeadMs = 60_000;

/**
 * A match, its teams and contests: what is sent in, and what everyone must see, recomputed from the match
 * file.
 */
export interface World {
  match: string;
  big: string;
  small: string[];
  replay: Replay;
  teams: Team[];
  /** Teams of each contest in order of first appearance. */
  contests: Map<string, Team[]>;
  /** Teams by user. */
  byUser: Map<string, Team[]>;
  /**
   * The match, the contests and the teams; `startsAt` is in the future of these and in the past of the
   * deliveries.
   */
  seedRecords(now: number): ContestEvent[];
  /** Points of all players after delivery k; -1: before the first. Straight from the match file. */
  pointsAfter(k: number): Map<string, number>;
  /** Whole board of a contest, sorted from nothing. */
  board(contest: string, points: ReadonlyMap<string, number>): ModelRow[];
}

export interface WorldOptions {
  file: keyof typeof matchFiles;
  /** Part of every id, so that several worlds fit one gateway. */
  name: string;
  seed: number;
  teams: number;
  smallContests: number;
}

export function createWorld(options: WorldOptions): World {
  const text = readTestFile(matchFiles[options.file]);
  const raw = JSON.parse(text) as RawMatch;
  const balls: Ball[] = ballsOf(raw);
  const match = `m-${options.name}`;
  const table = parseScoringTable(readTestFile('scoring-t20.json'));
  const replay = createReplay(parseMatchFile(text), table, match);
  const teams = seededTeams({ seed: options.seed, count: options.teams, players: replay.players });
  const big = `big-${options.name}`;
  const small = Array.from({ length: options.smallContests }, (_, n) => `s${n}-${options.name}`);
  const contests = chooseContests(teams, big, small, options.seed);
  const byUser = new Map<string, Team[]>();
  for (const team of teams) byUser.set(team.user, [...(byUser.get(team.user) ?? []), team]);
  return {
    match,
    big,
    small,
    replay,
    teams,
    contests,
    byUser,
    seedRecords: (now) => seedRecords(now, match, replay, teams, contests),
    pointsAfter: (k) => pointsAfter(raw, balls, k),
    board: (contest, points) => leaderboard(contests.get(contest) ?? [], points),
  };
}

/**
 * All teams in the big contest. Small ones of two to a few hundred; the first holds exactly 1,000, the most
 * that a small contest has, and the second 1,001, which makes it a large one.
 */
function chooseContests(teams: Team[], big: string, small: string[], seed: number): Map<string, Team[]> {
  const random = createRandom(seed + 1);
  const contests = new Map<string, Team[]>([[big, teams]]);
  small.forEach((contest, n) => {
    const size = Math.min(
      teams.length,
      n === 0 ? 1_000 : n === 1 ? 1_001 : 2 + Math.floor(random() ** 3 * 400),
    );
    const chosen = new Set<number>();
    while (chosen.size < size) chosen.add(Math.floor(random() * teams.length));
    const inOrder = [...chosen].sort((a, b) => a - b);
    contests.set(
      contest,
      inOrder.flatMap((index) => teams[index] ?? []),
    );
  });
  return contests;
}

function seedRecords(
  now: number,
  match: string,
  replay: Replay,
  teams: Team[],
  contests: ReadonlyMap<string, Team[]>,
): ContestEvent[] {
  const at = now - seedLeadMs;
  const records: ContestEvent[] = [replay.matchRecord(at, at + seedLeadMs / 2)];
  const entered = new Map<Team, string[]>();
  for (const [contest, members] of contests) {
    records.push({
      type: 'contest',
      id: `c-${contest}`.slice(0, 36),
      at,
      contest,
      kind: 'fantasy',
      match,
      prizes: 10,
    });
    for (const team of members) entered.set(team, [...(entered.get(team) ?? []), contest]);
  }
  for (let from = 0; from < teams.length; from += entriesPerRecord) {
    records.push({
      type: 'entries',
      id: `entries-${from}`,
      at,
      match,
      entries: teams.slice(from, from + entriesPerRecord).map((team) => ({
        entry: team.entry,
        user: team.user,
        contests: entered.get(team) ?? [],
        players: team.players,
        captain: team.captain,
        viceCaptain: team.viceCaptain,
      })),
    });
  }
  return [...records, ...replay.opening(at + seedLeadMs / 2)];
}
