import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brief, createTestbed } from './live.testbed.ts';

test('[PR-41] a drain tells everybody to move, serves on, and ends who is left', async () => {
  const { clock, live, connect, open } = await createTestbed({ drainBatchSockets: 2 });
  const sockets = await Promise.all(Array.from({ length: 5 }, (_, i) => connect(`u${i}`)));
  let over = false;
  const done = live.startDrain(20_000).then(() => {
    over = true;
  });
  await clock.advanceSettled(200);
  for (const socket of sockets) assert.equal(socket.of('move').length, 1);
  assert.ok(sockets[0]!.of('move')[0]!.withinMs <= 20_000);
  assert.equal(live.readyState(), 'draining');
  sockets[0]!.say({ t: 'ping', id: 1 });
  assert.equal(sockets[0]!.of('pong').length, 1);
  sockets[1]!.hangUp();
  const late = open();
  late.say({ t: 'connect', token: 'u9' });
  await clock.advanceSettled(10);
  assert.deepEqual(brief(late.frames), ['connected', 'move']);
  assert.ok(late.of('move')[0]!.withinMs < 20_000);
  await clock.advanceSettled(19_000);
  assert.equal(over, false);
  await clock.advanceSettled(1_500);
  await done;
  const ends = [...sockets, late].map((socket) => socket.closing()?.code);
  assert.deepEqual(ends, [4000, 1006, 4000, 4000, 4000, 4000]);
  live.close();
  assert.equal(live.readyState(), 'closed');
});

test('a drain is over as soon as no socket is left', async () => {
  const { clock, live, connect } = await createTestbed();
  const sockets = [await connect('u1'), await connect('u2')];
  let over = false;
  const done = live.startDrain(20_000).then(() => {
    over = true;
  });
  sockets[0]!.hangUp();
  await clock.advanceSettled(10);
  assert.equal(over, false);
  sockets[1]!.hangUp();
  await done;

  const empty = await createTestbed();
  await empty.live.startDrain(20_000);
});
