import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonCodec } from '../proto/codec.json.ts';
import { msgpackCodec } from '../proto/codec.msgpack.ts';
import { codes } from '../proto/codes.ts';
import { limits } from '../proto/limits.ts';
import { brief, createTestbed } from './live.testbed.ts';
import { liveDefaults } from './live-options.ts';

const text = (value: string) => new TextEncoder().encode(value);

test('[PR-5] the first frame is connected, with what the token said', async () => {
  const { clock, connect } = await createTestbed();
  const socket = await connect('u1');
  assert.deepEqual(socket.frames, [
    {
      t: 'connected',
      protocol: 1,
      session: 'e1-1',
      user: 'u1',
      expiresAt: clock.now() - 1 + 3_600_000,
      serverTime: clock.now() - 1,
      idleMs: liveDefaults.idleMs,
    },
  ]);
});

test('[PR-6] requests sent behind connect are answered after it, in their order', async () => {
  const { clock, verifier, open } = await createTestbed();
  verifier.holding = [];
  const socket = open();
  socket.say({ t: 'connect', token: 'u1' });
  socket.say({ t: 'ping', id: 1 });
  socket.say({ t: 'subscribe', id: 2, channel: 'nonsense' });
  socket.say({ t: 'ping', id: 3 });
  await clock.advanceSettled(1_000);
  assert.deepEqual(socket.frames, []);
  for (const go of verifier.holding) go();
  await clock.advanceSettled(1);
  assert.deepEqual(brief(socket.frames), ['connected', 'pong', 'error', 'pong']);
});

test('[PR-2] anything before connect, or a second connect, is a bad frame', async () => {
  const { open, connect } = await createTestbed();
  const early = open();
  early.say({ t: 'ping', id: 1 });
  assert.equal(early.closing()?.code, codes.bad_frame.no);
  assert.match(early.closing()!.reason, /first frame is ping/);
  const twice = await connect('u1');
  twice.say({ t: 'connect', token: 'u1' });
  assert.equal(twice.closing()?.code, codes.bad_frame.no);
  assert.match(twice.closing()!.reason, /second connect/);
  const soon = open();
  soon.say({ t: 'connect', token: 'u1' });
  soon.say({ t: 'connect', token: 'u1' });
  assert.equal(soon.closing()?.code, codes.bad_frame.no);
});

test('[PR-3] a socket that does not connect in time is closed', async () => {
  const { clock, verifier, open, connect } = await createTestbed();
  const quiet = open();
  verifier.holding = [];
  const slow = open();
  slow.say({ t: 'connect', token: 'u1' });
  verifier.holding = null;
  const good = await connect('u2');
  await clock.advanceSettled(liveDefaults.authTimeoutMs - 10);
  assert.equal(quiet.closing(), null);
  await clock.advanceSettled(2_000);
  assert.equal(quiet.closing()?.code, codes.connect_timeout.no);
  assert.equal(slow.closing()?.code, codes.connect_timeout.no);
  assert.equal(good.closing(), null);
});

test('[PR-4] a token that is not valid closes with bad_token before any frame', async () => {
  const { clock, open } = await createTestbed();
  for (const token of ['bad', `u1@${clock.now()}`]) {
    const socket = open();
    socket.say({ t: 'connect', token });
    await clock.advanceSettled(1);
    assert.equal(socket.closing()?.code, codes.bad_token.no);
    assert.ok(socket.closing()!.reason.length > 10);
    assert.deepEqual(socket.frames, []);
  }
});

test('a verifier that fails is a fault of the server: the client comes again', async () => {
  const { clock, open } = await createTestbed();
  const socket = open();
  socket.say({ t: 'connect', token: 'away' });
  await clock.advanceSettled(1);
  assert.equal(socket.closing()?.code, codes.server_error.no);
});

test('[PR-7] a token that runs out closes the socket, unless refreshed', async () => {
  const { clock, connect } = await createTestbed();
  const soon = clock.now() + 60_000;
  const left = await connect(`u1@${soon}`);
  const kept = await connect(`u1@${soon}`);
  await clock.advanceSettled(50_000);
  kept.say({ t: 'refresh', id: 7, token: `u1@${soon + 60_000}` });
  await clock.advanceSettled(12_000);
  assert.equal(left.closing()?.code, codes.token_expired.no);
  assert.equal(kept.closing(), null);
  assert.deepEqual(kept.of('refreshed'), [{ t: 'refreshed', id: 7, expiresAt: soon + 60_000 }]);
  await clock.advanceSettled(60_000);
  assert.equal(kept.closing()?.code, codes.token_expired.no);
});

