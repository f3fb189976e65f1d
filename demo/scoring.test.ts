import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readScoringTable } from './bundled.ts';
import type { Delivery, MatchPlayer, Wicket } from './match-file.ts';
import { createScorer, parseScoringTable, pointStepOf } from './scoring.ts';

const table = readScoringTable();
const players: MatchPlayer[] = ['bat', 'mate', 'bowl', 'other', 'field', 'keep'].map((id) => ({
  id,
  name: id,
  team: ['bat', 'mate'].includes(id) ? 'one' : 'two',
}));

let ball = 0;
interface Given {
  runs?: number;
  over?: number;
  bowler?: string;
  batter?: string;
  nonBoundary?: boolean;
  extras?: Partial<Delivery['extras']>;
  wickets?: Wicket[];
  superOver?: boolean;
}
function delivery(given: Given = {}): Delivery {
  ball += 1;
  const extras = { wides: 0, noballs: 0, byes: 0, legbyes: 0, penalty: 0, ...given.extras };
  const runs = given.runs ?? 0;
  const extra = extras.wides + extras.noballs + extras.byes + extras.legbyes + extras.penalty;
  return {
    label: `1.0.${ball}`,
    innings: 1,
    over: given.over ?? 0,
    ball,
    superOver: given.superOver ?? false,
    batter: given.batter ?? 'bat',
    nonStriker: 'other',
    bowler: given.bowler ?? 'bowl',
    runs: { batter: runs, total: runs + extra, nonBoundary: given.nonBoundary ?? false },
    extras,
    wickets: given.wickets ?? [],
  };
}
function out(kind: Wicket['kind'], fielders: (string | null)[] = [], who = 'bat'): Wicket[] {
  return [{ kind, out: who, fielders: fielders.map((player) => ({ player, substitute: player === null })) }];
}
function scored(...balls: Given[]): (player: string) => number {
  const scorer = createScorer(players, table);
  for (const one of balls) scorer.apply(delivery(one));
  return (player) => scorer.pointsOf(player) - 4;
}
const many = (times: number, given: Given = {}): Given[] => Array.from({ length: times }, () => given);

test('runs and boundaries; four runs that were run are no boundary', () => {
  assert.equal(scored({ runs: 3 })('bat'), 3);
  assert.equal(scored({ runs: 4 })('bat'), 5);
  assert.equal(scored({ runs: 6 })('bat'), 8);
  assert.equal(scored({ runs: 4, nonBoundary: true })('bat'), 4);
  assert.equal(scored({ runs: 6, nonBoundary: true })('bat'), 6);
  assert.equal(scored({ runs: 5 })('bat'), 5);
});

test('only the highest milestone counts', () => {
  const sixes = (times: number) => scored(...many(times, { runs: 6 }))('bat') - times * 8;
  assert.equal(sixes(4), 0);
  assert.equal(sixes(5), 4);
  assert.equal(sixes(9), 8);
  assert.equal(sixes(17), 16 + 6);
});

test('a duck, whatever the role and without a ball faced; no duck for the retired hurt', () => {
  assert.equal(scored({ wickets: out('bowled') })('bat'), -2);
  assert.equal(scored({ wickets: out('run out', [], 'mate') })('mate'), -2);
  assert.equal(scored({ wickets: out('retired hurt') })('bat'), 0);
  assert.equal(scored({ wickets: out('retired not out') })('bat'), 0);
  assert.equal(scored({ wickets: out('retired out') })('bat'), -2);
  assert.equal(scored({ runs: 1, wickets: out('run out') })('bat'), 1);
});

test('strike rate counts from ten balls on, wides are not faced, no-balls are', () => {
  const rate = (runs: number, balls: number) =>
    scored(...many(runs, { runs: 1 }), ...many(balls - runs))('bat') - runs;
  assert.equal(rate(0, 9), 0);
  assert.equal(rate(0, 10), -6);
  assert.equal(rate(4, 10), -6);
  assert.equal(rate(5, 10), -4);
  assert.equal(rate(6, 10), -2);
  assert.equal(rate(7, 10), -2);
  assert.equal(rate(8, 10), 0);
  const fast = (twos: number) =>
    scored(...many(twos, { runs: 2 }), ...many(10 - twos, { runs: 1 }))('bat') - 10 - twos;
  assert.equal(fast(2), 0);
  assert.equal(fast(3), 2);
  assert.equal(fast(5), 2);
  assert.equal(fast(6), 4);
  assert.equal(fast(7), 4);
  assert.equal(fast(8), 6);
  assert.equal(scored(...many(9), { extras: { wides: 1 } })('bat'), 0);
  assert.equal(scored(...many(9), { extras: { noballs: 1 } })('bat'), -6);
});

test('points go down when a strike rate falls', () => {
  const scorer = createScorer(players, table);
  for (let n = 0; n < 10; n++) scorer.apply(delivery({ runs: 2, over: n }));
  const before = scorer.pointsOf('bat');
  assert.equal(before, 4 + 20 + 6);
  // 20 off 11 is above 170 still, 20 off 12 is not, 20 off 14 is below 150
  const told = [10, 11, 12, 13].map((over) => scorer.apply(delivery({ over })));
  assert.deepEqual(
    told.map((changed) => changed.filter(([player]) => player === 'bat')),
    [[], [['bat', before - 2]], [], [['bat', before - 4]]],
  );
});

