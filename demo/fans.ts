/**
 * Simulated fans: they follow one another along a real graph, so that feeds have something to tell. The most
 * followed users own the first teams of the contest, so that a team's owner has new followers to watch for.
 */
import type { Clock } from '../client/clock.ts';
import { pause } from './pause.ts';
import { createRandom, type Random, shuffled } from './random.ts';

export type Follow = readonly [from: string, to: string];

export interface FansOptions {
  follows: readonly Follow[];
  /** The user that fans are to be seen of: a fourth of the first follows are of this one. */
  favourite: string;
  /** Order of the follows; the same for the same seed. */
  seed: number;
  /** Follows a second. */
  rate: number;
  clock: Clock;
  signal: AbortSignal;
  follow(from: string, to: string): Promise<void>;
  /** A follow that failed; the fans go on. */
  onError(error: unknown): void;
}

/** Follows until all have, or the signal comes; resolves with how many did. One at a time. */
export async function simulateFans(options: FansOptions): Promise<number> {
  const { follows, rate, clock, signal } = options;
  const random = createRandom(options.seed);
  const order = inOrder(follows, options.favourite, random);
  let followed = 0;
  const begun = clock.now();
  for (const [n, [from, to]] of order.entries()) {
    await pause(begun + (n + 1) * (1_000 / rate) - clock.now(), clock, signal);
    if (signal.aborted) return followed;
    try {
      await options.follow(from, to);
      followed += 1;
    } catch (error) {
      if (!signal.aborted) options.onError(error);
    }
  }
  return followed;
}

/** Everyone once, by chance; but while there are any, each fourth follow is one of the favourite. */
function inOrder(follows: readonly Follow[], favourite: string, random: Random): Follow[] {
  const rest = shuffled(
    follows.filter(([, to]) => to !== favourite),
    random,
  );
  const favoured = shuffled(
    follows.filter(([, to]) => to === favourite),
    random,
  );
  const order: Follow[] = [];
  for (const [n, follow] of rest.entries()) {
    const own = n % 3 === 0 ? favoured.pop() : undefined;
    if (own !== undefined) order.push(own);
    order.push(follow);
  }
  return [...order, ...favoured];
}

/** All users of a graph, the most followed first, equals by id. */
export function usersByFollowers(follows: readonly Follow[]): string[] {
  const followers = new Map<string, number>();
  for (const [from, to] of follows) {
    followers.set(from, followers.get(from) ?? 0);
    followers.set(to, (followers.get(to) ?? 0) + 1);
  }
  const users = [...followers.keys()];
  const of = (user: string): number => followers.get(user) ?? 0;
  return users.sort((a, b) => of(b) - of(a) || (a < b ? -1 : 1));
}
