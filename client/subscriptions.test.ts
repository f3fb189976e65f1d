import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../channels/clock.manual.ts';
import { codes } from '../proto/codes.ts';
import { admit, board, connectedClient, message, reconnect, watch } from '../test/kit/connected-client.ts';
import { createFakeEdge } from '../test/kit/fake-edge.ts';
import { settle } from '../test/kit/settle.ts';
import { connect } from './client.ts';

test('[SDK-3] [PR-45] rooms and feeds are asked for again with epoch and position', async () => {
  const set = await connectedClient();
  const { edge, client } = set;
  client.contest('c1');
  admit(edge, 1, { position: 10 });
  edge.socket.say(board(1, 12));
  client.match('m1');
  admit(edge, 2, { position: 10 });
  edge.socket.say({
    t: 'players',
    no: 2,
    base: -1,
    version: 11,
    at: 1,
    pointStep: 1,
    final: false,
    players: [],
  });
  const feed = client.feed();
  admit(edge, 3, { position: 5 });
  edge.socket.say(message(3, 6));
  await reconnect(set);
  assert.deepEqual(
    edge.socket.heard('subscribe').map(({ channel, epoch, since }) => [channel, epoch, since]),
    [
      ['contest:c1', 'e1', 12],
      ['match:m1', 'e1', 11],
      ['feed:1003', 'e1', 6],
    ],
  );
  assert.equal(feed.name, 'feed:1003');
  assert.equal(feed.status, 'joining');
});

test('rooms opened before the connection are asked for once it stands', async () => {
  const clock = createManualClock();
  const edge = createFakeEdge(clock, '42');
  const client = connect({ url: 'ws://localhost:1', token: 'x', WebSocket: edge.WebSocket, clock });
  const notices = client.notices();
  client.contest('c1');
  assert.equal(notices.name, null);
  await settle();
  edge.welcome();
  assert.deepEqual(
    edge.socket.heard('subscribe').map(({ channel }) => channel),
    ['user:42', 'contest:c1'],
  );
});

test('[SDK-12] a refusal that passes is tried again with jitter; any other ends the room', async () => {
  const { clock, edge, client, errors } = await connectedClient();
  const room = client.contest('c1');
  const refuse = (code: number) => {
    const id = edge.socket.heard('subscribe').at(-1)?.id ?? -1;
    edge.socket.say({ t: 'error', id, code, message: 'a sentence', channel: 'contest:c1' });
  };
  refuse(codes.unavailable.no);
  assert.equal(room.status, 'joining');
  await clock.advanceSettled(499);
  assert.equal(edge.socket.heard('subscribe').length, 1);
  await clock.advanceSettled(1);
  assert.equal(edge.socket.heard('subscribe').length, 2);
  refuse(codes.rate_limited.no);
  await clock.advanceSettled(1_000);
  assert.equal(edge.socket.heard('subscribe').length, 3);
  refuse(codes.forbidden.no);
  assert.equal(room.status, 'ended');
  await clock.advanceSettled(12_000);
  assert.equal(edge.socket.heard('subscribe').length, 3);
  assert.deepEqual(
    errors.map(({ code, channel }) => [code, channel]),
    [
      ['unavailable', 'contest:c1'],
      ['rate_limited', 'contest:c1'],
      ['forbidden', 'contest:c1'],
    ],
  );
  assert.notEqual(client.contest('c1'), room);
  assert.equal(edge.socket.heard('subscribe').length, 4);
});

test('[SDK-20] a contest that is not known yet is asked for again for a while, then given up', async () => {
  const { clock, edge, client, errors } = await connectedClient();
  const room = client.contest('c1');
  const refuse = () => {
    const id = edge.socket.heard('subscribe').at(-1)?.id ?? -1;
    edge.socket.say({
      t: 'error',
      id,
      code: codes.unknown_contest.no,
      message: 'No contest c1.',
      channel: 'contest:c1',
    });
  };
  refuse();
  assert.equal(room.status, 'joining');
  await clock.advanceSettled(500);
  assert.equal(edge.socket.heard('subscribe').length, 2);
  assert.deepEqual(errors, []);
  for (let asked = 2; room.status === 'joining' && asked < 100; asked += 1) {
    refuse();
    await clock.advanceSettled(15_000);
  }
  assert.equal(room.status, 'ended');
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['unknown_contest'],
  );
});

test('[SDK-12] a subscription that the edge ends is taken up again, or ends with its code', async () => {
  const { clock, edge, client } = await connectedClient();
  const room = client.contest('c1');
  admit(edge, 1);
  edge.socket.say({ t: 'unsubscribed', channel: 'contest:c1' });
  assert.equal(room.status, 'joining');
  await clock.advanceSettled(500);
  assert.equal(edge.socket.heard('subscribe').length, 2);
  admit(edge, 1);
  edge.socket.say({
    t: 'unsubscribed',
    channel: 'contest:c1',
    code: codes.unknown_contest.no,
    message: 'gone',
  });
  assert.equal(room.status, 'ended');
});

test('[SDK-16] a room that was left is unsubscribed, and its late frames are ignored', async () => {
  const { edge, client, errors } = await connectedClient();
  const room = client.contest('c1');
  const seen = watch(room);
  admit(edge, 1);
  room.close();
  room.close();
  assert.deepEqual(
    edge.socket.heard('unsubscribe').map(({ channel }) => channel),
    ['contest:c1'],
  );
  edge.socket.say(board(1, 5), board(77, 5));
  assert.deepEqual(seen, []);
  assert.deepEqual(errors, []);
});

test('[SDK-16] a room may be left while it joins; its successor asks after the answer', async () => {
  const { edge, client, errors } = await connectedClient();
  client.contest('c1').close();
  const second = client.contest('c1');
  assert.equal(edge.socket.heard('subscribe').length, 1);
  admit(edge, 1);
  assert.deepEqual(
    edge.socket.sent.slice(1).map(({ t }) => t),
    ['subscribe', 'unsubscribe', 'subscribe'],
  );
  edge.socket.say({
    t: 'unsubscribed',
    id: edge.socket.heard('unsubscribe')[0]?.id ?? -1,
    channel: 'contest:c1',
  });
  admit(edge, 1);
  assert.equal(second.status, 'live');
  edge.socket.say(board(1, 5));
  assert.equal(second.version, 5);
  assert.deepEqual(errors, []);
});

test('a listener that throws disturbs neither the others nor the client', async () => {
  const { edge, client } = await connectedClient();
  const room = client.contest('c1');
  const thrown: unknown[] = [];
  const former = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => thrown.push(error));
  room.on('board', () => {
    throw new Error('mine');
  });
  const seen = watch(room);
  admit(edge, 1);
  edge.socket.say(board(1, 5));
  await settle();
  for (const listener of former) process.on('uncaughtException', listener);
  assert.equal(seen.length, 1);
  assert.match(String(thrown[0]), /mine/);
});
