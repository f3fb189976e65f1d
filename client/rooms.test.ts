import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codes } from '../proto/codes.ts';
import type { BoardFrame, PlayersFrame, TopRow } from '../proto/frames.ts';
import { createFakeEdge, type FakeEdge } from '../test/kit/fake-edge.ts';
import { createManualClock, settle } from '../test/kit/manual-clock.ts';
import { connect } from './connect.ts';
import type { ContestRoom } from './contest-room.ts';
import type { MessageLog } from './message-log.ts';
import type { RankcastError } from './rankcast-error.ts';

async function setUp() {
  const clock = createManualClock();
  const edge = createFakeEdge(clock);
  const client = connect({
    url: 'ws://localhost:1',
    token: 'fixed',
    WebSocket: edge.WebSocket,
    clock,
    random: () => 0.5,
  });
  const errors: RankcastError[] = [];
  client.on('error', (error) => errors.push(error));
  await settle();
  edge.welcome();
  return { clock, edge, client, errors };
}

/** Answers the newest `subscribe`. */
function admit(
  edge: FakeEdge,
  no: number,
  given: { position?: number; epoch?: string; recovered?: boolean } = {},
) {
  const request = edge.socket.heard('subscribe').at(-1);
  if (request === undefined) throw new Error('no subscribe');
  const { id, channel } = request;
  const kind = channel.startsWith('feed') || channel.startsWith('user') ? 'log' : 'state';
  const { position = 0, epoch = 'e1', recovered = true } = given;
  edge.socket.say({ t: 'subscribed', id, no, channel, kind, epoch, position, recovered });
}
async function reconnect({ clock, edge, client }: Awaited<ReturnType<typeof setUp>>): Promise<void> {
  edge.socket.end(1006);
  await clock.advance(client.status.retryInMs ?? -1);
  edge.welcome();
}
function board(no: number, version: number, given: Partial<BoardFrame> = {}): BoardFrame {
  const top: TopRow[] = [[1, 'e9', 120, 'u9']];
  const fixed = { scoreStep: 0.5, prizes: 0, final: false, stale: false, top };
  return { t: 'board', no, version, at: 7, total: 4, ...fixed, ...given };
}
function players(base: number, version: number, list: [string, number][], label?: string): PlayersFrame {
  const frame: PlayersFrame = {
    t: 'players',
    no: 2,
    base,
    version,
    at: 7,
    pointStep: 1,
    final: false,
    players: list,
  };
  return label === undefined ? frame : { ...frame, label };
}
function message(no: number, position: number) {
  return {
    t: 'message',
    no,
    position,
    at: position,
    id: `m${position}`,
    data: { type: 'follower', user: 'x' },
  } as const;
}
/** Versions of what a room emits, in order; ranks with their entries. */
function watch(room: ContestRoom): string[] {
  const seen: string[] = [];
  room.on('board', ({ version }) => {
    const own = room.entries.map(({ entry, score, rank }) => `${entry}:${score}#${rank}`).join(' ');
    seen.push(`board ${version} ranks ${room.ranksVersion}${room.held ? ' held' : ''} ${own}`.trim());
  });
  room.on('entries', (entries) => seen.push(`entries ${entries.map(({ entry }) => entry).join(' ')}`.trim()));
  return seen;
}
function watchLog(log: MessageLog): string[] {
  const seen: string[] = [];
  log.on('message', ({ position }) => seen.push(`${position}`));
  log.on('gap', ({ code, from, to }) => seen.push(`gap ${code} ${from}-${to}`));
  return seen;
}

