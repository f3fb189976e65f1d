/** The users that windows of the page are: made one a window, seen while they ask, counted and bounded. */
import type { Clock } from '../client/clock.ts';
import type { Random } from './random.ts';
import { newUserId } from './user-names.ts';

export const demoUsersDefaults = {
  /** A demo has a handful of windows; a script that asks for users without end is stopped here. */
  usersMax: 2_000,
  /** What fantasy apps allow in one contest. */
  teamsPerUserMax: 20,
  /** The page asks every 4 s; one that has not for so long is closed, or asleep. */
  seenWithinMs: 15_000,
  /** Of the other windows, so many are shown. */
  shownMax: 8,
} as const;

export interface DemoUsers {
  /** null: there are too many. */
  create(): string | null;
  /** A window with the key of this user is (again) there. */
  welcome(user: string): void;
  seen(user: string): void;
  /** Others that were seen lately, the newest first. */
  others(user: string): string[];
  /** The id of the user's next entry in this contest; null: no more. */
  nextEntry(user: string, contest: string): string | null;
}

export function createDemoUsers(clock: Clock, random: Random): DemoUsers {
  const { usersMax, teamsPerUserMax, seenWithinMs, shownMax } = demoUsersDefaults;
  const seenAt = new Map<string, number>();
  const teams = new Map<string, number>();
  // entries of an earlier start of the demo must keep their ids
  const start = clock.now().toString(36);
  return {
    create: () => {
      if (seenAt.size >= usersMax) return null;
      let user = newUserId(random);
      while (seenAt.has(user)) user = newUserId(random);
      seenAt.set(user, clock.now());
      return user;
    },
    welcome: (user) => {
      if (seenAt.size < usersMax) seenAt.set(user, clock.now());
    },
    seen: (user) => {
      if (seenAt.has(user)) seenAt.set(user, clock.now());
    },
    others: (user) => {
      const since = clock.now() - seenWithinMs;
      const there = [...seenAt].filter(([other, at]) => other !== user && at >= since);
      return there
        .sort((a, b) => b[1] - a[1])
        .slice(0, shownMax)
        .map(([other]) => other)
        .sort();
    },
    nextEntry: (user, contest) => {
      const key = `${contest} ${user}`;
      const count = teams.get(key) ?? 0;
      if (count >= teamsPerUserMax) return null;
      teams.set(key, count + 1);
      return `${start}-${[...teams.keys()].indexOf(key)}-${count + 1}`;
    },
  };
}
