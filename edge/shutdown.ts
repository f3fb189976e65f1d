/** How an edge goes: the steps between SIGTERM and the end of the process, in order, once. */
import type { Logger } from 'pino';
import type { Clock } from '../channels/clock.ts';

export interface ShutdownOptions {
  deregistrationDelayMs: number;
  drainWindowMs: number;
}
export const shutdownDefaults: ShutdownOptions = {
  // Without a load balancer there is nothing to wait for; behind an NLB its own delay, 120 s.
  deregistrationDelayMs: 0,
  // Clients spread over this; a second is enough for a few sockets, a large edge takes a minute.
  drainWindowMs: 1_000,
};

export interface ShutdownParts {
  options: ShutdownOptions;
  clock: Clock;
  logger: Logger;
  /** `/readyz` says no. */
  unready(): void;
  /** New sockets are sent elsewhere. */
  refuseSockets(): void;
  /** Asks all sockets to move within the window; resolves when none is left. */
  moveSockets(windowMs: number): Promise<void>;
  /** Requests under way. */
  idle(): Promise<void>;
  close(): Promise<void>;
}
export interface Shutdown {
  /** A second call gets the promise of the first. */
  drain(): Promise<void>;
}

/** Requests under way get this long once the sockets have gone. */
export const requestGraceMs = 3_000;

export function createShutdown(parts: ShutdownParts): Shutdown {
  const { options, clock, logger } = parts;
  let draining: Promise<void> | null = null;

  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));

  async function run(): Promise<void> {
    const { deregistrationDelayMs, drainWindowMs } = options;
    parts.unready();
    logger.info({ deregistrationDelayMs, drainWindowMs }, 'draining: unready, serving on');
    if (deregistrationDelayMs > 0) await pause(deregistrationDelayMs);
    parts.refuseSockets();
    logger.info('draining: sockets are asked to move');
    await parts.moveSockets(drainWindowMs);
    await Promise.race([parts.idle(), pause(requestGraceMs)]);
    await parts.close();
    logger.info('drained');
  }

  return {
    drain() {
      draining ??= run();
      return draining;
    },
  };
}