test('[PR-22] a refresh of another user or with a bad token changes nothing', async () => {
  const { clock, connect } = await createTestbed();
  const soon = clock.now() + 60_000;
  const socket = await connect(`u1@${soon}`);
  const tokens: [string, number][] = [
    ['bad', codes.invalid_token.no],
    [`u1@${clock.now()}`, codes.invalid_token.no],
    ['u2', codes.wrong_user.no],
    ['away', codes.unavailable.no],
  ];
  for (const [i, [token, code]] of tokens.entries()) {
    socket.say({ t: 'refresh', id: i, token });
    await clock.advanceSettled(1);
    assert.deepEqual([socket.of('error')[i]?.id, socket.of('error')[i]?.code], [i, code]);
  }
  assert.equal(socket.closing(), null);
  await clock.advanceSettled(62_000);
  assert.equal(socket.closing()?.code, codes.token_expired.no);
});

test('one refresh at a time', async () => {
  const { clock, verifier, connect } = await createTestbed();
  const socket = await connect('u1');
  verifier.holding = [];
  socket.say({ t: 'refresh', id: 1, token: 'u1' });
  socket.say({ t: 'refresh', id: 2, token: 'u1' });
  for (const go of verifier.holding) go();
  await clock.advanceSettled(1);
  assert.equal(socket.of('error')[0]?.code, codes.rate_limited.no);
  assert.equal(socket.of('refreshed')[0]?.id, 1);
});

test('[PR-11] [PR-12] what is no frame closes its socket with a sentence, and no other', async () => {
  const { open, connect } = await createTestbed();
  const other = await connect('u2');
  const cases: [boolean, Uint8Array][] = [
    [false, text('')],
    [false, text('hello')],
    [false, text('{"t":"nothing"}')],
    [false, text('{"t":"connect"}')],
    [false, text('{"t":"connect","token":7}')],
    [false, text('{"t":"connect","token":"u1","more":1}')],
    [false, text('[1]')],
    [true, new Uint8Array([0xc1])],
    [true, new Uint8Array([])],
    [true, new Uint8Array([0x92, 1])],
    [true, new Uint8Array([0x92, 99, 1])],
    [true, new Uint8Array([0x93, 5, 7, 8])],
  ];
  for (const [binary, bytes] of cases) {
    const socket = open(binary ? msgpackCodec : jsonCodec);
    socket.handler?.onMessage(bytes, binary);
    assert.equal(socket.closing()?.code, codes.bad_frame.no, String(bytes));
    assert.ok(socket.closing()!.reason.length > 10);
  }
  for (const codec of [msgpackCodec, jsonCodec]) {
    const socket = open(codec);
    socket.handler?.onMessage(codec.encode({ t: 'connect', token: 'u1' }), !codec.binary);
    assert.equal(socket.closing()?.code, codes.bad_frame.no);
  }
  assert.equal(other.closing(), null);
});

test('[PR-13] a frame that is too long has a code of its own', async () => {
  const { open } = await createTestbed();
  const socket = open(jsonCodec);
  socket.handler?.onMessage(text(`{"t":"connect","token":"${'x'.repeat(limits.frameBytesMax)}"}`), false);
  assert.equal(socket.closing()?.code, codes.frame_too_large.no);
});

test('[PR-14] a reason is a sentence of at most 123 bytes, cut between characters', async () => {
  const { open } = await createTestbed();
  const socket = open(jsonCodec);
  socket.handler?.onMessage(text(`{"t":"${'ü'.repeat(3_000)}"}`), false);
  const { reason } = socket.closing()!;
  assert.ok(Buffer.byteLength(reason) <= limits.closeReasonBytesMax);
  assert.ok(!reason.includes('\ufffd'));
});

