import type { RankedSets, SetChange } from '../../channels/sets/ranked-sets.ts';
import { ServiceError } from '../../proto/codes.ts';
import type { Graph, PairState } from '../graph/graph.ts';

/**
 * Makes sorted sets equal to the graph while writes go on.
 *
 * The graph is always ahead of the sets: a change is in it before it is told, and everything told is applied
 * in order. So whatever is written here must have been what the graph said at some moment **after** it was
 * written: then changes from before that moment end in the same, and those after it are told later and win.
 * Hence each step: read the graph, write, read the graph again, and write once more where it says something
 * else by now.
 */

/** Members read or written at once: a page of either store. */
const pageSize = 500;
/** A member that changes this often between two reads of the graph is not followed further. */
const roundsMax = 100;
/** How often a list is begun again because the store lost its memory meanwhile. */
const beginsMax = 5;

export type List = 'followers' | 'following';
export const lists = ['followers', 'following'] as const satisfies readonly List[];

export interface Repaired {
  list: List;
  members: number;
  /** Members that the set lacked or had with another affinity. */
  put: number;
  /** Members that the graph does not have. */
  removed: number;
}

export interface RepairParts {
  graph: Graph;
  sets: RankedSets;
}

/** What a mending must know of the world. */
export interface Mending {
  /** It is to be given up. */
  ended(): boolean;
  /** How often the sets may have lost what was written last, so far. */
  interruptions(): number;
}

/** Makes a user's two sorted sets equal to the graph, page by page. Harmless to repeat. */
export async function repairUser(
  graph: Graph,
  sets: RankedSets,
  user: string,
  mending?: Mending,
): Promise<Repaired[]> {
  const done: Repaired[] = [];
  for (const list of lists) done.push(await repairList({ graph, sets }, user, list, mending));
  return done;
}

/**
 * Makes one list equal to the graph and marks it as whole. Rejects with a retryable `ServiceError` where a
 * store fails, or as soon as `ended` says so. After an interruption it begins again: what was written just
 * before may be lost, though the word of the mending is not.
 */
export async function repairList(
  parts: RepairParts,
  user: string,
  list: List,
  mending: Mending = { ended: () => false, interruptions: () => 0 },
): Promise<Repaired> {
  const place = { ...parts, user, list, set: `${list}_${user}`, ended: mending.ended };
  for (let begins = 0; begins < beginsMax; begins++) {
    const interruptions = mending.interruptions();
    const word = await parts.sets.mend(place.set);
    const repaired: Repaired = { list, members: 0, put: 0, removed: 0 };
    await takeFromGraph(place, repaired);
    await removeStrangers(place, repaired);
    if (mending.interruptions() !== interruptions) continue;
    if (await parts.sets.mended(place.set, word)) return repaired;
  }
  throw new ServiceError(`The memory of the sorted sets was lost while ${place.set} was mended.`, true);
}

interface Place extends RepairParts {
  user: string;
  list: List;
  set: string;
  ended(): boolean;
}

/** Members that the graph has: into the set, where it lacks them. */
async function takeFromGraph(place: Place, repaired: Repaired): Promise<void> {
  const { graph, sets, user, list, set } = place;
  for (let after: string | null = null; ; ) {
    goOn(place);
    const edges = await graph.list(user, list, after, pageSize);
    if (edges.length === 0) return;
    repaired.members += edges.length;
    const members = edges.map(({ other }) => other);
    const kept = await sets.scores(set, members);
    const wrong = new Map<string, number | null>();
    edges.forEach(({ other, affinity }, i) => {
      if (kept[i] !== affinity) wrong.set(other, affinity);
    });
    repaired.put += wrong.size;
    await settle(place, wrong);
    after = members.at(-1) ?? null;
  }
}

/** Members of the set that the graph does not have: out of it. */
async function removeStrangers(place: Place, repaired: Repaired): Promise<void> {
  for (let cursor: string | null = null; ; ) {
    goOn(place);
    const { members, next } = await place.sets.scan(place.set, cursor, pageSize);
    for (let at = 0; at < members.length; at += pageSize) {
      const some = members.slice(at, at + pageSize);
      const wrong = new Map<string, number | null>();
      for (const [member, affinity] of await affinities(place, some)) {
        if (affinity === null) wrong.set(member, null);
      }
      repaired.removed += wrong.size;
      await settle(place, wrong);
    }
    if (next === null) return;
    cursor = next;
  }
}

/** Writes members as the graph has them (`null`: not at all), until it says the same afterwards. */
async function settle(place: Place, wrong: Map<string, number | null>): Promise<void> {
  const { sets, set } = place;
  for (let rounds = 0; wrong.size > 0; rounds++) {
    goOn(place);
    if (rounds === roundsMax) throw new ServiceError(`${set} changes too fast to be mended.`, true);
    const written = wrong;
    await sets.apply([...written].map(([member, score]): SetChange => ({ set, member, score })));
    wrong = new Map();
    for (const [member, affinity] of await affinities(place, [...written.keys()])) {
      if (affinity !== written.get(member)) wrong.set(member, affinity);
    }
  }
}

/** What the graph says of each member now: its affinity, `null` where there is no follow. */
async function affinities(place: Place, members: readonly string[]): Promise<[string, number | null][]> {
  const { graph, user, list } = place;
  const states = await graph.read(
    members.map((other) => (list === 'followers' ? ([other, user] as const) : ([user, other] as const))),
  );
  return members.map((member, i) => [member, affinityOf(states[i]![0])]);
}

function affinityOf(state: PairState): number | null {
  return state.following ? state.affinity : null;
}

function goOn(place: Place): void {
  if (place.ended()) throw new ServiceError(`The mending of ${place.set} was given up.`, true);
}
