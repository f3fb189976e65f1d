import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../channels/clock.manual.ts';
import { createWaiters } from './waiters.ts';

test('who waits is let go when the version is reached, or told when the time is up', async () => {
  const clock = createManualClock(0);
  const waiters = createWaiters(clock, 10);
  waiters.reached(5);
  const outcomes: string[] = [];
  const wait = (version: number, ms: number): void => {
    void waiters.wait(version, ms).then((reached) => outcomes.push(`${clock.now()} ${version} ${reached}`));
  };
  wait(5, 0);
  wait(7, 100);
  wait(9, 100);
  wait(6, 200);
  wait(8, 0);
  await clock.advanceSettled(50);
  waiters.reached(7);
  await clock.advanceSettled(100);
  waiters.reached(9);
  await clock.advanceSettled(0);
  assert.deepEqual(outcomes, ['0 5 true', '0 8 false', '50 7 true', '50 6 true', '100 9 false']);
  assert.equal(waiters.size, 0);
  assert.equal(clock.pending, 0);
});

test('more than may wait are told at once; closing lets all go', async () => {
  const clock = createManualClock(0);
  const waiters = createWaiters(clock, 2);
  const first = [waiters.wait(1, 1_000), waiters.wait(2, 1_000)];
  assert.equal(await waiters.wait(1, 1_000), false);
  waiters.close();
  assert.deepEqual(await Promise.all(first), [false, false]);
  assert.equal(clock.pending, 0);
});
