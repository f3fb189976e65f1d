import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './random.ts';
import { seededTeams, teamsDefaults } from './teams.ts';

const players = Array.from({ length: 22 }, (_, index) => `p${index}`);

test('teams are eleven different players, captain and vice-captain among them, the same for a seed', () => {
  const teams = seededTeams({ seed: 7, count: 2_000, players });
  for (const team of teams) {
    assert.equal(new Set(team.players).size, 11);
    assert.ok(team.players.every((player) => players.includes(player)));
    assert.notEqual(team.captain, team.viceCaptain);
    assert.ok(team.players.includes(team.captain) && team.players.includes(team.viceCaptain));
  }
  assert.equal(new Set(teams.map((team) => team.entry)).size, 2_000);
  assert.deepEqual(seededTeams({ seed: 7, count: 2_000, players }), teams);
  assert.notDeepEqual(seededTeams({ seed: 8, count: 2_000, players }), teams);
});

test('some players are far more popular than others, and captains more so', () => {
  const teams = seededTeams({ seed: 1, count: 20_000, players });
  const held = players.map((player) => teams.filter((team) => team.players.includes(player)).length / 20_000);
  const led = players.map((player) => teams.filter((team) => team.captain === player).length / 20_000);
  assert.ok(Math.max(...held) > 0.9, String(held));
  assert.ok(Math.min(...held) < 0.35 && Math.min(...held) > 0.05, String(held));
  assert.ok(Math.max(...led) > 5 * Math.min(...led), String(led));
});

test('most users own one team, some several, none more than allowed', () => {
  const teams = seededTeams({ seed: 3, count: 10_000, players, userOf: (n) => `user-${n}` });
  const owned = new Map<string, number>();
  for (const { user } of teams) owned.set(user, (owned.get(user) ?? 0) + 1);
  const counts = [...owned.values()];
  assert.ok(counts.filter((count) => count === 1).length > counts.length / 2);
  assert.ok(counts.filter((count) => count > 2).length > counts.length / 20);
  assert.ok(Math.max(...counts) <= teamsDefaults.teamsPerUserMax);
  assert.equal(teams[0]?.user, 'user-0');
});

test('fewer than eleven players, or the same twice, make no teams', () => {
  assert.throws(
    () => seededTeams({ seed: 1, count: 1, players: players.slice(0, 10) }),
    /eleven different players/,
  );
  assert.throws(
    () => seededTeams({ seed: 1, count: 1, players: [...players, 'p0'] }),
    /eleven different players/,
  );
});

test('random numbers are the same for a seed and spread evenly', () => {
  const random = createRandom(42);
  const again = createRandom(42);
  const tenths = new Array<number>(10).fill(0);
  for (let n = 0; n < 100_000; n++) {
    const value = random();
    assert.equal(value, again());
    tenths[Math.floor(value * 10)]! += 1;
  }
  for (const count of tenths) assert.ok(Math.abs(count - 10_000) < 500, String(tenths));
  assert.notEqual(createRandom(1)(), createRandom(1 + 2 ** 32)());
});
