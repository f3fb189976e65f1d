import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit, connectedClient, players } from '../test/kit/connected-client.ts';

test('[SDK-11] a match is put together from a whole state and changes', async () => {
  const { clock, edge, client, errors } = await connectedClient();
  const match = client.match('m1');
  const told: unknown[] = [];
  match.on('players', ({ version, label, players: list }) => told.push([version, label, list]));
  admit(edge, 2, { position: 10 });
  edge.socket.say(
    players(-1, 10, [
      ['p1', 4],
      ['p2', 4],
    ]),
  );
  edge.socket.say(players(10, 12, [['p1', 9]], '1.0.1'), players(9, 14, [['p2', -2]]));
  assert.deepEqual(
    [...match.players],
    [
      ['p1', 9],
      ['p2', -2],
    ],
  );
  assert.deepEqual([match.version, match.label], [14, '1.0.1']);
  assert.deepEqual(told.at(-1), [14, '1.0.1', [['p2', -2]]]);
  assert.equal(errors.length, 0);
  edge.socket.say(players(8, 14, [['p2', 0]]), players(8, 13, [['p2', 0]]), players(15, 16, [['p2', 0]]));
  assert.deepEqual(
    errors.map((error) => error.message),
    [
      'match:m1: changes of version 14 came twice',
      'match:m1: points of version 13 came after version 14',
      'match:m1: changes from version 15 came at version 14',
    ],
  );
  assert.equal(match.players.get('p2'), -2);
  assert.deepEqual(edge.socket.sent.at(-1)?.t, 'unsubscribe');
  edge.socket.say(players(14, 17, [['p2', 100]]));
  assert.equal(match.players.get('p2'), -2);
  await clock.advance(1_000);
  assert.equal(edge.socket.heard('subscribe').at(-1)?.since, 14);
  admit(edge, 2, { position: 16 });
  edge.socket.say(players(-1, 16, [['p1', 9]]));
  assert.deepEqual([...match.players], [['p1', 9]]);
});