test('wickets: who gets them, and bonuses', () => {
  assert.equal(scored({ wickets: out('bowled') })('bowl'), 33);
  assert.equal(scored({ wickets: out('lbw') })('bowl'), 33);
  assert.equal(scored({ wickets: out('hit wicket') })('bowl'), 25);
  assert.equal(scored({ wickets: out('caught', ['field']) })('bowl'), 25);
  assert.equal(scored({ wickets: out('caught', ['field']) })('field'), 8);
  assert.equal(scored({ wickets: out('caught and bowled') })('bowl'), 33);
  assert.equal(scored({ wickets: out('stumped', ['keep']) })('bowl'), 25);
  assert.equal(scored({ wickets: out('stumped', ['keep']) })('keep'), 12);
  for (const kind of ['run out', 'obstructing the field', 'timed out', 'hit the ball twice'] as const) {
    assert.equal(scored({ wickets: out(kind) })('bowl'), 0, kind);
  }
});

test('hauls: the highest only', () => {
  const haul = (times: number) =>
    scored(...many(times, { runs: 1, wickets: out('stumped', ['keep']) }))('bowl') - times * 25;
  assert.equal(haul(2), 0);
  assert.equal(haul(3), 4);
  assert.equal(haul(4), 8);
  assert.equal(haul(5), 16);
  assert.equal(haul(6), 16);
});

test('run outs: direct, shared by the last two, nothing for a substitute', () => {
  assert.equal(scored({ wickets: out('run out', ['field']) })('field'), 12);
  const two = scored({ wickets: out('run out', ['field', 'keep']) });
  assert.deepEqual([two('field'), two('keep')], [6, 6]);
  const three = scored({ wickets: out('run out', ['other', 'field', 'keep']) });
  assert.deepEqual([three('other'), three('field'), three('keep')], [0, 6, 6]);
  assert.equal(scored({ wickets: out('run out', [null, 'keep']) })('keep'), 6);
  assert.equal(scored({ wickets: out('run out', [null]) })('keep'), 0);
  assert.equal(scored({ wickets: out('caught', [null]) })('bowl'), 25);
});

test('three catches give a bonus once', () => {
  const catches = (times: number) => scored(...many(times, { wickets: out('caught', ['field']) }))('field');
  assert.equal(catches(2), 16);
  assert.equal(catches(3), 28);
  assert.equal(catches(4), 36);
});

test('a maiden scores with its sixth legal ball; byes and penalty runs do not spoil it, a wide does', () => {
  assert.equal(scored(...many(5))('bowl'), 0);
  assert.equal(scored(...many(6))('bowl'), 12);
  const byes = { byes: 1, penalty: 5, legbyes: 2 };
  assert.equal(scored(...many(5), { extras: byes })('bowl'), 12);
  assert.equal(scored(...many(5), { extras: { wides: 1 } }, {})('bowl'), 0);
  assert.equal(scored(...many(3), ...many(3, { bowler: 'other' }))('bowl'), 0);
  assert.equal(scored(...many(5), { over: 1 })('bowl'), 0);
});

test('economy counts from twelve legal balls on, byes apart', () => {
  const economy = (conceded: number, balls = 12) =>
    scored(...many(conceded, { runs: 1, over: 0 }), ...many(balls - conceded, { runs: 0, over: 0 }))('bowl');
  assert.equal(economy(11, 11), 0);
  assert.equal(economy(9), 6);
  assert.equal(economy(10), 4);
  assert.equal(economy(12), 2);
  const dear = (runs: number) => scored(...many(11, { runs: 1 }), { runs: runs - 11 })('bowl');
  assert.equal(dear(14), 2);
  assert.equal(dear(15), 0);
  assert.equal(dear(20), -2);
  assert.equal(dear(22), -2);
  assert.equal(dear(23), -4);
  assert.equal(dear(24), -4);
  assert.equal(dear(25), -6);
  assert.equal(scored(...many(12, { runs: 1, extras: { byes: 4, legbyes: 1, penalty: 5 } }))('bowl'), 2);
});

test('a super over scores nothing', () => {
  const points = scored({ runs: 6, superOver: true, wickets: out('caught', ['field']) });
  assert.deepEqual([points('bat'), points('bowl'), points('field')], [0, 0, 0]);
});

test('a delivery tells exactly the players whose points it changed', () => {
  const scorer = createScorer(players, table);
  assert.deepEqual(scorer.apply(delivery()), []);
  assert.deepEqual(scorer.apply(delivery({ runs: 1 })), [['bat', 5]]);
  assert.deepEqual(scorer.apply(delivery({ wickets: out('caught', ['field'], 'mate') })), [
    ['bowl', 29],
    ['mate', 2],
    ['field', 12],
  ]);
});

test('a points table: its step, and a sentence for a part that is missing', () => {
  assert.equal(pointStepOf(table), 1);
  assert.equal(pointStepOf({ ...table, startingEleven: 0.5 }), 0.5);
  assert.throws(() => parseScoringTable('{}'), /points table: startingEleven is not a number/);
  const noBands = { ...table, bowling: { ...table.bowling, economy: { minBalls: 12 } } };
  assert.throws(() => parseScoringTable(JSON.stringify(noBands)), /bowling.economy.bands is not a list/);
});
