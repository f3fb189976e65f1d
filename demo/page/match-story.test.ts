import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ballsOf, battingFigures, bowlingFigures, type RawMatch } from '../../test/model/brute-force.ts';
import { readTestFile } from '../../test/model/test-files.ts';
import { readBundledMatch } from '../bundled.ts';
import { pageMatchOf } from '../page-data.ts';
import { ballIndexOf, oversText, resultOf, storyAt } from './match-story.ts';

const match = pageMatchOf(readBundledMatch('final-2019'), 'IPL final 2019');
const raw = JSON.parse(readTestFile('matches/ipl-2019-final-1181768.json')) as RawMatch;
const balls = ballsOf(raw);

test('batters and bowlers have the figures of the plain model after every ball', () => {
  for (let k = 0; k < balls.length; k++) {
    const { batters, bowler } = storyAt(match, k);
    const ball = balls[k];
    // both sides' players bat in one innings and bowl in the other only
    const bowled = balls.slice(0, k + 1);
    assert.deepEqual(
      batters.map(({ name }) => name),
      [ball?.batter, ball?.non_striker],
    );
    for (const { name, runs, balls: faced } of batters) {
      const figures = battingFigures(bowled, name);
      assert.deepEqual([runs, faced], [figures.runs, figures.faced], `${name} after ${ball?.label}`);
    }
    const figures = bowlingFigures(bowled, bowler?.name ?? '');
    assert.deepEqual(
      [bowler?.legalBalls, bowler?.runs, bowler?.wickets],
      [figures.legalBalls, figures.conceded, figures.wickets],
      `${bowler?.name} after ${ball?.label}`,
    );
  }
});

test('before the first ball there is nothing, after the last the result', () => {
  const before = storyAt(match, -1);
  assert.deepEqual([before.innings, before.batters, before.bowler, before.target], [[], [], null, null]);
  const { innings, target, last, over } = storyAt(match, match.balls.length - 1);
  assert.deepEqual(
    innings.map(({ team, runs, wickets, legalBalls }) => [
      match.teams[team]?.short,
      runs,
      wickets,
      legalBalls,
    ]),
    [
      ['MI', 149, 8, 120],
      ['CSK', 148, 7, 120],
    ],
  );
  assert.equal(target, 150);
  assert.deepEqual(
    over.map(({ mark }) => mark),
    ['1', '1', '2', 'W', '2', 'W'],
  );
  assert.deepEqual([last[0]?.at, last[0]?.who, last[0]?.what], ['19.6', '', 'Thakur lbw b Malinga']);
  assert.equal(resultOf(match), 'Mumbai Indians won by 1 run');
  const next = pageMatchOf(readBundledMatch('final-2021'), 'IPL final 2021');
  assert.equal(resultOf(next), 'Chennai Super Kings won by 27 runs');
});

test('a wide keeps the number of its ball, and is marked', () => {
  const { last, over } = storyAt(match, ballIndexOf(match, '1.2.3'));
  assert.deepEqual(
    last.slice(0, 3).map(({ at, what }) => [at, what]),
    [
      ['2.2', 'no run'],
      ['2.2', 'wide'],
      ['2.1', 'six'],
    ],
  );
  assert.deepEqual(
    over.map(({ mark, kind }) => [mark, kind]),
    [
      ['6', 'six'],
      ['1wd', 'extra'],
      ['•', 'dot'],
    ],
  );
});

test('labels find their balls; other labels find none', () => {
  assert.equal(ballIndexOf(match, '1.0.1'), 0);
  assert.equal(ballIndexOf(match, '2.19.6'), match.balls.length - 1);
  for (const label of [null, 'start', 'by hand', '3.0.1']) assert.equal(ballIndexOf(match, label), -1);
  assert.equal(oversText(82), '13.4');
});

test('players whose names are told apart by initials only keep them', () => {
  const short = match.players.map((player) => player.short);
  for (const name of ['HH Pandya', 'KH Pandya', 'Bumrah', 'de Kock', 'Harbhajan Singh', 'du Plessis']) {
    assert.ok(short.includes(name), name);
  }
  assert.equal(new Set(short).size, short.length);
});
