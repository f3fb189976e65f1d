import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBundledMatch } from './bundled.ts';
import { MatchFileError, matchFileBytesMax, parseMatchFile } from './match-file.ts';

type Json = ReturnType<typeof smallFile>;

/** Two teams of eleven, one over each. */
function smallFile() {
  const home = 'abcdefghijk'.split('').map((letter) => `H ${letter}`);
  const away = 'abcdefghijk'.split('').map((letter) => `A ${letter}`);
  const people: Record<string, string> = {};
  for (const [index, name] of [...home, ...away].entries())
    people[name] = `0000${String(index).padStart(4, '0')}`;
  const ball = (batter: string, non_striker: string, bowler: string): Record<string, unknown> => ({
    batter,
    non_striker,
    bowler,
    runs: { batter: 1, extras: 0, total: 1 },
  });
  return {
    info: {
      match_type: 'T20',
      balls_per_over: 6,
      dates: ['2030-01-02'],
      players: { Home: home, Away: away } as Record<string, unknown>,
      registry: { people },
    } as Record<string, unknown>,
    innings: [
      {
        team: 'Home',
        overs: [{ over: 0, deliveries: [ball('H a', 'H b', 'A k'), ball('H b', 'H a', 'A k')] }],
      },
      { team: 'Away', overs: [{ over: 0, deliveries: [ball('A a', 'A b', 'H k')] }] },
    ] as { team: string; overs: { over: number; deliveries: Record<string, unknown>[] }[] }[],
  };
}

/** [what is wrong, the change that makes it so, what the sentence must say]. */
const malformed: [string, (file: Json) => unknown, RegExp][] = [
  ['not an object', () => [1], /^the file: \[1\] is not an object/],
  ['no info', (file) => ({ innings: file.innings }), /^info: it is missing/],
  ['no innings', (file) => ({ info: file.info }), /^innings: it is missing/],
  ['innings empty', (file) => ({ ...file, innings: [] }), /^innings: there is none/],
  [
    'a test match',
    edit((file) => (file.info['match_type'] = 'Test')),
    /^info.match_type: "Test" is not one of/,
  ],
  ['eight-ball overs', edit((file) => (file.info['balls_per_over'] = 8)), /^info.balls_per_over: 8 is not 6/],
  ['no registry', edit((file) => delete file.info['registry']), /^info.registry: it is missing/],
  ['three teams', edit((file) => (players(file)['Third'] = [])), /^info.players: 3 teams/],
  ['ten players', edit((file) => players(file)['Home']?.pop()), /^info.players.Home: 10 players/],
  [
    'a name twice',
    edit((file) => players(file)['Home']?.push('A a')),
    /^info.players.Away: "A a" is listed twice/,
  ],
  [
    'no id',
    edit((file) => delete people(file)['H c']),
    /^info.registry.people: "H c" has no id of 8 hex digits/,
  ],
  ['a bad id', edit((file) => (people(file)['H c'] = '12')), /^info.registry.people: "H c" has no id/],
  [
    'an id twice',
    edit((file) => (people(file)['H c'] = '00000000')),
    /"H c" and "H a" share the id 00000000/,
  ],
  [
    'unknown side',
    edit((file) => (innings(file).team = 'Elsewhere')),
    /^innings 1: team "Elsewhere" is not one of/,
  ],
  [
    'an over left out',
    edit((file) => (over(file).over = 3)),
    /^innings 1: over 3 stands where over 0 should/,
  ],
  ['an empty over', edit((file) => (over(file).deliveries = [])), /^innings 1, over 0: 0 deliveries/],
  [
    'stranger bats',
    edit((file) => (ball(file)['batter'] = 'X')),
    /^innings 1, over 0, delivery 2, batter: "X" is not/,
  ],
  ['fielder bats', edit((file) => (ball(file)['batter'] = 'A a')), /delivery 2, batter: A a is not batting/],
  ['batter bowls', edit((file) => (ball(file)['bowler'] = 'H c')), /delivery 2, bowler: H c is batting/],
  [
    'alone',
    edit((file) => (ball(file)['non_striker'] = 'H b')),
    /non_striker: H b cannot be at the other end/,
  ],
  ['no runs', edit((file) => delete ball(file)['runs']), /delivery 2, runs: it is missing/],
  [
    'half a run',
    runs({ batter: 0.5, extras: 0, total: 0.5 }),
    /runs.batter: 0.5 is not a whole number from 0/,
  ],
  ['wrong total', runs({ batter: 1, extras: 0, total: 2 }), /batter 1 and extras 0 are not the total 2/],
  [
    'odd boundary',
    runs({ batter: 4, extras: 0, total: 4, non_boundary: 1 }),
    /non_boundary: 1 is not true or false/,
  ],
  [
    'unknown extra',
    edit((file) => (ball(file)['extras'] = { bonus: 1 })),
    /extras: "bonus" is no kind of extra/,
  ],
  [
    'extras amiss',
    edit((file) => (ball(file)['extras'] = { wides: 1 })),
    /sum up to 1, not to runs.extras 0/,
  ],
  [
    'unknown wicket',
    wicket({ kind: 'stung', player_out: 'H b' }),
    /wicket 1: "stung" is no kind of dismissal/,
  ],
  [
    'nobody out',
    wicket({ kind: 'bowled' }),
    /wicket 1, player_out: null is not a player|nothing is not a player/,
  ],
  ['bowler out', wicket({ kind: 'bowled', player_out: 'A k' }), /player_out: A k is not batting/],
  ['caught by none', wicket({ kind: 'caught', player_out: 'H b' }), /caught names 0 fielders; it takes one/],
  [
    'caught by a stranger',
    wicket({ kind: 'caught', player_out: 'H b', fielders: [{ name: 'Z' }] }),
    /delivery 2, wicket 1, fielder 1: "Z" is not a player/,
  ],
  ['no list', edit((file) => (ball(file)['wickets'] = 'one')), /delivery 2, wickets: "one" is not a list/],
];

