/** What a crowd sends: scores into its own rooms, follows of one another; few under way at once. */
import type { Clock } from '../../client/clock.ts';
import type { ContestEvent } from '../../proto/records.ts';
import { pause } from '../pause.ts';
import type { Post } from '../replay-into.ts';
import type { CrowdStats } from './crowd-stats.ts';

/** A gateway that answers slower than it is asked must not be asked without end. */
const underWayMax = 64;
/** Follows whose message has not come; beyond, the oldest are given up. */
const followsPendingMax = 10_000;
const entriesPerRecord = 1_000;
const scoreMax = 1_000_000;

export interface Rate {
  perS: number;
  clock: Clock;
  signal: AbortSignal;
}

/** Does `act` so many times a second until the signal; what falls behind is left out, not made up for. */
export async function atRate({ perS, clock, signal }: Rate, act: () => Promise<void>): Promise<void> {
  if (perS <= 0) return;
  let underWay = 0;
  let next = clock.now();
  while (!signal.aborted) {
    const now = clock.now();
    if (next < now - 1_000) next = now - 1_000;
    for (; next <= now && underWay < underWayMax; next += 1_000 / perS) {
      underWay += 1;
      // act counts its failures itself
      void act().finally(() => {
        underWay -= 1;
      });
    }
    await pause(Math.max(1, next - clock.now()), clock, signal);
  }
}

export interface OwnRooms {
  ids: readonly string[];
  /** Entries by room. */
  entries: readonly (readonly string[])[];
}

/** Rooms of the kind `scores` with an entry for each viewer that will watch. */
export async function createOwnRooms(
  post: Post,
  at: number,
  ids: readonly string[],
  watchers: readonly (readonly string[])[],
): Promise<OwnRooms> {
  const entries = watchers.map((users) => users.map((_, n) => `e${n}`));
  for (const [room, contest] of ids.entries()) {
    await post([{ type: 'contest', id: `c-${contest}`.slice(0, 36), at, contest, kind: 'scores' }]);
    const users = watchers[room] ?? [];
    for (let from = 0; from < users.length; from += entriesPerRecord) {
      const items = users.slice(from, from + entriesPerRecord).map((user, n) => ({
        ...{ entry: `e${from + n}`, user, contests: [contest] },
      }));
      await post([{ type: 'entries', id: `e-${from}`, at, contest, entries: items }]);
    }
  }
  return { ids, entries };
}

export interface ScoreParts {
  rooms: OwnRooms;
  post: Post;
  clock: Clock;
  random(): number;
  stats: CrowdStats;
  signal: AbortSignal;
}

/** Another total for one entry, drawn at random. */
export function createScorer({ rooms, post, clock, random, stats, signal }: ScoreParts): () => Promise<void> {
  let sent = 0;
  return async () => {
    const room = Math.floor(random() * rooms.ids.length);
    const entries = rooms.entries[room] ?? [];
    const entry = entries[Math.floor(random() * entries.length)];
    const contest = rooms.ids[room];
    if (entry === undefined || contest === undefined) return;
    const score = Math.floor(random() * scoreMax);
    sent += 1;
    const record: ContestEvent = { type: 'score', id: `s${sent}`, at: clock.now(), contest, entry, score };
    try {
      await post([record]);
      stats.eventsSent += 1;
    } catch {
      if (!signal.aborted) stats.error('ingest');
    }
  };
}

export interface FollowParts {
  /** Of HTTP. */
  url: string;
  /** Users who can be followed now. */
  users(): readonly string[];
  tokenOf(user: string): Promise<string>;
  fetch: typeof fetch;
  monotonicMs(): number;
  random(): number;
  stats: CrowdStats;
  signal: AbortSignal;
}
export interface Follows {
  follow(): Promise<void>;
  /** `user` was told that `follower` follows. */
  told(user: string, follower: string): void;
}

/** One viewer follows another; how long until that one's feed tells it. */
export function createFollows(parts: FollowParts): Follows {
  const { stats, random, monotonicMs, signal } = parts;
  const pending = new Map<string, number>();

  async function follow(): Promise<void> {
    const users = parts.users();
    const from = users[Math.floor(random() * users.length)];
    const to = users[Math.floor(random() * users.length)];
    if (from === undefined || to === undefined || from === to) return;
    try {
      const headers = { authorization: `Bearer ${await parts.tokenOf(from)}` };
      if (pending.size >= followsPendingMax) pending.delete(pending.keys().next().value ?? '');
      pending.set(`${to}<${from}`, monotonicMs());
      const answer = await parts.fetch(`${parts.url}/v1/users/${from}/following/${to}`, {
        ...{ method: 'PUT', headers, signal },
      });
      const text = await answer.text();
      if (answer.status === 202) stats.followsSent += 1;
      else stats.error(codeOf(text) ?? `http_${answer.status}`);
    } catch {
      if (!signal.aborted) stats.error('follow');
    }
  }

  function told(user: string, follower: string): void {
    const key = `${user}<${follower}`;
    const sentAt = pending.get(key);
    if (sentAt === undefined) return;
    pending.delete(key);
    stats.follow.record(monotonicMs() - sentAt);
  }
  return { follow, told };
}

function codeOf(text: string): string | null {
  try {
    return (JSON.parse(text) as { error?: { code?: string } }).error?.code ?? null;
  } catch {
    return null;
  }
}
