import type { PairState, Stamp } from './graph.ts';

/**
 * How a PairState lies in the graph. Whoever queries the graph by hand finds users and what stands between
 * them, nothing else:
 *
 *   vertex `user`          id `u:1003`
 *   edge `follow`          id `f:1003:1002`, from u:1003 to u:1002, while the follow stands
 *   edge `block`           id `b:1003:1002`, while the block stands
 *
 * What is known of a pair lies on the first of these that is there: the follow, the block, or, where neither
 * stands, a vertex `ended` apart from all users, with the id `e:1003:1002`. Edges have the properties
 * `affinity`, `since`, and `stamps` (of the follow, its affinity and the block: `at:id` each, `-` for never
 * set); the vertex has all of them in one text, `state`.
 */
export const userId = (user: string): string => `u:${user}`;
export const followId = (from: string, to: string): string => `f:${from}:${to}`;
export const blockId = (from: string, to: string): string => `b:${from}:${to}`;
export const endedId = (from: string, to: string): string => `e:${from}:${to}`;
/**
 * Vertex `ended_hour`: what may be forgotten in that hour since the epoch points to it by `until`; to
 * several, where it was touched again, of which the last counts.
 */
export const hourId = (hour: number): string => `h:${hour}`;

/** An element that was read. */
export interface StoredState {
  affinity: number;
  since: number;
  stamps: string;
}

export function encodeStamps({ followStamp, affinityStamp, blockStamp }: PairState): string {
  return `${encodeStamp(followStamp)} ${encodeStamp(affinityStamp)} ${encodeStamp(blockStamp)}`;
}

/** For a vertex, where each property costs a step and a record. */
export function encodeEnded(state: PairState): string {
  return `${state.affinity} ${state.since} ${encodeStamps(state)}`;
}

export function decodeEnded(text: string): StoredState {
  const [affinity, since, ...stamps] = text.split(' ');
  return { affinity: Number(affinity), since: Number(since), stamps: stamps.join(' ') };
}

/** `stored`: by id, what of f:, b: and e: is there. */
export function decodeState(
  from: string,
  to: string,
  stored: ReadonlyMap<string, StoredState>,
): PairState | null {
  const follow = stored.get(followId(from, to));
  const block = stored.get(blockId(from, to));
  const known = follow ?? block ?? stored.get(endedId(from, to));
  if (known === undefined) return null;
  const [followStamp = '', affinityStamp = '', blockStamp = ''] = known.stamps.split(' ');
  return {
    from,
    to,
    following: follow !== undefined,
    affinity: known.affinity,
    since: known.since,
    followStamp: decodeStamp(followStamp),
    affinityStamp: decodeStamp(affinityStamp),
    blocking: block !== undefined,
    blockStamp: decodeStamp(blockStamp),
  };
}

/** Ids have neither spaces nor colons. */
function encodeStamp(stamp: Stamp | null): string {
  return stamp === null ? '-' : `${stamp.at}:${stamp.id}`;
}

function decodeStamp(text: string): Stamp | null {
  const colon = text.indexOf(':');
  return colon < 0 ? null : { at: Number(text.slice(0, colon)), id: text.slice(colon + 1) };
}