for (const [name, change, sentence] of malformed) {
  test(`a match file with ${name} is refused with a sentence`, () => {
    const file = smallFile();
    const changed = change(file) ?? file;
    assert.throws(
      () => parseMatchFile(JSON.stringify(changed)),
      (error: Error) => {
        assert.ok(error instanceof MatchFileError, String(error));
        assert.match(error.message, sentence);
        return true;
      },
    );
  });
}

test('text that is not JSON, and a file beyond the bound, are refused', () => {
  assert.throws(() => parseMatchFile('{"info":'), /the file is not JSON/);
  assert.throws(() => parseMatchFile(' '.repeat(matchFileBytesMax + 1)), /longer than 2000000 bytes/);
});

test('a small file is read whole', () => {
  const file = parseMatchFile(JSON.stringify(smallFile()));
  assert.deepEqual(file.teams, ['Home', 'Away']);
  assert.equal(file.players.length, 22);
  assert.deepEqual(
    file.deliveries.map((delivery) => delivery.label),
    ['1.0.1', '1.0.2', '2.0.1'],
  );
});

test('both finals are read whole', () => {
  const nineteen = readBundledMatch('final-2019');
  assert.equal(nineteen.deliveries.length, 247);
  assert.equal(nineteen.date, '2019-05-12');
  const twentyOne = readBundledMatch('final-2021');
  assert.equal(twentyOne.deliveries.length, 253);
  for (const { deliveries, players } of [nineteen, twentyOne]) {
    assert.equal(players.length, 22);
    assert.equal(new Set(deliveries.map((delivery) => delivery.label)).size, deliveries.length);
  }
});

function edit(change: (file: Json) => unknown): (file: Json) => undefined {
  return (file) => {
    change(file);
    return undefined;
  };
}
function runs(value: unknown): (file: Json) => undefined {
  return edit((file) => (ball(file)['runs'] = value));
}
function wicket(value: unknown): (file: Json) => undefined {
  return edit((file) => (ball(file)['wickets'] = [value]));
}
function players(file: Json): Record<string, string[]> {
  return file.info['players'] as Record<string, string[]>;
}
function people(file: Json): Record<string, string> {
  return (file.info['registry'] as { people: Record<string, string> }).people;
}
function innings(file: Json): Json['innings'][number] {
  return file.innings[0] as Json['innings'][number];
}
function over(file: Json): Json['innings'][number]['overs'][number] {
  return innings(file).overs[0] as Json['innings'][number]['overs'][number];
}
function ball(file: Json): Record<string, unknown> {
  return over(file).deliveries[1] as Record<string, unknown>;
}
