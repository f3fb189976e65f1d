import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../channels/clock.manual.ts';
import { settle } from '../test/kit/settle.ts';
import { readFollows } from './bundled.ts';
import { type Follow, simulateFans, usersByFollowers } from './fans.ts';

const follows: Follow[] = [
  ['1', '2'],
  ['3', '2'],
  ['2', '4'],
  ['5', '4'],
  ['1', '4'],
];

test('fans follow once each, at their rate, in an order of their seed; a failure stops nobody', async () => {
  const run = async (seed: number) => {
    const clock = createManualClock();
    const seen: string[] = [];
    const errors: unknown[] = [];
    const done = simulateFans({
      follows,
      favourite: '2',
      seed,
      rate: 2,
      clock,
      signal: new AbortController().signal,
      follow: (from, to) => {
        seen.push(`${from} ${to}`);
        return seen.length === 2 ? Promise.reject(new Error('no')) : Promise.resolve();
      },
      onError: (error) => errors.push(error),
    });
    await settle();
    assert.equal(seen.length, 0);
    await clock.advanceSettled(500);
    assert.equal(seen.length, 1);
    await clock.advanceSettled(2_000);
    assert.equal(await done, 4);
    assert.equal(errors.length, 1);
    return seen;
  };
  const one = await run(1);
  assert.deepEqual([...one].sort(), follows.map(([from, to]) => `${from} ${to}`).sort());
  assert.match(one[0] ?? '', / 2$/);
  assert.deepEqual(await run(1), one);
});

test('fans stop at the signal', async () => {
  const clock = createManualClock();
  const stop = new AbortController();
  const follow = () => Promise.resolve();
  const done = simulateFans({
    follows,
    favourite: '4',
    seed: 1,
    rate: 1,
    clock,
    signal: stop.signal,
    follow,
    onError: () => {},
  });
  await clock.advanceSettled(2_000);
  stop.abort();
  assert.equal(await done, 2);
  assert.equal(clock.pending, 0);
});

test('users come by their followers, equals by id', () => {
  assert.deepEqual(usersByFollowers(follows), ['4', '2', '1', '3', '5']);
  const real = usersByFollowers(readFollows());
  assert.equal(real.length, 7_115);
  assert.equal(real[0], '4037');
});
