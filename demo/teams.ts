/**
 * Seeded teams: eleven of the players listed, some players far more often than others, a captain and a
 * vice-captain.
 *
 * The players are put in a random order of popularity; the player at place r has the weight 1 /
 * r^popularityPower. Eleven different ones are drawn by weight without replacement (Efraimidis and Spirakis
 * 2006: the eleven smallest of -ln(u) / weight). The order of the draw favours the popular too: the first
 * drawn is the captain, the second the vice-captain.
 */
import { createRandom, type Random, shuffled } from './random.ts';

export interface Team {
  entry: string;
  user: string;
  /** Eleven different ones, the captain first, the vice-captain second. */
  players: string[];
  captain: string;
  viceCaptain: string;
}
export interface TeamsOptions {
  seed: number;
  count: number;
  /** Ids of the match's players: at least eleven. */
  players: readonly string[];
  /** Id of the n-th user, from 0. */
  userOf?: (n: number) => string;
  /** Id of the n-th entry, from 0. */
  entryOf?: (n: number) => string;
  /** 0: all players alike. */
  popularityPower?: number;
  /** Chance that a team belongs to the user of the team before. */
  sameUserShare?: number;
  /** Teams of one user at most. */
  teamsPerUserMax?: number;
}

export const teamsDefaults = {
  /** The first player is in nearly all teams and the last in a good quarter of them. */
  popularityPower: 0.8,
  /** Six users in ten have one team, a few have many. */
  sameUserShare: 0.4,
  /** What fantasy apps allow in one contest. */
  teamsPerUserMax: 20,
} as const;

export function seededTeams(options: TeamsOptions): Team[] {
  const { seed, count, players } = options;
  if (new Set(players).size !== players.length || players.length < 11) {
    throw new RangeError(`a team needs eleven different players to choose from, not ${players.length}`);
  }
  const random = createRandom(seed);
  const userOf = options.userOf ?? ((n) => `u${n + 1}`);
  const entryOf = options.entryOf ?? ((n) => `e${n + 1}`);
  const sameUserShare = options.sameUserShare ?? teamsDefaults.sameUserShare;
  const teamsPerUserMax = options.teamsPerUserMax ?? teamsDefaults.teamsPerUserMax;
  const order = shuffled(players, random);
  const weights = order.map(
    (_, place) => (place + 1) ** -(options.popularityPower ?? teamsDefaults.popularityPower),
  );
  const draw = createDraw(weights, random);
  const teams: Team[] = [];
  let user = -1;
  let teamsOfUser = 0;
  for (let n = 0; n < count; n++) {
    const same = user >= 0 && teamsOfUser < teamsPerUserMax && random() < sameUserShare;
    if (!same) {
      user += 1;
      teamsOfUser = 0;
    }
    teamsOfUser += 1;
    const eleven = draw().map((place) => order[place] as string);
    teams.push({
      entry: entryOf(n),
      user: userOf(user),
      players: eleven,
      captain: eleven[0] as string,
      viceCaptain: eleven[1] as string,
    });
  }
  return teams;
}

/** Eleven different places by weight, in the order drawn. */
function createDraw(weights: readonly number[], random: Random): () => number[] {
  const keys = new Float64Array(11);
  return () => {
    const places: number[] = [];
    for (const [place, weight] of weights.entries()) {
      const key = -Math.log(1 - random()) / weight;
      let at = places.length;
      if (at === 11 && key >= (keys[10] as number)) continue;
      if (at === 11) at = 10;
      else places.push(place);
      for (; at > 0 && (keys[at - 1] as number) > key; at--) {
        keys[at] = keys[at - 1] as number;
        places[at] = places[at - 1] as number;
      }
      keys[at] = key;
      places[at] = place;
    }
    return places;
  };
}
