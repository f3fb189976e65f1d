import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feeder, player, squad, team } from '../../test/kit/contest-records.ts';
import { Random } from '../../test/model/random.ts';
import { restoreRanking } from './create-ranking.ts';
import { orderSlots } from './order.ts';
import type { Ranking } from './ranking.ts';

/**
 * One match beyond every block and chunk: 140,000 entries in contests of all, of half, of a fiftieth, and of
 * a few in any order; then a contest of as many scores. Compared with sorting everything.
 */
const count = 140_000;
const seed = Number(process.env['SEED'] ?? 20_190_714);

interface Row {
  entry: string;
  score: number;
  ordinal: number;
}

function check(ranking: Ranking, contest: string, rows: Row[], random: Random): void {
  rows.sort((a, b) => b.score - a.score || a.ordinal - b.ordinal);
  const ranks = new Map<string, [number, number]>();
  let rank = 0;
  for (const [i, { entry, score }] of rows.entries()) {
    if (i === 0 || rows[i - 1]!.score !== score) rank = i + 1;
    ranks.set(entry, [score, rank]);
  }
  const snapshot = ranking.snapshotContest(contest)!;
  assert.equal(snapshot.total, rows.length);
  const top = rows.slice(0, 20).map(({ entry, score }) => [ranks.get(entry)![1], entry, score, `u-${entry}`]);
  assert.deepEqual(snapshot.top, top);
  const counts = new Map<number, number>();
  for (const { score } of rows) counts.set(score, (counts.get(score) ?? 0) + 1);
  assert.equal(snapshot.counts?.scores.length, counts.size);
  snapshot.counts?.scores.forEach((score, i) => {
    if (snapshot.counts?.counts[i] !== counts.get(score)) assert.fail(`count at ${score}`);
  });
  const asked = Array.from({ length: 400 }, () => random.pick(rows).entry);
  assert.deepEqual(
    ranking.ranks(contest, asked).ranks,
    asked.map((entry) => ranks.get(entry)),
  );
  const names = ranking.names(contest, orderSlots(ranking.orderInput(contest)!));
  assert.equal(names.length, rows.length);
  for (const [i, { entry }] of names.entries())
    if (rows[i]!.entry !== entry) assert.fail(`${entry} is not at ${i}`);
}

test('[RK-14] [RK-17] [RK-18] [RK-20] a match of 140,000 entries equals its recomputation', (t) => {
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const feed = new Feeder().match('m');
  const contests = ['all', 'half', 'few', 'late'];
  for (const contest of contests) feed.fantasy(contest, 'm');
  const teams = new Map<string, string[]>();
  const lists = new Map(contests.map((contest) => [contest, new Map<string, number>()]));
  const inside = new Map(contests.map((contest) => [contest, new Set<string>()]));
  const put = (names: string[], contestsOf: (i: number) => string[]): void => {
    const items = names.map((entry) => {
      const own = contestsOf(Number(entry.slice(1)));
      const players = random.some(squad, 11);
      teams.set(entry, players);
      for (const contest of contests) {
        if (!own.includes(contest)) inside.get(contest)!.delete(entry);
        else {
          const list = lists.get(contest)!;
          if (!list.has(entry)) list.set(entry, list.size);
          inside.get(contest)!.add(entry);
        }
      }
      return team(entry, own, { players });
    });
    for (let from = 0; from < items.length; from += 1_000)
      feed.entries({ match: 'm' }, items.slice(from, from + 1_000));
  };
  const joined = (i: number) => ['all', ...(i % 2 === 0 ? ['half'] : []), ...(i % 50 === 0 ? ['few'] : [])];
  const all = Array.from({ length: count }, (_, i) => `e${i}`);
  put(all, joined);
  const totals = new Map(squad.map((name) => [name, 0]));
  const checkAll = (ranking: Ranking): void => {
    for (const contest of contests) {
      const rows = [...inside.get(contest)!].map((entry): Row => {
        const [captain = '', vice = '', ...others] = teams.get(entry)!;
        let score = 4 * totals.get(captain)! + 3 * totals.get(vice)!;
        for (const name of others) score += 2 * totals.get(name)!;
        return { entry, score, ordinal: lists.get(contest)!.get(entry)! };
      });
      check(ranking, contest, rows, random);
    }
  };
  put(random.some(all, 5_000), (i) => [...joined(i), 'late']);
  put(random.some(all, 300), () => []);
  checkAll(feed.ranking);
  const first = feed.ranking.checkpoint();
  const score = (steps: number): void => {
    const name = random.pick(squad);
    totals.set(name, steps);
    feed.points('m', name, steps);
  };
  for (let i = 0; i < 40; i += 1) score(random.between(-20, 120));
  put(random.some(all, 500), joined);
  checkAll(feed.ranking);
  for (let i = 0; i < 8; i += 1) score(random.between(5_000, 10_000));
  put(all.slice(70_000, 70_900), (i) => [...joined(i), 'late']);
  checkAll(feed.ranking);
  const second = feed.ranking.checkpoint();
  checkAll(restoreRanking([first.segment, second.segment], second.head));
  const whole = feed.ranking.checkpoint(true);
  checkAll(restoreRanking([whole.segment], whole.head));
});

test('[RK-15] [RK-17] [RK-18] [RK-20] a scores contest of 140,000 entries equals its recomputation', (t) => {
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const feed = new Feeder().scores('s');
  const names = random.some(
    Array.from({ length: count }, (_, i) => `e${i}`),
    count,
  );
  const scores = new Map<string, number>();
  const put = (some: string[], is: boolean): void => {
    const items = some.map((entry) => player(entry, is ? ['s'] : []));
    for (let from = 0; from < items.length; from += 1_000)
      feed.entries({ contest: 's' }, items.slice(from, from + 1_000));
  };
  put(names, true);
  for (const range of [3, 100_000, 2 ** 52]) {
    for (const entry of random.some(names, 60_000)) {
      const score = random.between(-range, range);
      scores.set(entry, score);
      feed.score('s', entry, score);
    }
  }
  const gone = new Set(random.some(names, 2_000));
  put([...gone], false);
  const rows = () =>
    names
      .map((entry, ordinal): Row => ({ entry, score: scores.get(entry) ?? 0, ordinal }))
      .filter(({ entry }) => !gone.has(entry));
  check(feed.ranking, 's', rows(), random);
  const { segment, head } = feed.ranking.checkpoint();
  check(restoreRanking([segment], head), 's', rows(), random);
});
