/** All teams of the demo's contest, and what the plain model says of them after a ball. */
import { readBundledMatch, readFollows } from '../../demo/bundled.ts';
import { usersByFollowers } from '../../demo/fans.ts';
import { seededTeams, type Team } from '../../demo/teams.ts';
import {
  type Ball,
  ballsOf,
  leaderboard,
  type ModelTeam,
  pointsAfter,
  type RawMatch,
} from '../model/brute-force.ts';
import { readTestFile } from '../model/test-files.ts';

interface Standing {
  entry: string;
  score: number;
  rank: number;
}
export interface Field {
  /** Score and rank of each of `own` among all, these included. */
  standing(label: string, own: readonly ModelTeam[]): Standing[];
  /** The same after ball k, from 0. */
  standingAfter(k: number, own: readonly ModelTeam[]): Standing[];
}

/** As the demo seeds them: so many teams. */
export function createField(count: number): Field {
  const raw = JSON.parse(readTestFile('matches/ipl-2019-final-1181768.json')) as RawMatch;
  const balls: Ball[] = ballsOf(raw);
  const players = readBundledMatch('final-2019').players.map(({ id }) => id);
  const users = usersByFollowers(readFollows());
  const teams: Team[] = seededTeams({ seed: 2019, count, players, userOf: (n) => users[n] ?? `u${n + 1}` });
  const standingAfter: Field['standingAfter'] = (k, own) => {
    const rows = leaderboard([...teams, ...own], pointsAfter(raw, balls, k));
    const wanted = new Set(own.map(({ entry }) => entry));
    return rows
      .filter(({ entry }) => wanted.has(entry))
      .map(({ entry, score, rank }) => ({ entry, score, rank }));
  };
  return {
    standingAfter,
    standing: (label, own) => {
      const k = balls.findIndex((ball) => ball.label === label);
      if (k < 0) throw new Error(`the match has no ball ${label}`);
      return standingAfter(k, own);
    },
  };
}
