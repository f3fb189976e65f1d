import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../channels/clock.manual.ts';
import type { ContestEvent } from '../proto/records.ts';
import { readBundledMatch, readScoringTable } from './bundled.ts';
import { createReplay, openingLabel } from './replay.ts';
import { replayInto } from './replay-into.ts';

const replay = createReplay(readBundledMatch('final-2019'), readScoringTable(), 'm1');

test('every delivery gives at least one record, labelled, with ids that are allowed and sort', () => {
  const ids: string[] = [];
  for (let k = 0; k < replay.deliveries; k++) {
    const records = replay.delivery(k, 5);
    assert.ok(records.length >= 1);
    for (const record of records) {
      assert.equal(record.label, replay.label(k));
      assert.match(record.id, /^[A-Za-z0-9_-]{1,36}$/);
    }
    ids.push(records[0]?.id.slice(0, 7) ?? '');
  }
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
});

test('a delivery that changes nothing repeats the striker’s total', () => {
  const file = readBundledMatch('final-2019');
  const dot = file.deliveries.findIndex((one) => one.runs.total === 0 && one.wickets.length === 0);
  const records = replay.delivery(dot, 5);
  assert.equal(records.length, 1);
  assert.equal(records[0]?.player, file.deliveries[dot]?.batter);
});

test('a replay posts match, opening, deliveries and final, with times that rise strictly', async () => {
  const posts: ContestEvent[][] = [];
  const clock = createManualClock(1_000_000);
  const posted = await replayInto({
    post: (records) => {
      posts.push(records);
      return Promise.resolve();
    },
    replay,
    clock,
    speed: 0,
  });
  assert.equal(posted, 247);
  assert.equal(posts.length, 249);
  const [first, ...rest] = posts;
  assert.equal(first?.length, 23);
  assert.deepEqual(first?.[0], replay.matchRecord(1_000_000, 1_000_000));
  assert.deepEqual(first?.slice(1), replay.opening(1_000_001));
  assert.equal(first?.[1]?.type === 'points' && first[1].label, openingLabel);
  assert.equal(first?.[1]?.type === 'points' && first[1].points, 4);
  let at = 1_000_001;
  for (const records of rest) {
    for (const record of records) assert.equal(record.at, at + 1);
    at += 1;
  }
  assert.deepEqual(rest.at(-1), [replay.final(at)]);
});

test('a replay keeps its speed by the clock and stops at its signal', async () => {
  const clock = createManualClock(1_000_000);
  const stop = new AbortController();
  const labels: string[] = [];
  const run = replayInto({
    post: () => Promise.resolve(),
    replay,
    clock,
    speed: 2,
    signal: stop.signal,
    onDelivery: (_, label) => labels.push(label),
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  await settle();
  assert.deepEqual(labels, []);
  clock.advance(499);
  await settle();
  assert.deepEqual(labels, []);
  clock.advance(1);
  await settle();
  assert.deepEqual(labels, ['1.0.1']);
  clock.advance(1_000);
  await settle();
  assert.deepEqual(labels, ['1.0.1', '1.0.2', '1.0.3']);
  stop.abort();
  assert.equal(await run, 3);
});

test('a replay goes on from a delivery, and rejects as its post does', async () => {
  const posts: ContestEvent[][] = [];
  const clock = createManualClock(1_000_000);
  const post = (records: ContestEvent[]) => {
    posts.push(records);
    return Promise.resolve();
  };
  assert.equal(await replayInto({ post, replay, clock, speed: 0, from: 245, final: false }), 2);
  assert.deepEqual(posts, [replay.delivery(245, 1_000_000), replay.delivery(246, 1_000_001)]);
  const fails = () => Promise.reject(new Error('no'));
  await assert.rejects(replayInto({ post: fails, replay, clock, speed: 0 }), /^Error: no$/);
  await assert.rejects(replayInto({ post, replay, clock, speed: -1 }), /speed: -1 is not 0/);
  await assert.rejects(
    replayInto({ post, replay, clock, speed: 1, from: 300 }),
    /from: 300 is not a delivery/,
  );
});
