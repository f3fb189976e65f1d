/** Whom I follow and who follows me: lists once, then what the feeds tell. */
import type { FollowingNotice } from '../../proto/feed-messages.ts';
import type { GatewayCalls } from './gateway-calls.ts';
import { notify, notifyError } from './notices.ts';

export interface Follower {
  user: string;
  /** When, by the page's clock; null: before the page was there. */
  at: number | null;
}
export interface Follows {
  readonly followers: readonly Follower[];
  /** How many in all; null until told. */
  readonly total: number | null;
  isFollowing(user: string): boolean;
  isAsking(user: string): boolean;
  toggle(user: string): void;
  load(): Promise<void>;
  followed(user: string, at: number): void;
  unfollowed(user: string): void;
  noticed(notice: FollowingNotice): void;
}

/** Of my followers, so many are kept for show. */
const followersKept = 30;
/** As many as the interface gives at once. */
const followingRead = 500;
/** The notice follows the log within moments; later, the button says what the list says. */
const noticeTimeoutMs = 6_000;

export function createFollows(calls: GatewayCalls, changed: () => void): Follows {
  const following = new Set<string>();
  const asking = new Set<string>();
  let followers: Follower[] = [];
  let total: number | null = null;

  async function load(): Promise<void> {
    const [mine, theirs] = await Promise.all([
      calls.followers(followersKept),
      calls.following(followingRead),
    ]);
    const known = new Map(followers.map((follower) => [follower.user, follower]));
    const others = mine.users.filter((user) => !known.has(user)).map((user) => ({ user, at: null }));
    followers = [...followers, ...others].slice(0, followersKept);
    total = mine.total;
    for (const user of theirs.users) following.add(user);
    changed();
  }

  async function ask(user: string): Promise<void> {
    asking.add(user);
    changed();
    try {
      await (following.has(user) ? calls.unfollow(user) : calls.follow(user));
      setTimeout(() => {
        if (asking.delete(user)) changed();
      }, noticeTimeoutMs);
    } catch (error) {
      asking.delete(user);
      notifyError(error);
      changed();
    }
  }

  return {
    get followers() {
      return followers;
    },
    get total() {
      return total;
    },
    isFollowing: (user) => following.has(user),
    isAsking: (user) => asking.has(user),
    toggle: (user) => {
      if (!asking.has(user)) void ask(user);
    },
    load,
    followed: (user, at) => {
      const isNew = !followers.some((follower) => follower.user === user);
      followers = [{ user, at }, ...followers.filter((follower) => follower.user !== user)];
      followers = followers.slice(0, followersKept);
      if (total !== null && isNew) total += 1;
      changed();
    },
    unfollowed: (user) => {
      const rest = followers.filter((follower) => follower.user !== user);
      if (total !== null && rest.length < followers.length) total -= 1;
      followers = rest;
      changed();
    },
    noticed: ({ other, state }) => {
      asking.delete(other);
      if (state === 'following') following.add(other);
      else following.delete(other);
      changed();
    },
  };
}

/** A feed that could not go on from where it was: the lists are read anew. */
export async function reload(follows: Follows): Promise<void> {
  try {
    await follows.load();
  } catch (error) {
    notify(`Followers could not be read: ${(error as Error).message}`, 'bad');
  }
}
