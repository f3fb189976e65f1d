import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codes } from '../proto/codes.ts';
import { admit, board, connectedClient, reconnect, watch } from '../test/kit/connected-client.ts';

test('a room puts together board and own entries with score, rank and percentile', async () => {
  const { edge, client } = await connectedClient();
  const room = client.contest('c1');
  assert.equal(client.contest('c1'), room);
  assert.deepEqual(edge.socket.heard('subscribe'), [{ t: 'subscribe', id: 1, channel: 'contest:c1' }]);
  assert.equal(room.status, 'joining');
  admit(edge, 3, { position: 10 });
  assert.equal(room.status, 'live');
  edge.socket.say(board(3, 10));
  assert.deepEqual([room.version, room.ranksVersion, room.held, room.board?.top.length], [10, -1, true, 1]);
  edge.socket.say({ t: 'entries', no: 3, version: 10, entries: [['a', ['p1', 'p2'], 'p1', 'p2'], ['b']] });
  assert.equal(room.held, true);
  edge.socket.say({ t: 'ranks', no: 3, version: 10, rows: [0, 90, 2, 1, 80, 4] });
  assert.deepEqual(room.entries, [
    {
      entry: 'a',
      players: ['p1', 'p2'],
      captain: 'p1',
      viceCaptain: 'p2',
      score: 90,
      rank: 2,
      percentile: 75,
    },
    { entry: 'b', players: null, captain: null, viceCaptain: null, score: 80, rank: 4, percentile: 25 },
  ]);
  assert.deepEqual([room.ranksVersion, room.held], [10, false]);
  edge.socket.say(board(3, 12, { total: 8 }));
  assert.deepEqual([room.version, room.ranksVersion, room.entries[0]?.percentile], [12, 12, 87.5]);
});

test('[SDK-9] when a board is emitted own ranks are exact as of it, unless held', async () => {
  const { edge, client } = await connectedClient();
  const room = client.contest('c1');
  const seen = watch(room);
  admit(edge, 3, { position: 10 });
  edge.socket.say(board(3, 10), board(3, 11));
  edge.socket.say({ t: 'entries', no: 3, version: 11, entries: [['a'], ['b']] });
  edge.socket.say({ t: 'ranks', no: 3, version: 11, rows: [0, 5, 1, 1, 4, 2] });
  edge.socket.say(board(3, 12), { t: 'ranks', no: 3, version: 13, rows: [1, 6, 1] }, board(3, 13));
  edge.socket.say({ t: 'hold', no: 3, version: 13 }, board(3, 14));
  edge.socket.say({ t: 'entries', no: 3, version: 14, entries: [['b'], ['c']] });
  edge.socket.say({ t: 'ranks', no: 3, version: 14, rows: [0, 6, 1, 1, 2, 9] }, board(3, 15));
  edge.socket.say(
    { t: 'hold', no: 3, version: 15 },
    { t: 'entries', no: 3, version: 16, entries: [] },
    board(3, 16),
  );
  assert.deepEqual(seen, [
    'board 10 ranks -1 held',
    'board 11 ranks -1 held',
    'entries a b',
    'board 12 ranks 12 a:5#1 b:4#2',
    'board 13 ranks 13 a:5#1 b:6#1',
    'board 14 ranks 13 held a:5#1 b:6#1',
    'entries b c',
    'board 15 ranks 15 b:6#1 c:2#9',
    'entries',
    'board 16 ranks 16',
  ]);
});

