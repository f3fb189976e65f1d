import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestbed } from '../live.testbed.ts';

test('[VIEW-9] in a quiet contest of a busy partition own ranks come at once', async () => {
  const { model, connect, subscribe } = await createTestbed();
  const first = await connect('u1');
  await subscribe(first, 'contest:large');
  const before = model.version;
  // records of another match in the partition
  model.version += 3;
  const late = await connect('u2');
  const large = await subscribe(late, 'contest:large');
  assert.equal(large?.position, before);
  assert.deepEqual(
    late.of('entries', large!.no).map(({ version }) => version),
    [before],
  );
  assert.equal(late.of('ranks', large!.no).at(-1)?.version, before);
});

test('[VIEW-9] a mirror that does not come to what an answer needs asks for a snapshot', async () => {
  const { model, ranker, clock, connect, subscribe } = await createTestbed();
  const first = await connect('u1');
  await subscribe(first, 'contest:large');
  model.version += 3;
  ranker.alterWho = (answer) => ({ ...answer, touched: answer.version });
  const late = await connect('u2');
  const large = await subscribe(late, 'contest:large');
  assert.equal(late.of('ranks', large!.no).length, 0);
  await clock.advanceSettled(5_000);
  assert.equal(late.of('ranks', large!.no).at(-1)?.version, model.version);
});
