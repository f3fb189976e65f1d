import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBundledMatch } from '../bundled.ts';
import { pageMatchOf } from '../page-data.ts';
import { createRandom } from '../random.ts';
import { changed, emptyTeam, lackOf, randomTeam } from './team-draft.ts';

const { players } = pageMatchOf(readBundledMatch('final-2019'), '');
const ids = players.map(({ id }) => id);

test('it says what a team lacks, until it lacks nothing', () => {
  assert.equal(lackOf(emptyTeam()), 'Pick 11 more');
  const eleven = new Set(ids.slice(0, 11));
  assert.equal(lackOf({ players: new Set(ids.slice(0, 12)), captain: null, vice: null }), 'Drop 1');
  assert.equal(lackOf({ players: eleven, captain: null, vice: null }), 'Choose a captain and a vice-captain');
  assert.equal(lackOf({ players: eleven, captain: null, vice: ids[0] as string }), 'Choose a captain');
  assert.equal(lackOf({ players: eleven, captain: ids[0] as string, vice: null }), 'Choose a vice-captain');
  assert.equal(lackOf({ players: eleven, captain: ids[0] as string, vice: ids[1] as string }), null);
});

test('a drawn team is whole, and draws everyone sooner or later', () => {
  const random = createRandom(7);
  const seen = new Set<string>();
  for (let round = 0; round < 60; round++) {
    const team = randomTeam(players, random);
    assert.equal(lackOf(team), null);
    for (const player of team.players) seen.add(player);
  }
  assert.equal(seen.size, players.length);
});

test('one who is dropped leads no more; nobody leads twice', () => {
  let team = emptyTeam();
  for (const player of ['a', 'b', 'c']) team = changed(team, player, 'pick');
  team = changed(changed(team, 'a', 'captain'), 'b', 'vice');
  assert.deepEqual([team.captain, team.vice], ['a', 'b']);
  team = changed(team, 'b', 'captain');
  assert.deepEqual([team.captain, team.vice], ['b', null]);
  team = changed(team, 'b', 'vice');
  assert.deepEqual([team.captain, team.vice], [null, 'b']);
  team = changed(team, 'b', 'drop');
  assert.deepEqual([team.captain, team.vice, [...team.players]], [null, null, ['a', 'c']]);
});
