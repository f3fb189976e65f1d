/** Match files in which everything that the rules speak of happens often, as it never does in a real one. */
import { createRandom } from '../../demo/random.ts';
import type { RawDelivery, RawMatch } from './brute-force.ts';

type Wicket = NonNullable<RawDelivery['wickets']>[number];

const kinds = [
  ...['bowled', 'caught', 'caught and bowled', 'lbw', 'stumped', 'hit wicket', 'run out', 'run out'],
  ...['retired hurt', 'retired not out', 'retired out', 'obstructing the field', 'timed out'],
];

/** Two teams of twelve, two innings of `overs` and a super over each; the same for the same seed. */
export function randomMatch(seed: number, overs: number): RawMatch & { info: { match_type: string } } {
  const random = createRandom(seed);
  const below = (end: number): number => Math.floor(random() * end);
  const chance = (share: number): boolean => random() < share;
  const teams = ['Home', 'Away'].map((team) => Array.from({ length: 12 }, (_, n) => `${team} ${n}`));
  const people: Record<string, string> = {};
  for (const [index, name] of teams.flat().entries()) people[name] = index.toString(16).padStart(8, '0');

  function wicket(batting: string[], fielding: string[], batter: string, partner: string): Wicket {
    const kind = kinds[below(kinds.length)] as string;
    const fielder = () =>
      chance(0.2) ? { name: 'Some Body', substitute: true } : { name: fielding[below(3)] as string };
    const count = kind === 'run out' ? below(4) : kind === 'caught' || kind === 'stumped' ? 1 : 0;
    const out = kind === 'timed out' ? (batting[11] as string) : chance(0.8) ? batter : partner;
    const fielders = Array.from({ length: count }, fielder);
    return { kind, player_out: out, ...(count > 0 ? { fielders } : {}) };
  }
  function delivery(batting: string[], fielding: string[], bowler: string, calm: boolean): RawDelivery {
    const at = below(6);
    const batter = batting[at] as string;
    const partner = batting[(at + 1 + below(5)) % 6] as string;
    const extras: NonNullable<RawDelivery['extras']> = {};
    const share = calm ? 0.02 : 0.1;
    const illegal = random();
    if (illegal < share) extras.wides = 1 + below(5);
    else if (illegal < 2 * share) extras.noballs = 1;
    if (chance(0.1)) extras[chance(0.5) ? 'byes' : 'legbyes'] = 1 + below(4);
    if (chance(0.05)) extras.penalty = 5;
    const runs = extras.wides !== undefined || chance(calm ? 0.97 : 0.3) ? 0 : below(7);
    const extra = Object.values(extras).reduce((sum, count) => sum + count, 0);
    return {
      batter,
      bowler,
      non_striker: partner,
      runs: {
        batter: runs,
        extras: extra,
        total: runs + extra,
        ...(chance(0.3) ? { non_boundary: true } : {}),
      },
      ...(extra > 0 ? { extras } : {}),
      ...(chance(0.15) ? { wickets: [wicket(batting, fielding, batter, partner)] } : {}),
    };
  }
  function innings(
    batting: string[],
    fielding: string[],
    team: string,
    length: number,
  ): RawMatch['innings'][0] {
    const list = Array.from({ length }, (_, over) => {
      const bowler = fielding[below(5)] as string;
      const calm = chance(0.4);
      const deliveries: RawDelivery[] = [];
      let legal = 0;
      while (legal < 6 || (deliveries.length < 12 && chance(0.05))) {
        const by = chance(0.02) ? (fielding[5] as string) : bowler;
        const one = delivery(batting, fielding, by, calm);
        deliveries.push(one);
        if (one.extras?.wides === undefined && one.extras?.noballs === undefined) legal += 1;
      }
      return { over, deliveries: deliveries.slice(0, 40) };
    });
    return { team, overs: list };
  }
  const [home, away] = teams as [string[], string[]];
  return {
    info: { match_type: 'T20', players: { Home: home, Away: away }, registry: { people } },
    innings: [
      innings(home, away, 'Home', overs),
      innings(away, home, 'Away', overs),
      { ...innings(away, home, 'Away', 1), super_over: true },
      { ...innings(home, away, 'Home', 1), super_over: true },
    ],
  };
}