test('a room puts together board and own entries with score, rank and percentile', async () => {
  const { edge, client } = await setUp();
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
  const { edge, client } = await setUp();
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

test('[SDK-3] [PR-45] rooms and feeds are asked for again with epoch and position', async () => {
  const set = await setUp();
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

test('[SDK-3] own ranks that came without their board are not forgotten by the position', async () => {
  const set = await setUp();
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

test('[SDK-7] messages come in order and once; a repeat or a hole is an order error', async () => {
  const { edge, client, errors } = await setUp();
  const seen = watchLog(client.feed());
  admit(edge, 3, { position: 5 });
  edge.socket.say(message(3, 6), message(3, 7), message(3, 7), message(3, 5), message(3, 9), message(3, 10));
  assert.deepEqual(seen, ['6', '7', '9', '10']);
  assert.deepEqual(
    errors.map((error) => `${error.code} ${error.message}`),
    [
      'order feed:1003: message 7 came after 7',
      'order feed:1003: message 5 came after 7',
      'order feed:1003: message 9 came after 7',
    ],
  );
});

test('[SDK-7] a resumed log goes on where it was', async () => {
  const set = await setUp();
  const seen = watchLog(set.client.feed());
  admit(set.edge, 3, { position: 5 });
  set.edge.socket.say(message(3, 6));
  await reconnect(set);
  admit(set.edge, 8, { position: 8 });
  set.edge.socket.say(message(8, 7), message(8, 8), message(8, 9));
  assert.deepEqual(seen, ['6', '7', '8', '9']);
  assert.deepEqual(set.errors, []);
});

test('[SDK-8] a gap is told: at resuming, on the way, and when the epoch is another', async () => {
  const set = await setUp();
  const seen = watchLog(set.client.feed());
  admit(set.edge, 3, { position: 5 });
  set.edge.socket.say(message(3, 6));
  await reconnect(set);
  admit(set.edge, 1, { position: 90, recovered: false });
  set.edge.socket.say(message(1, 91));
  await reconnect(set);
  admit(set.edge, 1, { position: 2, recovered: false, epoch: 'e2' });
  set.edge.socket.say(message(1, 3));
  const gone = { code: codes.history_gone.no, message: 'too far behind' };
  set.edge.socket.say({ t: 'gap', no: 1, epoch: 'e2', position: 50, ...gone }, message(1, 51));
  assert.deepEqual(seen, [
    '6',
    'gap history_gone 6-90',
    '91',
    'gap epoch_changed 91-2',
    '3',
    'gap history_gone 3-50',
    '51',
  ]);
  assert.deepEqual(set.errors, []);
  await reconnect(set);
  assert.deepEqual(set.edge.socket.heard('subscribe')[0], {
    t: 'subscribe',
    id: set.edge.socket.heard('subscribe')[0]?.id,
    channel: 'feed:1003',
    epoch: 'e2',
    since: 51,
  });
});

test('[SDK-10] a version from the past is reported and not taken', async () => {
  const { edge, client, errors } = await setUp();
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
  const set = await setUp();
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
  const { edge, client } = await setUp();
  const room = client.contest('c1');
  const seen: unknown[] = [];
  room.on('stale', (stale) => seen.push(stale));
  room.on('behind', (behind) => seen.push(behind));
  admit(edge, 1, { position: 10 });
  edge.socket.say({ t: 'behind', no: 1, version: 3, since: 10 });
  edge.socket.say(board(1, 12), board(1, 12, { stale: true }), board(1, 12, { stale: true }), board(1, 13));
  assert.deepEqual(seen, [{ version: 3, since: 10 }, true, false]);
});

test('[SDK-11] a match is put together from a whole state and changes', async () => {
  const { clock, edge, client, errors } = await setUp();
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

test('[SDK-12] a refusal that passes is tried again with jitter; any other ends the room', async () => {
  const { clock, edge, client, errors } = await setUp();
  const room = client.contest('c1');
  const refuse = (code: number) => {
    const id = edge.socket.heard('subscribe').at(-1)?.id ?? -1;
    edge.socket.say({ t: 'error', id, code, message: 'a sentence', channel: 'contest:c1' });
  };
  refuse(codes.unavailable.no);
  assert.equal(room.status, 'joining');
  await clock.advance(499);
  assert.equal(edge.socket.heard('subscribe').length, 1);
  await clock.advance(1);
  assert.equal(edge.socket.heard('subscribe').length, 2);
  refuse(codes.rate_limited.no);
  await clock.advance(1_000);
  assert.equal(edge.socket.heard('subscribe').length, 3);
  refuse(codes.unknown_contest.no);
  assert.equal(room.status, 'ended');
  await clock.advance(12_000);
  assert.equal(edge.socket.heard('subscribe').length, 3);
  assert.deepEqual(
    errors.map(({ code, channel }) => [code, channel]),
    [
      ['unavailable', 'contest:c1'],
      ['rate_limited', 'contest:c1'],
      ['unknown_contest', 'contest:c1'],
    ],
  );
  assert.notEqual(client.contest('c1'), room);
  assert.equal(edge.socket.heard('subscribe').length, 4);
});

test('[SDK-12] a subscription that the edge ends is taken up again, or ends with its code', async () => {
  const { clock, edge, client } = await setUp();
  const room = client.contest('c1');
  admit(edge, 1);
  edge.socket.say({ t: 'unsubscribed', channel: 'contest:c1' });
  assert.equal(room.status, 'joining');
  await clock.advance(500);
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
  const { edge, client, errors } = await setUp();
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

test('[SDK-16] a room left while it joins is left when the answer comes; its successor asks after that', async () => {
  const { edge, client, errors } = await setUp();
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
  const { edge, client } = await setUp();
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