test('[SDK-19] a view is board and own ranks of one moment, also in a contest that is quiet', async () => {
  const { edge, client } = await connectedClient();
  const room = client.contest('c1');
  const seen: string[] = [];
  room.on('view', ({ board, entries }) =>
    seen.push(`${board.version} ${entries.map(({ entry, rank }) => `${entry}#${rank}`).join(' ')}`),
  );
  admit(edge, 3, { position: 10 });
  edge.socket.say(board(3, 10), { t: 'entries', no: 3, version: 10, entries: [['a']] });
  assert.deepEqual(seen, []);
  edge.socket.say({ t: 'ranks', no: 3, version: 10, rows: [0, 5, 3] });
  // ranks before their board are of another moment than the board on show
  edge.socket.say({ t: 'ranks', no: 3, version: 11, rows: [0, 6, 2] });
  assert.deepEqual(seen, ['10 a#3']);
  edge.socket.say(board(3, 11), board(3, 12));
  edge.socket.say({ t: 'hold', no: 3, version: 12 }, board(3, 13));
  assert.deepEqual(seen.splice(0), ['10 a#3', '11 a#2', '12 a#2']);
  edge.socket.say({ t: 'entries', no: 3, version: 13, entries: [] });
  edge.socket.say(board(3, 14));
  assert.deepEqual(seen, ['13 ', '14 ']);
});

test('[SDK-3] own ranks that came without their board are not forgotten by the position', async () => {
  const set = await connectedClient();
  const { edge, client, errors } = set;
  const room = client.contest('c1');
  admit(edge, 1, { position: 10 });
  edge.socket.say(board(1, 10), { t: 'entries', no: 1, version: 10, entries: [['a']] });
  edge.socket.say(
    { t: 'ranks', no: 1, version: 10, rows: [0, 1, 1] },
    { t: 'ranks', no: 1, version: 12, rows: [0, 2, 1] },
  );
  await reconnect(set);
  assert.equal(edge.socket.heard('subscribe')[0]?.since, 12);
  admit(edge, 1, { position: 13 });
  assert.equal(room.held, true);
  edge.socket.say(board(1, 13));
  assert.deepEqual([room.version, room.ranksVersion, room.entries[0]?.score], [13, 12, 2]);
  assert.deepEqual(errors, []);
});

test('[SDK-10] a version from the past is reported and not taken', async () => {
  const { edge, client, errors } = await connectedClient();
  const room = client.contest('c1');
  admit(edge, 1, { position: 10 });
  edge.socket.say(board(1, 12), board(1, 11, { total: 99 }));
  assert.deepEqual([room.version, room.board?.total], [12, 4]);
  edge.socket.say({ t: 'entries', no: 1, version: 12, entries: [['a']] });
  edge.socket.say(
    { t: 'ranks', no: 1, version: 12, rows: [0, 5, 1] },
    { t: 'ranks', no: 1, version: 9, rows: [0, 1, 9] },
  );
  assert.equal(room.entries[0]?.rank, 1);
  edge.socket.say({ t: 'ranks', no: 1, version: 12, rows: [4, 1, 9] });
  assert.deepEqual(
    errors.map((error) => `${error.code} ${error.message}`),
    [
      'order contest:c1: a board of version 11 came after version 12',
      'order contest:c1: ranks of version 9 came after version 12',
      'bad_answer contest:c1: ranks name own entry 4 of 1',
    ],
  );
});

test('[SDK-10] another epoch begins versions anew: at joining and by gap', async () => {
  const set = await connectedClient();
  const { edge, client, errors } = set;
  const room = client.contest('c1');
  admit(edge, 1, { position: 10 });
  edge.socket.say(board(1, 12));
  await reconnect(set);
  admit(edge, 1, { position: 3, epoch: 'e2', recovered: false });
  assert.deepEqual([room.version, room.board?.version], [-1, 12]);
  edge.socket.say(board(1, 3));
  assert.deepEqual([room.version, room.board?.version], [3, 3]);
  edge.socket.say({ t: 'entries', no: 1, version: 3, entries: [] });
  const changed = { code: codes.epoch_changed.no, message: 'anew' };
  edge.socket.say({ t: 'gap', no: 1, epoch: 'e3', position: 0, ...changed });
  assert.deepEqual([room.version, room.held, room.entries.length], [-1, true, 0]);
  edge.socket.say(board(1, 1));
  assert.equal(room.version, 1);
  assert.deepEqual(errors, []);
});

test('stale and behind are told', async () => {
  const { edge, client } = await connectedClient();
  const room = client.contest('c1');
  const seen: unknown[] = [];
  room.on('stale', (stale) => seen.push(stale));
  room.on('behind', (behind) => seen.push(behind));
  admit(edge, 1, { position: 10 });
  edge.socket.say({ t: 'behind', no: 1, version: 3, since: 10 });
  edge.socket.say(board(1, 12), board(1, 12, { stale: true }), board(1, 12, { stale: true }), board(1, 13));
  assert.deepEqual(seen, [{ version: 3, since: 10 }, true, false]);
});
