import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codes } from '../../proto/codes.ts';
import { brief, createTestbed } from '../live.testbed.ts';

test('[PR-30] [PR-32] a match: whole, then what changed since the last publication', async () => {
  const { model, connect, subscribe, change } = await createTestbed();
  const socket = await connect('u1');
  const answer = await subscribe(socket, 'match:m1');
  assert.deepEqual([answer?.kind, answer?.epoch], ['state', 'em']);
  const first = model.version;
  await change(() => model.setPoints(3, 9, 'over 1.2'));
  await change(() => model.addPlayers(['late']));
  const [whole, changed, grown] = socket.of('players');
  assert.deepEqual([whole?.base, whole?.version, whole?.players.length], [-1, first, 14]);
  assert.deepEqual(changed?.players, [['p3', 4.5]]);
  assert.deepEqual([changed?.base, changed?.version, changed?.label], [first, first + 1, 'over 1.2']);
  assert.deepEqual([grown?.base, grown?.players], [first + 1, [['late', 0]]]);
});

test('[VIEW-14] frames that come close together are one, with all players touched', async () => {
  const { model, clock, connect, subscribe, ranker } = await createTestbed();
  const socket = await connect('u1');
  await subscribe(socket, 'match:m1');
  for (let i = 0; i < 4; i++) {
    model.setPoints(i, 10);
    await ranker.tick();
  }
  await clock.advanceSettled(50);
  const frames = socket.of('players').slice(1);
  assert.equal(frames.length, 2);
  assert.deepEqual(frames[1]?.players.map((row) => row[0]).sort(), ['p1', 'p2', 'p3']);
  assert.equal(frames[1]?.base, frames[0]?.version);
});

test('[PR-32] after a gap on the bus everybody gets the whole state', async () => {
  const { model, bus, connect, subscribe, change } = await createTestbed();
  const socket = await connect('u1');
  await subscribe(socket, 'match:m1');
  bus.losing = true;
  await change(() => model.setPoints(1, 8));
  bus.losing = false;
  await change(() => model.setPoints(2, 8));
  const last = socket.of('players').at(-1);
  assert.deepEqual([last?.base, last?.version, last?.players.length], [-1, model.version, 14]);
});

test('[PR-31] a resumed match goes on, never backwards', async () => {
  const { model, clock, connect, subscribe, change } = await createTestbed();
  await subscribe(await connect('u0'), 'match:m1');
  const socket = await connect('u1');
  const answer = await subscribe(socket, 'match:m1', { epoch: 'em', since: model.version + 2 });
  assert.equal(answer?.recovered, true);
  await change(() => model.setPoints(1, 1));
  assert.equal(socket.of('players').length, 0);
  await change(() => model.setPoints(1, 2));
  await clock.advanceSettled(50);
  assert.deepEqual(
    socket.of('players').map((frame) => [frame.base, frame.version]),
    [[-1, model.version]],
  );
});

test('[PR-26] a match that begins anew', async () => {
  const { model, bus, clock, connect, subscribe } = await createTestbed();
  const socket = await connect('u1');
  await subscribe(socket, 'match:m1');
  model.generation++;
  bus.reset('another log');
  await clock.advanceSettled(100);
  assert.deepEqual(brief(socket.frames.slice(3)), ['gap', 'players']);
  assert.equal(socket.of('gap')[0]?.code, codes.epoch_changed.no);
  assert.equal(socket.of('players').at(-1)?.base, -1);
});

test('no ranker: a match is unavailable, and found later', async () => {
  const { clock, connect, subscribe, ranker } = await createTestbed();
  const socket = await connect('u1');
  ranker.silent = true;
  await subscribe(socket, 'match:m1');
  assert.equal(socket.of('error')[0]?.code, codes.unavailable.no);
  ranker.silent = false;
  await clock.advanceSettled(6_000);
  assert.notEqual(await subscribe(socket, 'match:m1'), null);
});
