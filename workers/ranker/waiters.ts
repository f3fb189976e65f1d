import type { Clock } from '../../channels/clock.ts';

/** Those who wait until a version is applied. */
export interface Waiters {
  /** true: `version` is reached; false: `ms` went by first (or too many wait: at once). */
  wait(version: number, ms: number): Promise<boolean>;
  /** The newest version applied. */
  reached(version: number): void;
  /** Lets all go with false. */
  close(): void;
  readonly size: number;
}

interface Waiter {
  version: number;
  done(reached: boolean): void;
}

export function createWaiters(clock: Clock, waitersMax: number): Waiters {
  const waiting = new Set<Waiter>();
  let lowest = Number.POSITIVE_INFINITY;
  let newest = 0;

  return {
    wait(version, ms) {
      if (version <= newest) return Promise.resolve(true);
      if (waiting.size >= waitersMax || ms <= 0) return Promise.resolve(false);
      return new Promise((resolve) => {
        const cancel = clock.after(ms, () => waiter.done(false));
        const waiter: Waiter = {
          version,
          done(reached) {
            waiting.delete(waiter);
            cancel();
            resolve(reached);
          },
        };
        waiting.add(waiter);
        lowest = Math.min(lowest, version);
      });
    },
    reached(version) {
      newest = version;
      if (version < lowest) return;
      lowest = Number.POSITIVE_INFINITY;
      for (const waiter of waiting) {
        if (waiter.version <= version) waiter.done(true);
        else lowest = Math.min(lowest, waiter.version);
      }
    },
    close() {
      for (const waiter of waiting) waiter.done(false);
    },
    get size() {
      return waiting.size;
    },
  };
}
