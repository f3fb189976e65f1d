import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonCodec } from '../proto/codec.json.ts';
import { codes } from '../proto/codes.ts';
import { brief, createTestbed } from './live.testbed.ts';

test('[PR-27] without since: recovered, and the next message is the first', async () => {
  const { connect, subscribe, append } = await createTestbed();
  for (let n = 1; n <= 3; n++) await append('feed:u1', n);
  const socket = await connect('u1');
  const answer = await subscribe(socket, 'feed:u1');
  assert.deepEqual([answer?.kind, answer?.position, answer?.recovered], ['log', 3, true]);
  await append('feed:u1', 4);
  assert.deepEqual(
    socket.of('message').map((message) => message.position),
    [4],
  );
  assert.deepEqual(socket.of('message')[0], {
    t: 'message',
    no: answer?.no,
    position: 4,
    at: 4,
    id: 'i4',
    data: { n: 4 },
  });
});

test('[PR-28] with since: all that was missed, then what is new', async () => {
  const { connect, subscribe, append } = await createTestbed();
  for (let n = 1; n <= 6; n++) await append('user:u1', n);
  const socket = await connect('u1', jsonCodec);
  const answer = await subscribe(socket, 'user:u1', { epoch: 'e1', since: 2 });
  await append('user:u1', 7);
  assert.deepEqual([answer?.position, answer?.recovered], [6, true]);
  assert.deepEqual(
    socket.of('message').map((message) => message.position),
    [3, 4, 5, 6, 7],
  );
});

test('[PR-29] what cannot be recovered is said so', async () => {
  const { bus, connect, subscribe, append } = await createTestbed();
  bus.kept = 3;
  for (let n = 1; n <= 9; n++) await append('feed:u1', n);
  const cases = [
    { epoch: 'e0', since: 9 },
    { epoch: 'e1', since: 2 },
    { epoch: 'e1', since: 99 },
  ];
  for (const since of cases) {
    const socket = await connect('u1');
    const answer = await subscribe(socket, 'feed:u1', since);
    assert.deepEqual([answer?.position, answer?.recovered], [9, false]);
    assert.equal(socket.of('message').length, 0);
  }
});

test('[PR-26] gaps of history and of epochs', async () => {
  const { bus, clock, connect, subscribe, append } = await createTestbed();
  const socket = await connect('u1');
  const answer = await subscribe(socket, 'feed:u1');
  bus.kept = 2;
  bus.losing = true;
  for (let n = 1; n <= 5; n++) await append('feed:u1', n);
  bus.losing = false;
  await append('feed:u1', 6);
  await clock.advanceSettled(10);
  const [gone] = socket.of('gap');
  assert.deepEqual([gone?.no, gone?.position, gone?.code], [answer?.no, 4, codes.history_gone.no]);
  bus.loseMemory();
  await append('feed:u1', 1);
  await clock.advanceSettled(10);
  const anew = socket.of('gap')[1];
  assert.deepEqual([anew?.epoch, anew?.position, anew?.code], ['e1+', 0, codes.epoch_changed.no]);
  assert.deepEqual(brief(socket.frames.slice(2)), ['gap', 'message', 'message', 'gap', 'message']);
});

test('[PR-24] nothing comes behind unsubscribed', async () => {
  const { model, connect, subscribe, append, change } = await createTestbed();
  const socket = await connect('u1');
  const channels = ['feed:u1', 'contest:small', 'contest:large', 'match:m1'];
  for (const channel of channels) await subscribe(socket, channel);
  channels.forEach((channel, i) => {
    socket.say({ t: 'unsubscribe', id: i, channel });
  });
  const { length } = socket.frames;
  await append('feed:u1', 1);
  await change(() => model.setPoints(0, 9));
  assert.equal(socket.frames.length, length);
});

test('a bus that cannot be read: unavailable, and the request may come again', async () => {
  const { bus, connect, subscribe } = await createTestbed();
  const socket = await connect('u1');
  bus.failing = true;
  assert.equal(await subscribe(socket, 'feed:u1'), null);
  assert.equal(socket.of('error')[0]?.code, codes.unavailable.no);
  bus.failing = false;
  assert.equal((await subscribe(socket, 'feed:u1'))?.position, 0);
});

test('a message reaches every socket of its user, encoded as each likes it', async () => {
  const { live, connect, subscribe, append } = await createTestbed();
  const sockets = [await connect('u1'), await connect('u1', jsonCodec)];
  for (const socket of sockets) await subscribe(socket, 'feed:u1');
  await append('feed:u1', 1);
  for (const socket of sockets) assert.deepEqual(socket.of('message')[0]?.data, { n: 1 });
  assert.deepEqual(live.channelInfo('feed:u1'), {
    channel: 'feed:u1',
    kind: 'log',
    subscribers: 2,
    epoch: 'e1',
    position: 1,
  });
  assert.equal(live.channelInfo('feed:u2').subscribers, 0);
  assert.throws(() => live.channelInfo('what'), /no colon/);
});