test('[PR-16] every request is answered once, with its id; one that fails changes nothing', async () => {
  const { clock, connect, subscribe, change, model } = await createTestbed();
  const socket = await connect('u1');
  await subscribe(socket, 'contest:small');
  socket.say({ t: 'subscribe', id: 50, channel: 'contest:none' });
  socket.say({ t: 'subscribe', id: 51, channel: 'contest:large' });
  socket.say({ t: 'unsubscribe', id: 52, channel: 'contest:small' });
  socket.say({ t: 'unsubscribe', id: 53, channel: 'contest:small' });
  socket.say({ t: 'ping', id: 54 });
  await clock.advanceSettled(50);
  const answers = socket.frames.flatMap((frame) => ('id' in frame && Number(frame.id) >= 50 ? [frame] : []));
  assert.deepEqual(answers.map((frame) => `${String('id' in frame ? frame.id : '')} ${frame.t}`).sort(), [
    '50 error',
    '51 subscribed',
    '52 unsubscribed',
    '53 error',
    '54 pong',
  ]);
  await change(() => model.setPoints(0, 3));
  assert.ok(socket.of('board').some((board) => board.version === model.version));
});

test('[PR-17] [PR-19] [PR-20] who may subscribe to what, and what is wrong with a request', async () => {
  const { connect, clock } = await createTestbed();
  const socket = await connect('u1');
  const ask = async (t: 'subscribe' | 'unsubscribe', channel: string) => {
    const before = socket.frames.length;
    socket.say({ t, id: before, channel });
    await clock.advanceSettled(40);
    const answer = socket.frames.slice(before).find((frame) => 'id' in frame && frame.id === before);
    return answer?.t === 'error' ? answer.code : answer?.t;
  };
  for (const bad of ['', 'x', 'room:1', 'contest:', 'contest:a b']) {
    assert.equal(await ask('subscribe', bad), codes.bad_channel.no, bad);
    assert.equal(await ask('unsubscribe', bad), codes.bad_channel.no, bad);
  }
  assert.equal(await ask('subscribe', 'feed:u2'), codes.forbidden.no);
  assert.equal(await ask('subscribe', 'user:u2'), codes.forbidden.no);
  for (const channel of ['feed:u1', 'user:u1', 'contest:small', 'match:m1']) {
    assert.equal(await ask('unsubscribe', channel), codes.not_subscribed.no);
    assert.equal(await ask('subscribe', channel), 'subscribed', channel);
    assert.equal(await ask('subscribe', channel), codes.already_subscribed.no);
    assert.equal(await ask('unsubscribe', channel), 'unsubscribed');
    assert.equal(await ask('subscribe', channel), 'subscribed');
  }
});

test('[PR-18] unknown contests and matches', async () => {
  const { connect, subscribe, lookup } = await createTestbed();
  const socket = await connect('u1');
  await subscribe(socket, 'contest:none');
  await subscribe(socket, 'match:none');
  assert.deepEqual(
    socket.of('error').map((error) => [error.code, error.channel]),
    [
      [codes.unknown_contest.no, 'contest:none'],
      [codes.unknown_match.no, 'match:none'],
    ],
  );
  const { length } = lookup.reads;
  await subscribe(await connect('u2'), 'contest:none');
  assert.equal(lookup.reads.length, length, 'remembered');
});

test('[PR-21] at most so many subscriptions', async () => {
  const { connect, subscribe } = await createTestbed({ subscriptionsPerSocketMax: 2 });
  const socket = await connect('u1');
  await subscribe(socket, 'feed:u1');
  await subscribe(socket, 'match:m1');
  assert.equal(await subscribe(socket, 'contest:small'), null);
  assert.equal(socket.of('error')[0]?.code, codes.too_many_subscriptions.no);
  socket.say({ t: 'unsubscribe', id: 9, channel: 'feed:u1' });
  assert.notEqual(await subscribe(socket, 'contest:small'), null);
});

test('[PR-23] too many frames close the socket; others go on', async () => {
  const { clock, verifier, open, connect } = await createTestbed({
    framesPerIntervalMax: 20,
    pendingFramesMax: 5,
  });
  const socket = await connect('u1');
  const other = await connect('u2');
  for (let i = 0; i < 19; i++) socket.say({ t: 'ping', id: i });
  assert.equal(socket.closing(), null);
  await clock.advanceSettled(liveDefaults.framesIntervalMs);
  for (let i = 0; i < 21; i++) socket.say({ t: 'ping', id: i });
  assert.equal(socket.closing()?.code, codes.too_many_frames.no);
  assert.equal(other.closing(), null);
  verifier.holding = [];
  const pushing = open();
  pushing.say({ t: 'connect', token: 'u1' });
  for (let i = 0; i < 6; i++) pushing.say({ t: 'ping', id: i });
  assert.equal(pushing.closing()?.code, codes.too_many_frames.no);
});

