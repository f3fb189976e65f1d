import type { EntryItem } from '../../proto/records.ts';
import type { Ranking } from '../../workers/ranker/ranking.ts';
import { Random } from '../model/random.ts';

/**
 * Seeded teams of a match as people pick them: some players in most teams, some in few; the popular ones
 * captain.
 */

export interface TeamMaker {
  readonly players: readonly string[];
  /** Share of the teams made so far that hold each player. */
  shares(): number[];
  /** Indexes of eleven players, the captain first, the vice-captain second. */
  next(): number[];
}

export function createTeamMaker(playerCount: number, seed: number): TeamMaker {
  const random = new Random(seed);
  const players = Array.from({ length: playerCount }, (_, i) => `player-${String(i).padStart(2, '0')}`);
  // Drawing eleven by weight: each player's key is a random number to the power of 1 / weight, the greatest
  // win.
  const powers = players.map((_, i) => 1 / (1.25 - i / playerCount / 2));
  const held = new Float64Array(playerCount);
  let made = 0;
  const keys = new Float64Array(playerCount);
  return {
    players,
    shares: () => [...held].map((count) => count / made),
    next() {
      for (let i = 0; i < playerCount; i += 1) keys[i] = random.next() ** powers[i]!;
      const bound = Float64Array.from(keys).sort()[playerCount - 11]!;
      const team: number[] = [];
      for (let i = 0; i < playerCount && team.length < 11; i += 1) if (keys[i]! >= bound) team.push(i);
      for (const player of team) held[player]! += 1;
      made += 1;
      // Players are by popularity: the square of a random number prefers the first.
      swap(team, 0, Math.floor(random.next() ** 2 * 11));
      swap(team, 1, 1 + Math.floor(random.next() ** 2 * 10));
      return team;
    },
  };
}

function swap(team: number[], a: number, b: number): void {
  const held = team[a]!;
  team[a] = team[b]!;
  team[b] = held;
}

/** An id of twelve bytes, in no order. */
export function id12(prefix: string, number: number): string {
  return prefix + ((number * 7_919_999) % 99_999_999_977).toString().padStart(11, '0');
}

/** Makes match `m` with contest `c` and fills it; answers the next offset. `contestsOf`: of each team. */
export function fillMatch(
  ranking: Ranking,
  maker: TeamMaker,
  count: number,
  contests: readonly string[] = ['c'],
  contestsOf: (team: number) => string[] = () => ['c'],
  afterRecord: (made: number) => void = () => {},
): number {
  let offset = 0;
  const players = [...maker.players];
  ranking.apply(offset, {
    type: 'match',
    id: 'match',
    at: 1,
    match: 'm',
    players,
    startsAt: 1_000,
    pointStep: 0.5,
  });
  for (const contest of contests) {
    offset += 1;
    ranking.apply(offset, { type: 'contest', id: 'contest', at: 2, contest, kind: 'fantasy', match: 'm' });
  }
  for (let made = 0; made < count; ) {
    const entries: EntryItem[] = [];
    for (; entries.length < 1_000 && made < count; made += 1) {
      const names = maker.next().map((player) => players[player]!);
      entries.push({
        entry: id12('e', made),
        user: id12('u', made),
        contests: contestsOf(made),
        players: names,
        captain: names[0]!,
        viceCaptain: names[1]!,
      });
    }
    offset += 1;
    const refused = ranking.apply(offset, { type: 'entries', id: `r${offset}`, at: 3, match: 'm', entries });
    if (refused.length > 0) throw new Error(refused[0]!.message);
    afterRecord(made);
  }
  return offset + 1;
}
