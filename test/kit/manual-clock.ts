/** A clock that stands still until it is told to go on. */
import type { Clock } from '../../client/clock.ts';

export interface ManualClock extends Clock {
  /** Goes on by `ms`; what is due calls back in order, each at its own moment. */
  advance(ms: number): Promise<void>;
  /** Callbacks not yet due. */
  readonly pending: number;
}

export function createManualClock(begin = 1_700_000_000_000): ManualClock {
  let now = begin;
  const timers = new Set<{ due: number; callback: () => void }>();
  const nextUntil = (end: number) =>
    [...timers].filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
  return {
    now: () => now,
    after: (ms, callback) => {
      const timer = { due: now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: async (ms) => {
      const end = now + ms;
      await settle();
      for (let timer = nextUntil(end); timer !== undefined; timer = nextUntil(end)) {
        timers.delete(timer);
        now = Math.max(now, timer.due);
        timer.callback();
        await settle();
      }
      now = end;
    },
    get pending() {
      return timers.size;
    },
  };
}

/** All promises that can resolve by themselves have done so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