test('a back end ends the sockets of one user', async () => {
  const { live, connect } = await createTestbed();
  const sockets = [await connect('u1'), await connect('u2'), await connect('u1'), await connect('u1')];
  sockets[2]!.hangUp();
  assert.equal(live.disconnectUser('u1', 'The account was closed.'), 2);
  assert.deepEqual(
    sockets.map((socket) => socket.closing()?.code),
    [codes.disconnected.no, undefined, 1006, codes.disconnected.no],
  );
  assert.equal(live.disconnectUser('u1', 'Again.'), 0);
  assert.deepEqual([live.counts().sockets, live.counts().ready], [1, 1]);
});

test('a channel whose first joiner is ended as it joins is let go of when the others have left', async () => {
  const { clock, live, connect } = await createTestbed();
  const slow = await connect('u1');
  const other = await connect('u2');
  slow.reading = false;
  slow.bufferBytesMax = 0;
  for (const socket of [slow, other]) socket.say({ t: 'subscribe', id: 1, channel: 'contest:large' });
  await clock.advanceSettled(40);
  assert.equal(slow.closing()?.code, codes.slow.no);
  await clock.advanceSettled(20_000);
  assert.equal(live.counts().channels.contests, 1);
  other.hangUp();
  await clock.advanceSettled(20_000);
  assert.equal(live.counts().channels.contests, 0);
});

test('a thousand sockets come and go, and nothing is left of them', async () => {
  const { clock, live, open } = await createTestbed();
  const sockets = Array.from({ length: 1_000 }, (_, i) => {
    const socket = open(i % 2 === 0 ? msgpackCodec : jsonCodec);
    socket.say({ t: 'connect', token: `u${i % 300}` });
    socket.say({ t: 'subscribe', id: 1, channel: 'contest:large' });
    socket.say({ t: 'subscribe', id: 2, channel: `feed:u${i % 300}` });
    return socket;
  });
  await clock.advanceSettled(100);
  assert.deepEqual(live.counts(), {
    sockets: 1_000,
    ready: 1_000,
    choked: 0,
    subscriptions: { contest: 1_000, match: 0, log: 1_000 },
    channels: { contests: 1, matches: 0, log: 300, stale: 0 },
  });
  assert.deepEqual(live.channelInfo('contest:large').subscribers, 1_000);
  sockets.forEach((socket, i) => {
    if (i % 3 === 0) socket.hangUp();
  });
  live.disconnectUser('u1', 'x');
  for (const socket of sockets) socket.hangUp();
  assert.deepEqual(live.counts().subscriptions, { contest: 0, match: 0, log: 0 });
  await clock.advanceSettled(liveDefaults.channelGraceMs + 1_000);
  assert.deepEqual(live.counts(), {
    sockets: 0,
    ready: 0,
    choked: 0,
    subscriptions: { contest: 0, match: 0, log: 0 },
    channels: { contests: 0, matches: 0, log: 0, stale: 0 },
  });
});

test('metrics say what the live path does', async () => {
  const { registry, connect, subscribe, change, model } = await createTestbed();
  await subscribe(await connect('u1'), 'contest:large');
  await change(() => model.setPoints(0, 9));
  const metrics = await registry.metrics();
  for (const line of [
    /rankcast_sockets\{state="ready"\} 1/,
    /rankcast_subscriptions\{kind="contest"\} 1/,
    /rankcast_channels\{kind="contests"\} 1/,
    /rankcast_frames_sent_total\{frame="board"\} [12]/,
    /rankcast_frames_sent_total\{frame="ranks"\} 2/,
    /rankcast_who_users_total 1/,
    /rankcast_sent_bytes_total \d\d+/,
    new RegExp(`rankcast_mirror_version\\{which="greatest"\\} ${model.version}`),
  ]) {
    assert.match(metrics, line);
  }
});

test('[PR-46] a socket beyond those a user may have is closed, the others stay', async () => {
  const { clock, connect, live } = await createTestbed({ socketsPerUserMax: 2 });
  const first = await connect('u1');
  const second = await connect('u1');
  const third = await connect('u1');
  assert.equal(third.closing()?.code, codes.too_many_sockets.no);
  assert.match(third.closing()!.reason, /User u1 has 2 sockets on this edge/);
  assert.deepEqual(third.frames, []);
  const other = await connect('u2');
  for (const socket of [first, second, other]) assert.equal(socket.closing(), null);
  assert.equal(live.counts().ready, 3);
  first.hangUp();
  await clock.advanceSettled(1);
  assert.equal((await connect('u1')).closing(), null);
});
