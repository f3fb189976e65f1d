import type { Logger } from 'pino';
import type { Clock } from '../../channels/clock.ts';

/**
 * What is final: archived whole, then let go of after a while. Kept in the checkpoint, so that a restart
 * goes on where it was. A board that could not be archived is tried again after the others, and stays in
 * memory until it has been.
 */
export interface Finals {
  /** A `final` was applied (again: nothing changes). */
  add(kind: 'match' | 'contest', id: string, version: number): void;
  states(): FinalState[];
  /** Archives and forgets what is due; to be called now and then. */
  check(): void;
  /** Resolves when no archiving is under way. */
  idle(): Promise<void>;
  close(): void;
}
export interface FinalState {
  kind: 'match' | 'contest';
  id: string;
  version: number;
  archived: boolean;
  forgetAt: number;
}

export interface FinalsParts {
  clock: Clock;
  logger: Logger;
  keepMs: number;
  /** First wait after a failure; doubles up to a minute. */
  retryMs: number;
  /** Archiving waits so long, for lower replicas to have done it. */
  delayMs: number;
  restored: readonly FinalState[];
  /** Archives all boards of it; harmless to repeat. */
  archive(final: FinalState): Promise<void>;
  forget(final: FinalState): void;
}

const retryMsMax = 60_000;

export function createFinals(parts: FinalsParts): Finals {
  const { clock, logger, keepMs, retryMs, delayMs, archive, forget } = parts;
  const finals = new Map<string, FinalState>();
  for (const state of parts.restored) finals.set(`${state.kind} ${state.id}`, { ...state });
  let running: Promise<void> | null = null;
  let failures = 0;
  let tryAt = 0;
  let closed = false;

  const isDue = (final: FinalState): boolean =>
    !final.archived && final.forgetAt - keepMs + delayMs <= clock.now();

  async function archiveAll(): Promise<void> {
    for (const [key, final] of [...finals]) {
      if (closed) return;
      if (!isDue(final)) continue;
      try {
        await archive(final);
        final.archived = true;
        failures = 0;
      } catch (error) {
        failures += 1;
        // To the end: one that fails for a reason of its own must not keep the others in memory.
        if (finals.delete(key)) finals.set(key, final);
        const wait = Math.min(retryMsMax, retryMs * 2 ** Math.min(failures - 1, 10));
        tryAt = clock.now() + wait;
        logger.error(
          { err: error, final, wait },
          'a final board could not be archived; it will be tried again',
        );
        return;
      }
    }
  }

  return {
    add(kind, id, version) {
      const key = `${kind} ${id}`;
      if (finals.has(key)) return;
      finals.set(key, { kind, id, version, archived: false, forgetAt: clock.now() + keepMs });
    },
    states: () => [...finals.values()],
    check() {
      if (closed) return;
      const now = clock.now();
      if (running === null && now >= tryAt && [...finals.values()].some(isDue)) {
        running = archiveAll().finally(() => {
          running = null;
        });
      }
      for (const [key, final] of finals) {
        if (!final.archived || final.forgetAt > now) continue;
        finals.delete(key);
        forget(final);
      }
    },
    idle: () => running ?? Promise.resolve(),
    close() {
      closed = true;
    },
  };
}
