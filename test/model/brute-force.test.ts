import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMatchFile } from '../../demo/match-file.ts';
import { createScorer, parseScoringTable } from '../../demo/scoring.ts';
import {
  ballsOf,
  battingFigures,
  bowlingFigures,
  leaderboard,
  pointsAfter,
  type RawMatch,
} from './brute-force.ts';
import { randomMatch } from './random-match.ts';
import { readTestFile } from './test-files.ts';

const files = {
  2019: 'matches/ipl-2019-final-1181768.json',
  2021: 'matches/ipl-2021-final-1254117.json',
} as const;
const rawMatch = (year: keyof typeof files): RawMatch => JSON.parse(readTestFile(files[year])) as RawMatch;

/** [name, runs, balls, fours, sixes, out], as the published scorecards have them. */
const batting: Record<keyof typeof files, [string, number, number, number, number, boolean][]> = {
  2019: [
    ['SR Watson', 80, 59, 8, 4, true],
    ['F du Plessis', 26, 13, 3, 1, true],
    ['KA Pollard', 41, 25, 3, 3, false],
    ['Q de Kock', 29, 17, 0, 4, true],
    ['MS Dhoni', 2, 8, 0, 0, true],
  ],
  2021: [
    ['F du Plessis', 86, 59, 7, 3, true],
    ['RV Uthappa', 31, 15, 0, 3, true],
    ['MM Ali', 37, 20, 2, 3, false],
    ['VR Iyer', 50, 32, 5, 3, true],
    ['Shubman Gill', 51, 43, 6, 0, true],
    ['N Rana', 0, 1, 0, 0, true],
  ],
};
/** [name, legal balls, conceded, wickets]. */
const bowling: Record<keyof typeof files, [string, number, number, number][]> = {
  2019: [
    ['JJ Bumrah', 24, 14, 2],
    ['RD Chahar', 24, 14, 1],
    ['SL Malinga', 24, 49, 1],
    ['DL Chahar', 24, 26, 3],
    ['Imran Tahir', 18, 23, 2],
    ['SN Thakur', 24, 37, 2],
  ],
  2021: [
    ['SN Thakur', 24, 38, 3],
    ['JR Hazlewood', 24, 29, 2],
    ['RA Jadeja', 24, 37, 2],
    ['SP Narine', 24, 26, 2],
    ['LH Ferguson', 24, 56, 0],
  ],
};

for (const year of [2019, 2021] as const) {
  test(`the model reads the ${year} final as its published scorecard does`, () => {
    const balls = ballsOf(rawMatch(year));
    for (const [name, runs, faced, fours, sixes, out] of batting[year]) {
      assert.deepEqual(battingFigures(balls, name), { runs, faced, fours, sixes, out }, name);
    }
    for (const [name, legalBalls, conceded, wickets] of bowling[year]) {
      const figures = bowlingFigures(balls, name);
      assert.deepEqual(
        [figures.legalBalls, figures.conceded, figures.wickets],
        [legalBalls, conceded, wickets],
        name,
      );
    }
  });

  test(`scorer and model agree after every delivery of the ${year} final`, () => {
    compare(readTestFile(files[year]));
  });
}

test('scorer and model agree after every delivery of random matches', (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
  t.diagnostic(`SEED=${seed}`);
  let changes = 0;
  for (let match = 0; match < 12; match++) changes += compare(JSON.stringify(randomMatch(seed + match, 10)));
  assert.ok(changes > 1_000, `only ${changes} changes of points`);
});

/**
 * Compares every player's points after every delivery, and who is told; answers how many changes there were.
 */
function compare(text: string): number {
  const raw = JSON.parse(text) as RawMatch;
  const balls = ballsOf(raw);
  const file = parseMatchFile(text);
  const scorer = createScorer(file.players, parseScoringTable(readTestFile('scoring-t20.json')));
  assert.equal(file.deliveries.length, balls.length);
  let changes = 0;
  let before = pointsAfter(raw, balls, -1);
  for (const player of file.players) assert.equal(scorer.pointsOf(player.id), before.get(player.id));
  for (const [k, delivery] of file.deliveries.entries()) {
    const changed = new Map(scorer.apply(delivery));
    const after = pointsAfter(raw, balls, k);
    for (const { id, name } of file.players) {
      assert.equal(scorer.pointsOf(id), after.get(id), `${name} after ${delivery.label}`);
      assert.equal(changed.has(id), before.get(id) !== after.get(id), `${name} told at ${delivery.label}`);
      if (changed.has(id)) assert.equal(changed.get(id), after.get(id));
    }
    changes += changed.size;
    before = after;
  }
  return changes;
}

test('points of 2019 worked out by hand from the scorecard', () => {
  const raw = rawMatch(2019);
  const balls = ballsOf(raw);
  const points = pointsAfter(raw, balls, balls.length - 1);
  const of = (name: string) => points.get(raw.info.registry.people[name] ?? '');
  // 4 to start, 80 runs, 8 fours, 4 sixes at 2, fifty 8, strike rate 135.6: 2
  assert.equal(of('SR Watson'), 4 + 80 + 8 + 8 + 8 + 2);
  // 2 wickets at 25, economy 3.5: 6; run in at the end without facing: nothing, not out
  assert.equal(of('JJ Bumrah'), 4 + 50 + 6);
  // 41 off 25: thirty 4, strike rate 164: 4, 3 fours, 3 sixes at 2
  assert.equal(of('KA Pollard'), 4 + 41 + 3 + 6 + 4 + 4);
  // run out on nought: a duck, bowler or not; 24 off 4 overs: economy 6: 2
  assert.equal(of('MJ McClenaghan'), 4 - 2 + 2);
});

test('the model ranks 1-2-2-4, equals in order of first appearance', () => {
  const players = 'abcdefghijk'.split('');
  const points = new Map(players.map((player, index) => [player, index]));
  const team = (entry: string, captain: string, viceCaptain: string) => ({
    entry,
    user: `user-${entry}`,
    players,
    captain,
    viceCaptain,
  });
  const rows = leaderboard(
    [team('low', 'a', 'b'), team('one', 'd', 'c'), team('two', 'd', 'c'), team('high', 'k', 'j')],
    points,
  );
  assert.deepEqual(
    rows.map((row) => [row.rank, row.entry, row.score]),
    [
      [1, 'high', 110 + 20 + 9],
      [2, 'one', 110 + 6 + 2],
      [2, 'two', 110 + 6 + 2],
      [4, 'low', 110 + 0 + 1],
    ],
  );
});
