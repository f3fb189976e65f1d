import type { Clock } from './clock.ts';

/**
 * A clock that a test moves by hand. Callbacks run in order of their time, equal times in order of their
 * making.
 */
export interface ManualClock extends Clock {
  /** Moves the clock; every callback due on the way runs at its own time. */
  advance(ms: number): void;
  /** As `advance`, and lets promises settle before each callback and at the end. */
  advanceSettled(ms: number): Promise<void>;
  /** Callbacks not yet run or cancelled. */
  readonly pending: number;
}

export function createManualClock(start = 1_700_000_000_000): ManualClock {
  let now = start;
  let made = 0;
  const timers = new Map<number, { at: number; callback: () => void }>();

  function nextDue(until: number): [number, { at: number; callback: () => void }] | null {
    let best: [number, { at: number; callback: () => void }] | null = null;
    for (const entry of timers) {
      if (entry[1].at <= until && (best === null || entry[1].at < best[1].at)) best = entry;
    }
    return best;
  }
  function fire([no, timer]: [number, { at: number; callback: () => void }]): void {
    timers.delete(no);
    now = Math.max(now, timer.at);
    timer.callback();
  }

  return {
    now: () => now,
    after(ms, callback) {
      made += 1;
      const no = made;
      timers.set(no, { at: now + ms, callback });
      return () => timers.delete(no);
    },
    advance(ms) {
      const until = now + ms;
      for (let due = nextDue(until); due !== null; due = nextDue(until)) fire(due);
      now = until;
    },
    async advanceSettled(ms) {
      const until = now + ms;
      await settled();
      for (let due = nextDue(until); due !== null; due = nextDue(until)) {
        fire(due);
        await settled();
      }
      now = until;
      await settled();
    },
    get pending() {
      return timers.size;
    },
  };
}

/** A few turns of the event loop: long enough for chains of promises and immediates that wait for no IO. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
