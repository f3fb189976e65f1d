import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  accumulate,
  affinityHalfLifeMs,
  affinityLandmarkMs,
  affinityOfFollow,
  shownAffinity,
  storedAffinity,
} from './affinity.ts';

const dayMs = 24 * 3_600_000;
const yearMs = 365.25 * dayMs;

test('an affinity is shown as it was set, and as half of it a half-life later', () => {
  for (const years of [-56, -1, 0, 1, 50]) {
    const at = affinityLandmarkMs + years * yearMs;
    for (const value of [0, 0.1, 0.3, affinityOfFollow, 0.7, 1]) {
      const stored = storedAffinity(value, at);
      assert.equal(shownAffinity(stored, at), value);
      assert.equal(shownAffinity(stored, at + affinityHalfLifeMs), Math.round(value * 5e5) / 1e6);
    }
  }
});

test('passing time reorders nothing', () => {
  const at = affinityLandmarkMs + 7 * dayMs;
  const stored = [
    storedAffinity(1, at - 90 * dayMs),
    storedAffinity(0.2, at),
    storedAffinity(0.5, at - 30 * dayMs),
    accumulate(storedAffinity(0.5, at - 30 * dayMs), 0.4, at),
    0,
  ].sort((a, b) => b - a);
  for (let days = 0; days <= 20_000; days += 50) {
    const shown = stored.map((value) => shownAffinity(value, at + days * dayMs));
    for (let i = 1; i < shown.length; i++) assert.ok(shown[i]! <= shown[i - 1]!, `day ${days}: ${shown}`);
  }
});

test('fifty years of an interaction every minute stay finite, positive and shown within 0 and 1', () => {
  let stored = storedAffinity(affinityOfFollow, affinityLandmarkMs);
  for (let day = 0; day <= 50 * 366; day++) {
    const at = affinityLandmarkMs + day * dayMs;
    stored = accumulate(stored, 1440, at);
    assert.ok(Number.isFinite(stored) && stored > 0, `day ${day}: ${stored}`);
    assert.equal(shownAffinity(stored, at), 1);
  }
});

test('an interaction adds its weight at its own time, whatever order interactions come in', () => {
  const at = affinityLandmarkMs + 100 * dayMs;
  const early = accumulate(accumulate(0, 0.4, at), 0.3, at + affinityHalfLifeMs);
  const late = accumulate(accumulate(0, 0.3, at + affinityHalfLifeMs), 0.4, at);
  assert.equal(shownAffinity(early, at + affinityHalfLifeMs), 0.5);
  assert.equal(shownAffinity(late, at + affinityHalfLifeMs), 0.5);
});

test('times at the ends of what a number holds are still finite and in bounds', () => {
  for (const at of [0, -8.64e15, 8.64e15, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    const stored = accumulate(storedAffinity(1, at), 1, at);
    assert.ok(Number.isFinite(stored) && stored > 0);
    assert.equal(shownAffinity(stored, at), 1);
    const now = shownAffinity(stored, affinityLandmarkMs);
    assert.ok(now >= 0 && now <= 1);
  }
  assert.equal(shownAffinity(accumulate(Number.MAX_VALUE, 1, affinityLandmarkMs), affinityLandmarkMs), 1);
  assert.equal(shownAffinity(0, affinityLandmarkMs), 0);
});
