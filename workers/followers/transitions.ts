import { shownAffinity } from '../../channels/sets/affinity.ts';
import type { SetChange } from '../../channels/sets/ranked-sets.ts';
import type { FeedMessage, FollowingNotice } from '../../proto/feed-messages.ts';
import type { GraphChange } from '../../proto/records.ts';

/** Something to tell on a log channel. */
export interface Telling {
  readonly channel: string;
  readonly id: string;
  readonly at: number;
  readonly data: FeedMessage | FollowingNotice;
}
/** A member that a change speaks of, and the set it may be in. */
export interface Place {
  readonly set: string;
  readonly member: string;
}

export function placeOf(change: GraphChange): Place {
  return { set: `${change.list}_${change.user}`, member: change.other };
}

export function placeKey({ set, member }: Place): string {
  return `${set} ${member}`;
}

/**
 * What to tell of `changes`, in order: each begin and each end of a membership. `members`: the places (as
 * `placeKey`) where there is a member before the first change; afterwards, those after the last. Changes
 * before `untoldFrom` have been told already: of them only what they leave counts.
 */
export function tellings(
  changes: readonly { change: GraphChange; offset: number }[],
  members: Set<string>,
  untoldFrom: number,
): (Telling & { offset: number })[] {
  const told: (Telling & { offset: number })[] = [];
  for (const { change, offset } of changes) {
    if (change.kind === 'affinity') continue;
    const key = placeKey(placeOf(change));
    const isMember = change.kind === 'put';
    if (members.has(key) === isMember) continue;
    if (isMember) members.add(key);
    else members.delete(key);
    if (offset >= untoldFrom) told.push({ ...telling(change, isMember), offset });
  }
  return told;
}

/** What is told of a change that began (`isMember`) or ended a membership. */
export function telling(change: GraphChange, isMember: boolean): Telling {
  const { id, at, user, other } = change;
  if (change.list === 'following') {
    const state = isMember ? 'following' : 'none';
    return { channel: `user:${user}`, id, at, data: { type: 'following', other, state } };
  }
  const data: FeedMessage = isMember
    ? { type: 'follower', user: other, affinity: shownAffinity(change.affinity ?? 0, at) }
    : { type: 'unfollower', user: other };
  return { channel: `feed:${user}`, id, at, data };
}

/**
 * Cuts into runs, in order, none of which speaks of the same user on the same channel twice. Nearly always
 * one.
 */
export function runsApart(told: readonly Telling[]): Telling[][] {
  const runs: Telling[][] = [];
  let run: Telling[] = [];
  let named = new Set<string>();
  for (const item of told) {
    const key = `${item.channel} ${'user' in item.data ? item.data.user : item.data.other}`;
    if (named.has(key)) {
      runs.push(run);
      run = [];
      named = new Set();
    }
    named.add(key);
    run.push(item);
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

/** What to do to the sets: of each place only what stands at the end. */
export function setChanges(changes: readonly GraphChange[]): SetChange[] {
  const last = new Map<string, SetChange>();
  for (const change of changes) {
    const place = placeOf(change);
    const key = placeKey(place);
    const score = change.kind === 'remove' ? null : (change.affinity ?? 0);
    if (change.kind !== 'affinity') {
      last.set(key, { ...place, score });
      continue;
    }
    const before = last.get(key);
    if (before === undefined) last.set(key, { ...place, score, ifMember: true });
    else if (before.score !== null) last.set(key, { ...before, score });
  }
  return [...last.values()];
}
