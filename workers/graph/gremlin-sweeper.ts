import type { Bytecode } from 'gremlin';
import type { Clock } from '../../channels/clock.ts';
import type { PairState } from './graph.ts';
import { chunks } from './gremlin-requests.ts';
import { hourId } from './gremlin-states.ts';
import { dropHour, endingsOf, findEndings, findHours, forgetEndings, letGo } from './gremlin-traversals.ts';
import { newestAt } from './stamp.ts';

export interface GremlinSweepOptions {
  sweepIntervalMs: number;
  sweepBatchMax: number;
  sweepBackMs: number;
}

const hourMs = 3_600_000;
/** Hours asked for in one request. */
const hoursPerRequest = 500;
/** Hours that are over are looked at again for so long: another worker's clock may be late. */
const lateHours = 48;

/**
 * In which hour a state may be forgotten in which nothing stands: the one after the moment; never one that a
 * sweep may be at now.
 */
export function hourOfForgetting(clock: Clock, forgetAfterMs: number): (state: PairState) => number {
  return ({ followStamp, affinityStamp, blockStamp }) => {
    const due = newestAt([followStamp, affinityStamp, blockStamp]) + forgetAfterMs;
    return Math.max(Math.floor(due / hourMs), Math.floor(clock.now() / hourMs) + 1);
  };
}

/**
 * Forgets, hour by hour, what ended long ago: a bounded number at a time, found by the hour's id, so that no
 * index is wanted and nothing else is looked at.
 */
export function createGremlinSweeper(parts: {
  clock: Clock;
  options: GremlinSweepOptions;
  submit(request: Bytecode): Promise<unknown[]>;
  onError(error: unknown): void;
}): { close(): Promise<void> } {
  const { clock, options, submit, onError } = parts;
  let closed = false;
  let sweeping: Promise<void> = Promise.resolve();
  let cancel = clock.after(options.sweepIntervalMs, start);
  /** Hours before this one were found empty. */
  let nextHour = Math.floor((clock.now() - options.sweepBackMs) / hourMs);

  function start(): void {
    sweeping = sweep();
  }

  async function sweep(): Promise<void> {
    try {
      // The last second of an hour must have passed, also by a clock that is late by almost an hour.
      const endHour = Math.floor(clock.now() / hourMs) - 1;
      const hours = Array.from({ length: Math.max(0, endHour - nextHour) }, (_, i) => nextHour + i);
      for (const some of chunks(hours, hoursPerRequest)) {
        const found = new Set((await submit(findHours(some))).map(String));
        for (const hour of some) if (found.has(hourId(hour))) await empty(hour);
      }
      if (!closed) nextHour = Math.max(nextHour, endHour - lateHours);
    } catch (error) {
      // What is due stays where it is: the next sweep takes it.
      if (!closed) onError(error);
    }
    if (!closed) cancel = clock.after(options.sweepIntervalMs, start);
  }

  async function empty(hour: number): Promise<void> {
    const id = hourId(hour);
    while (!closed) {
      const endings = endingsOf(await submit(findEndings(id, options.sweepBatchMax)));
      const due = endings.filter(({ isLater }) => !isLater).map((ending) => ending.id);
      const later = endings.filter(({ isLater }) => isLater).map((ending) => ending.id);
      if (due.length > 0) await submit(forgetEndings(due, id));
      if (later.length > 0) await submit(letGo(later, id));
      if (endings.length === 0) {
        await submit(dropHour(id));
        return;
      }
    }
  }

  return {
    async close() {
      closed = true;
      cancel();
      await sweeping;
    },
  };
}
