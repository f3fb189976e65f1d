import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../channels/clock.manual.ts';
import { createAdmirers } from './admirers.ts';
import { createRandom } from './random.ts';

test('a handful of fans follow who has entered, once, and one that fails stops none', async () => {
  const clock = createManualClock(0);
  const stop = new AbortController();
  const followed: string[] = [];
  const errors: unknown[] = [];
  const notice = createAdmirers({
    fans: ['1', '2', '3'],
    random: createRandom(3),
    clock,
    signal: stop.signal,
    follow: (from, to) => {
      followed.push(`${from} ${to}`);
      return followed.length === 2 ? Promise.reject(new Error('away')) : Promise.resolve();
    },
    onError: (error) => errors.push(error),
  });
  notice('me');
  notice('me');
  await clock.advanceSettled(2_500);
  assert.equal(followed.length, 1);
  for (let second = 0; second < 120; second++) await clock.advanceSettled(1_000);
  assert.equal(followed.length, 8);
  assert.ok(followed.every((one) => /^[123] me$/.test(one)));
  assert.equal(errors.length, 1);
  notice('you');
  stop.abort();
  await clock.advanceSettled(100_000);
  assert.equal(followed.length, 8);
});
