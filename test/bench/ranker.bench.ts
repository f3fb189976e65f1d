import { createRanking } from '../../workers/ranker/create-ranking.ts';
import { orderSlots } from '../../workers/ranker/order.ts';
import type { Ranking } from '../../workers/ranker/ranking.ts';
import { Random } from '../model/random.ts';
import {
  type Bench,
  collectGarbage,
  noTimes,
  quantile,
  type Row,
  type Times,
  timed,
  timesOf,
} from './bench.ts';
import { startRedis } from './redis-zadd.ts';
import { createTeamMaker, fillMatch, id12, type TeamMaker } from './teams.ts';

/**
 * Exact re-ranking after `points` records: the record applied and everyone's rank known again (a rank is
 * asked for, so counts and sums are made). TEAMS: entries in the contest, a million unless given.
 */
const teams = Number(process.env['TEAMS'] ?? 1_000_000);
const rounds = Number(process.env['ROUNDS'] ?? 400);
const scale = teams / 1_000_000;
const warmUp = 40;

export const rankerBench: Bench = {
  name: 'ranker',
  about: `A contest of ${teams.toLocaleString('en')} teams of 22 players: p50 / p99 of ${rounds} rounds.`,
  async run(add) {
    const maker = createTeamMaker(22, 1);
    const ranking = createRanking({ entriesPerMatchMax: teams, entriesPerContestMax: teams });
    const start = performance.now();
    fillMatch(
      ranking,
      maker,
      teams,
      ['c'],
      () => ['c'],
      () => void ranking.checkpoint(),
    );
    const filled = (performance.now() - start) / teams;
    ranking.watchContest('c');
    ranking.takeMatchFrame('m');
    collectGarbage();
    const match = new Match(ranking, maker);
    const popular = nearest(maker.shares(), 0.55);
    const share = maker.shares()[popular]!;
    const target = (ms: number): string => (scale === 1 || scale === 10 ? `p99 <= ${ms * scale} ms` : '');
    for (let i = 0; i < warmUp; i += 1) match.tick(5);

    const applied = noTimes();
    const ranked = noTimes();
    for (let i = 0; i < rounds; i += 1) {
      timed(() => {
        timed(() => match.points(popular), applied);
        ranking.ranks('c', [id12('e', 1)]);
      }, ranked);
    }
    const what = `a record of a player in ${(share * 100).toFixed(0)} % of the teams`;
    add({ what: `${what}: scores`, ...timesOf(applied), target: '' });
    add({ what: `${what}: scores and ranks`, ...timesOf(ranked), target: target(4) });
    for (const players of [5, 1]) {
      const ticks = noTimes();
      for (let i = 0; i < rounds; i += 1) timed(() => match.tick(players), ticks);
      const isFive = players === 5;
      const tick = `a tick of ${isFive ? 'five popular players' : 'one popular player'}, to its frame`;
      add({ what: tick, ...timesOf(ticks), target: isFive ? target(12) : '' });
    }
    answers(ranking, add);
    add({
      what: 'taking an entry, with making it',
      measured: `${(filled * 1_000).toFixed(1)} µs`,
      beside: '',
      target: '',
    });
    await besideRedis(share, ranked, add);
  },
};

class Match {
  private readonly ranking: Ranking;
  private readonly maker: TeamMaker;
  private readonly random = new Random(2);
  private readonly totals: number[];
  private at = 10_000;

  constructor(ranking: Ranking, maker: TeamMaker) {
    this.ranking = ranking;
    this.maker = maker;
    this.totals = maker.players.map(() => 0);
  }

  /** One more record for the player; totals go up to 100 points and begin again. */
  points(player: number): void {
    this.at += 1;
    const total = (this.totals[player]! + this.random.between(1, 8) / 2) % 100;
    this.totals[player] = total;
    const { ranking } = this;
    const name = this.maker.players[player]!;
    ranking.apply(ranking.version, {
      type: 'points',
      id: 'p',
      at: this.at,
      match: 'm',
      player: name,
      points: total,
    });
  }

  /** Records of the first, most popular players, and the frame. */
  tick(players: number): void {
    for (let player = 0; player < players; player += 1) this.points(player);
    this.ranking.takeContestFrame('c');
  }
}

function nearest(shares: readonly number[], wanted: number): number {
  let best = 0;
  shares.forEach((share, i) => {
    if (Math.abs(share - wanted) < Math.abs(shares[best]! - wanted)) best = i;
  });
  return best;
}

function answers(ranking: Ranking, add: (row: Row) => void): void {
  const users = Array.from({ length: 256 }, (_, i) => id12('u', (i * 3_907) % teams));
  const entries = Array.from({ length: 500 }, (_, i) => id12('e', (i * 1_999) % teams));
  const input = ranking.orderInput('c')!;
  const actions: [what: string, action: () => void][] = [
    ['`who` of 256 users', () => ranking.who('c', users)],
    ['`ranks` of 500 entries', () => ranking.ranks('c', entries)],
    ['a snapshot', () => ranking.snapshotContest('c')],
    ['a copy to order elsewhere', () => ranking.orderInput('c')],
    ['ordering the copy (on another thread)', () => orderSlots(input)],
  ];
  for (const [what, action] of actions) {
    const times = noTimes();
    for (let i = 0; i < 20; i += 1) timed(action, times);
    add({ what, ...timesOf(times), target: '' });
  }
}

/** Redis moves as many members as the record did, in a sorted set of as many. */
async function besideRedis(share: number, ours: Times, add: (row: Row) => void): Promise<void> {
  const what = 'Redis doing the ZADDs of such a record';
  const redis = await startRedis();
  if (redis === null) {
    add({ what, measured: 'no redis-server on the PATH', beside: '', target: '>= 250x' });
    return;
  }
  try {
    const names = Array.from({ length: teams }, (_, i) => id12('e', i));
    const random = new Random(3);
    const scores = Int32Array.from(names, () => random.below(2_000));
    await redis.zadd('top', names, scores);
    const movers: string[] = [];
    const moved: number[] = [];
    names.forEach((name, i) => {
      if (!random.chance(share)) return;
      movers.push(name);
      moved.push(scores[i]!);
    });
    const theirs = noTimes();
    for (let round = 1; round <= 3; round += 1) {
      const { wall, cpu } = await redis.zadd(
        'top',
        movers,
        moved.map((score) => score + 2 * round),
      );
      theirs.wall.push(wall);
      theirs.cpu.push(cpu);
    }
    const median = (kind: 'wall' | 'cpu'): string => quantile(theirs[kind], 0.5).toFixed(0);
    const times = (kind: 'wall' | 'cpu'): string =>
      (quantile(theirs[kind], 0.5) / quantile(ours[kind], 0.5)).toFixed(0);
    add({
      what: `${what}: ${movers.length.toLocaleString('en')} members`,
      measured: `${median('wall')} ms, processor ${median('cpu')} ms`,
      beside: `${times('wall')}x our p50, processor ${times('cpu')}x`,
      target: '>= 250x',
    });
  } finally {
    await redis.stop();
  }
}
