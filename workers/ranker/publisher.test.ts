import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../channels/clock.manual.ts';
import type { ContestFrame, MatchFrame } from '../../channels/contest/messages.ts';
import { createPublisher, type Publisher } from './publisher.ts';

/** A ranking that only counts: what is touched, and frames from base to version. */
function createTouches() {
  const bases = new Map<string, number>();
  const touched = new Set<string>();
  let version = 0;
  const take = (channel: string): { base: number; version: number } => {
    touched.delete(channel);
    const base = bases.get(channel) ?? 0;
    bases.set(channel, version);
    return { base, version };
  };
  const ids = (kind: string): string[] =>
    [...touched].filter((name) => name.startsWith(kind)).map((name) => name.slice(2));
  return {
    touch(...channels: string[]) {
      version += 1;
      for (const channel of channels) touched.add(channel);
    },
    ranking: {
      touched: () => ({ contests: ids('c:'), matches: ids('m:') }),
      takeContestFrame: (id: string) =>
        ({
          ...take(`c:${id}`),
          contest: id,
          counts: { scores: [], counts: [] },
        }) as unknown as ContestFrame,
      takeMatchFrame: (id: string) =>
        ({ ...take(`m:${id}`), match: id, contests: [] }) as unknown as MatchFrame,
    },
  };
}

interface Bench {
  clock: ReturnType<typeof createManualClock>;
  touch(...channels: string[]): void;
  said: string[];
  publisher: Publisher;
  /** While set, the bus does not take what it is given. */
  hold(on: boolean): void;
}

function createBench(tickMs: number): Bench {
  const clock = createManualClock(0);
  const touches = createTouches();
  const said: string[] = [];
  const held: (() => void)[] = [];
  let holding = false;
  const publisher = createPublisher({
    ranking: touches.ranking,
    clock,
    tickMs,
    elapsed: () => 0,
    onTick: () => undefined,
    say(channel, version) {
      said.push(`${clock.now()} ${channel} ${version}`);
      return holding ? new Promise((resolve) => held.push(resolve)) : Promise.resolve();
    },
  });
  return {
    clock,
    said,
    publisher,
    touch(...channels) {
      touches.touch(...channels);
      publisher.tick();
    },
    hold(on) {
      holding = on;
      if (!on) for (const release of held.splice(0)) release();
    },
  };
}

test('the first record after quiet goes at once, what follows within the tick together', async () => {
  const { clock, touch, said } = createBench(100);
  touch('c:a');
  await clock.advanceSettled(30);
  touch('c:a');
  await clock.advanceSettled(30);
  touch('c:a');
  await clock.advanceSettled(300);
  touch('c:a');
  await clock.advanceSettled(1_000);
  assert.deepEqual(said, ['0 c:a 1', '100 c:a 3', '360 c:a 4']);
});

test('a channel has at most one frame in a tick, each on its own; contests go before matches', async () => {
  const { clock, touch, said } = createBench(100);
  touch('m:x', 'c:a');
  await clock.advanceSettled(50);
  touch('m:x', 'c:b', 'c:a');
  await clock.advanceSettled(200);
  assert.deepEqual(said, ['0 c:a 1', '0 m:x 1', '50 c:b 2', '100 c:a 2', '100 m:x 2']);
});

test('while the bus has not taken the last frames, no more are begun', async () => {
  const { clock, touch, said, hold } = createBench(100);
  hold(true);
  touch('c:a');
  for (let i = 0; i < 20; i += 1) {
    await clock.advanceSettled(50);
    touch('c:a', 'c:b');
  }
  assert.deepEqual(said, ['0 c:a 1']);
  hold(false);
  await clock.advanceSettled(0);
  assert.deepEqual(said.slice(1), ['1000 c:a 21', '1000 c:b 21']);
});

test('a channel that is forgotten begins anew, and after the end nothing is published', async () => {
  const { clock, touch, said, publisher } = createBench(100);
  touch('c:a');
  await clock.advanceSettled(10);
  publisher.forget('c:a');
  touch('c:a');
  await clock.advanceSettled(10);
  touch('c:a');
  publisher.close();
  await clock.advanceSettled(500);
  touch('c:a');
  assert.deepEqual(said, ['0 c:a 1', '10 c:a 2']);
  assert.equal(clock.pending, 0);
});
