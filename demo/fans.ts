/**
 * Simulated fans: they follow one another along a real graph, so that feeds have something to tell. The most
 * followed users own the first teams of the contest, so that a team's owner has new followers to watch for.
 */
import type { Clock } from '../client/clock.ts';
import { pause } from './pause.ts';
import { createRandom } from './random.ts';

export type Follow = readonly [from: string, to: string];

export interface FansOptions {
  follows: readonly Follow[];
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
  const order = Uint32Array.from(follows.keys());
  let followed = 0;
  const begun = clock.now();
  for (let left = order.length; left > 0; left--) {
    await pause(begun + (order.length - left + 1) * (1_000 / rate) - clock.now(), clock, signal);
    if (signal.aborted) return followed;
    const drawn = Math.floor(random() * left);
    const [from, to] = follows[order[drawn] as number] as Follow;
    order[drawn] = order[left - 1] as number;
    try {
      await options.follow(from, to);
      followed += 1;
    } catch (error) {
      if (!signal.aborted) options.onError(error);
    }
  }
  return followed;
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
