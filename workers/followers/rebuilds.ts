import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Bus, Unsubscribe } from '../../channels/bus/bus.ts';
import type { Clock } from '../../channels/clock.ts';
import { decodeRebuild, rebuildSubject } from '../../channels/sets/rebuild-question.ts';
import { LastDone } from './last-done.ts';
import { lists, type RepairParts, repairList } from './repair.ts';

export interface RebuildsOptions {
  rebuildsAtOnce: number;
  rebuildsWaitingMax: number;
  rebuildAnswerMs: number;
  rereadWindowMs: number;
}
export const rebuildsDefaults: RebuildsOptions = {
  /** Users mended side by side: enough to hide the round trips of both stores. */
  rebuildsAtOnce: 8,
  /** Above, questions go unanswered; whoever still wants the list asks again. */
  rebuildsWaitingMax: 10_000,
  /** An edge waits a second: by then it must have the answer that some of its lists take longer. */
  rebuildAnswerMs: 700,
  /**
   * What was written last before Redis failed over may be lost: a replica is behind by a second or so, a log
   * on disk too. Changes of this long are read back and applied again, lists mended in it mended again.
   */
  rereadWindowMs: 60_000,
};

export interface RebuildsParts extends RepairParts {
  bus: Bus;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  options: RebuildsOptions & { doAgainRetryMs: number };
  /** Whether the user's changes are applied here. */
  isOurs(user: string): boolean;
}
export interface Rebuilds {
  /** Begins to hear questions. */
  listen(): Promise<void>;
  /** The memory may have gone back a little: what was mended lately is mended again. */
  again(): void;
  close(): Promise<void>;
}

/**
 * Mends lists that the sorted sets have lost, when edges ask for them (channels/sets/rebuild-question.ts).
 */
export function createRebuilds(parts: RebuildsParts): Rebuilds {
  const { bus, sets, clock, logger, options } = parts;
  const rebuilt = new Counter({
    name: 'rankcast_followers_lists_rebuilt_total',
    help: 'Lists of followers or following that were lost and rebuilt from the graph.',
    registers: [parts.registry],
  });
  /** Users under way or waiting, in order, and who waits for them. */
  const waiting = new Map<string, { force: boolean; done: Promise<void>; end(): void }>();
  /** When users' lists were mended, oldest first. */
  const mendedAt = new Map<string, number>();
  const lastMended = new LastDone(options.rereadWindowMs);
  const running = new Map<string, Promise<void>>();
  let interruptions = 0;
  let closed = false;
  let unsubscribe: Unsubscribe = () => undefined;

  function enqueue(user: string, force: boolean): Promise<void> | null {
    const known = waiting.get(user);
    if (known !== undefined) {
      known.force ||= force;
      return known.done;
    }
    // Nobody asks again for a list that says it is whole.
    if (!force && waiting.size >= options.rebuildsWaitingMax) return null;
    let end = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      end = resolve;
    });
    waiting.set(user, { force, done, end });
    startSome();
    return done;
  }

  function startSome(): void {
    for (const [user, { force, end }] of waiting) {
      if (closed || running.size >= options.rebuildsAtOnce) return;
      if (running.has(user)) continue;
      waiting.delete(user);
      const run = rebuild(user, force).finally(() => {
        running.delete(user);
        end();
        startSome();
      });
      running.set(user, run);
    }
  }

  const mending = { ended: () => closed, interruptions: () => interruptions };

  async function rebuild(user: string, force: boolean): Promise<void> {
    try {
      const counts = await sets.counts(lists.map((list) => `${list}_${user}`));
      for (const [i, list] of lists.entries()) {
        if (!force && counts[i] !== null) continue;
        const { members } = await repairList(parts, user, list, mending);
        noteMended(user);
        rebuilt.inc();
        logger.info({ user, list, members }, 'A lost list was rebuilt.');
      }
    } catch (error) {
      lastMended.fail(clock.now());
      if (closed) return;
      logger.warn({ err: error, user }, 'Lost lists could not be rebuilt.');
      // Whoever wants a lost one asks again.
      if (force) clock.after(options.doAgainRetryMs, () => closed || enqueue(user, true));
    }
  }

  function noteMended(user: string): void {
    const now = clock.now();
    mendedAt.delete(user);
    mendedAt.set(user, now);
    lastMended.done(now, now);
    const since = lastMended.lastMs(now) - options.rereadWindowMs;
    for (const [other, at] of mendedAt) {
      if (at >= since) break;
      mendedAt.delete(other);
    }
  }

  async function answer(question: Uint8Array): Promise<Uint8Array | null> {
    const jobs: Promise<void>[] = [];
    for (const user of decodeRebuild(question)) {
      const job = closed || !parts.isOurs(user) ? null : (running.get(user) ?? enqueue(user, false));
      if (job !== null) jobs.push(job);
    }
    if (jobs.length === 0) return null;
    await within(clock, options.rebuildAnswerMs, Promise.all(jobs));
    return new Uint8Array(0);
  }

  return {
    async listen() {
      unsubscribe = await bus.answer(rebuildSubject, answer);
      if (closed) unsubscribe();
    },
    again() {
      interruptions += 1;
      const since = lastMended.lastMs(clock.now()) - options.rereadWindowMs;
      lastMended.again(clock.now());
      for (const user of running.keys()) enqueue(user, true);
      for (const [user, at] of mendedAt) if (at >= since) enqueue(user, true);
    },
    async close() {
      closed = true;
      unsubscribe();
      for (const { end } of waiting.values()) end();
      waiting.clear();
      await Promise.all(running.values());
    },
  };
}

/** Resolves with the promise, or when the time is over. */
async function within(clock: Clock, ms: number, promise: Promise<unknown>): Promise<void> {
  let cancel = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await Promise.race([promise, over]);
  cancel();
}
