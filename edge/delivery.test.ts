import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codes } from '../proto/codes.ts';
import { brief, createTestbed, otherTeam, type Testbed } from './live.testbed.ts';
import { liveDefaults } from './live-options.ts';

/** Until frames are dropped. */
async function overfill(bed: Testbed, dropped: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !dropped(); i++)
    await bed.change(() => bed.model.setPoints(0, bed.model.version));
}

test('[PR-39] a slow socket with state channels only gets the newest when it drains', async () => {
  const bed = await createTestbed();
  const { model, live, connect, subscribe, change } = bed;
  const slow = await connect('u1');
  const quick = await connect('u1');
  for (const channel of ['contest:large', 'contest:small', 'match:m1']) {
    await subscribe(slow, channel);
    await subscribe(quick, channel);
  }
  slow.reading = false;
  await overfill(bed, () => slow.drops > 0);
  assert.deepEqual([...slow.joined], [], 'off all native topics');
  assert.equal(live.counts().choked, 1);
  const { drops } = slow;
  for (let i = 0; i < 5; i++) await change(() => model.setPoints(1, i * 3));
  assert.equal(slow.drops, drops, 'nothing is sent to it');
  slow.drain();
  assert.equal(live.counts().choked, 0);
  assert.deepEqual(brief(slow.frames.slice(-7)), [
    'entries',
    'ranks',
    'board',
    'entries',
    'ranks',
    'board',
    'players',
  ]);
  for (const frame of slow.frames.slice(-7)) assert.equal('version' in frame && frame.version, model.version);
  assert.equal(slow.of('players').at(-1)?.base, -1);
  const seen = quick.frames.length;
  await change(() => model.setPoints(13, 30));
  assert.deepEqual(brief(slow.frames.slice(-5)), brief(quick.frames.slice(seen)), 'live again');
  assert.equal(slow.closing(), null);
});

test('[PR-39] entries that changed while it was slow: hold, board, and later the list', async () => {
  const bed = await createTestbed();
  const { model, bus, clock, connect, subscribe, change } = bed;
  const slow = await connect('u1');
  await subscribe(slow, 'contest:large');
  slow.reading = false;
  await overfill(bed, () => slow.drops > 0);
  bus.holding = true;
  await change(() => model.setEntry('t9', 'u1', ['large'], otherTeam));
  slow.drain();
  assert.deepEqual(brief(slow.frames.slice(-2)), ['hold', 'board']);
  bus.release();
  await clock.advanceSettled(200);
  assert.deepEqual(brief(slow.frames.slice(-2)), ['entries', 'ranks']);
});

test('[PR-39] one that is choked again while it is given the newest waits for the next drain', async () => {
  const bed = await createTestbed();
  const { model, connect, subscribe } = bed;
  const slow = await connect('u1');
  await subscribe(slow, 'contest:large');
  await subscribe(slow, 'contest:small');
  slow.reading = false;
  await overfill(bed, () => slow.drops > 0);
  slow.drain();
  slow.reading = false;
  slow.bufferBytesMax = 300;
  await overfill(bed, () => slow.joined.size === 0);
  slow.handler?.onDrain();
  assert.deepEqual([...slow.joined], []);
  slow.bufferBytesMax = 10_000;
  slow.drain();
  assert.equal(slow.joined.size, 2);
  assert.equal(slow.of('board').at(-1)?.version, model.version);
});

test('[PR-40] a slow socket with a log channel is ended; it resumes and misses nothing', async () => {
  const { connect, subscribe, append, clock } = await createTestbed();
  const slow = await connect('u1');
  const answer = await subscribe(slow, 'feed:u1');
  await subscribe(slow, 'contest:large');
  slow.reading = false;
  slow.bufferBytesMax = 500;
  let n = 0;
  while (slow.closing() === null && n < 100) await append('feed:u1', ++n);
  assert.equal(slow.closing()?.code, codes.slow.no);
  await append('feed:u1', ++n);
  const again = await connect('u1');
  const resumed = await subscribe(again, 'feed:u1', { epoch: answer!.epoch, since: 0 });
  await clock.advanceSettled(10);
  assert.equal(resumed?.recovered, true);
  assert.deepEqual(
    again.of('message').map((message) => message.position),
    Array.from({ length: n }, (_, i) => i + 1),
  );
});

test('[PR-16] [PR-40] an answer that does not fit ends the socket: it is not left out', async () => {
  const bed = await createTestbed();
  const slow = await bed.connect('u1');
  await bed.subscribe(slow, 'contest:large');
  slow.reading = false;
  slow.bufferBytesMax = 200;
  for (let i = 0; i < 100 && slow.closing() === null; i++) slow.say({ t: 'ping', id: i });
  assert.equal(slow.closing()?.code, codes.slow.no);
});

test('a frame that no buffer could take ends the socket', async () => {
  const { connect, subscribe } = await createTestbed();
  const socket = await connect('u1');
  socket.bufferBytesMax = 0;
  socket.reading = false;
  await subscribe(socket, 'contest:large');
  assert.equal(socket.closing()?.code, codes.slow.no);
});

test('a socket whose close does not get through is cut', async () => {
  const { live, clock, connect } = await createTestbed();
  const socket = await connect('u1');
  let cut = 0;
  // A close frame behind a full buffer: the socket stays.
  socket.end = () => {};
  socket.terminate = () => {
    cut++;
    socket.handler?.onClose(1006);
  };
  live.disconnectUser('u1', 'Gone.');
  await clock.advanceSettled(liveDefaults.closeGraceMs - 500);
  assert.equal(cut, 0);
  await clock.advanceSettled(1_000);
  assert.equal(cut, 1);
  assert.equal(live.counts().sockets, 0);
});

test('nobody else waits for a slow socket', async () => {
  const bed = await createTestbed();
  const { model, connect, subscribe } = bed;
  const slow = await connect('u1');
  const quick = await connect('u2');
  await subscribe(slow, 'contest:large');
  await subscribe(quick, 'contest:large');
  slow.reading = false;
  const from = model.version;
  await overfill(bed, () => slow.drops > 0);
  const versions = quick
    .of('board')
    .slice(1)
    .map((board) => board.version);
  assert.deepEqual(
    versions,
    Array.from({ length: model.version - from }, (_, i) => from + 1 + i),
  );
});
