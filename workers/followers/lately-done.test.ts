import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatelyDone } from './lately-done.ts';

const windowMs = 60_000;

/** Batches of ten offsets, each done within its millisecond. */
function done(lately: LatelyDone, ...batches: [first: number, nowMs: number][]): void {
  for (const [first, nowMs] of batches) {
    lately.begin(first, nowMs);
    lately.end(first + 10, nowMs);
  }
}

test('the window counts back from what was done last, not from now', () => {
  const lately = new LatelyDone(0, windowMs, 1_000);
  done(lately, [0, 1_000], [10, 100_000], [20, 130_000]);
  assert.equal(lately.windowStart(131_000), 10);
  assert.equal(lately.windowStart(9_000_000), 10);
  assert.equal(new LatelyDone(0, windowMs, 1_000).windowStart(5), null);
});

test('what was before a failure stays in reach for a window after all goes well again', () => {
  const lately = new LatelyDone(0, windowMs, 1_000);
  done(lately, [0, 1_000], [10, 100_000], [20, 130_000]);
  lately.begin(30, 200_000);
  lately.fail(201_000);
  // Works again before anybody hears of the interruption.
  done(lately, [30, 900_000], [40, 900_100], [50, 930_000]);
  assert.equal(lately.windowStart(931_000), 10);
  assert.equal(lately.windowStart(970_000), 40);
});

test('what was done again counts as written then', () => {
  const lately = new LatelyDone(0, windowMs, 1_000);
  done(lately, [0, 1_000], [10, 100_000]);
  lately.doneAgain(900_000);
  done(lately, [20, 901_000], [30, 920_000]);
  assert.equal(lately.windowStart(921_000), 10);
  done(lately, [40, 999_000]);
  assert.equal(lately.windowStart(1_000_000), 40);
});

test('what is forgotten is out of reach of the window, and no more', () => {
  const lately = new LatelyDone(0, windowMs, 1_000);
  for (let i = 0; i < 1_000; i++) {
    lately.begin(i, i * 1_000);
    lately.tell([i]);
    lately.end(i + 1, i * 1_000);
  }
  assert.equal(lately.windowStart(5_000_000), 939);
  assert.ok(lately.wasTold(939));
  assert.ok(!lately.wasTold(0));
});
