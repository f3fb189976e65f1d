/** Lists that were found lost: tells followers workers of them, and waits a moment for small ones. */
import type { Logger } from 'pino';
import type { Bus } from '../../channels/bus/bus.ts';
import { encodeRebuild, rebuildSubject, rebuildUsersMax } from '../../channels/sets/rebuild-question.ts';

export interface RebuildsOptions {
  rebuildWaitMs: number;
  rebuildQuestionsMax: number;
}
export const rebuildsDefaults: RebuildsOptions = {
  /** A list of some thousand members is mended by then, and the caller never notices. */
  rebuildWaitMs: 1_000,
  /** Under way at once, each for up to a hundred users; above, callers are told to come again at once. */
  rebuildQuestionsMax: 16,
};

/** Resolves when it is worth reading the user's lists again; never rejects. */
export type Rebuilds = (user: string) => Promise<void>;

export function createRebuilds(parts: { bus: Bus; logger: Logger; options: RebuildsOptions }): Rebuilds {
  const { bus, logger, options } = parts;
  /** Users of the next question, which goes out at the end of this turn. */
  let gathered = new Set<string>();
  let next: Promise<void> | null = null;
  let open = 0;

  async function send(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const users = [...gathered];
    gathered = new Set();
    next = null;
    open += 1;
    try {
      await bus.ask(rebuildSubject, encodeRebuild(users), options.rebuildWaitMs);
    } catch (error) {
      logger.warn({ err: error, users: users.length }, 'No followers worker has mended lost lists in time.');
    } finally {
      open -= 1;
    }
  }

  return (user) => {
    if (next === null && open >= options.rebuildQuestionsMax) return Promise.resolve();
    if (gathered.size >= rebuildUsersMax && !gathered.has(user)) return Promise.resolve();
    gathered.add(user);
    next ??= send();
    return next;
  };
}
