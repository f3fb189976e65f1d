import type { RankedSets, SetChange } from '../../channels/sets/ranked-sets.ts';
import type { Graph } from '../graph/graph.ts';

/** Members read or written at once: a page of either store. */
const pageSize = 500;

export interface Repaired {
  list: 'followers' | 'following';
  members: number;
  /** Members that the set lacked or had with another affinity. */
  put: number;
  /** Members that the graph does not have. */
  removed: number;
}

/**
 * Makes a user's two sorted sets equal to the graph, page by page. Harmless to repeat. Changes that arrive
 * meanwhile may be undone by it and come back with their next change: run it again, or while no follows of
 * this user come in.
 */
export async function repairUser(graph: Graph, sets: RankedSets, user: string): Promise<Repaired[]> {
  const done: Repaired[] = [];
  for (const list of ['followers', 'following'] as const)
    done.push(await repairList(graph, sets, user, list));
  return done;
}

async function repairList(
  graph: Graph,
  sets: RankedSets,
  user: string,
  list: 'followers' | 'following',
): Promise<Repaired> {
  const set = `${list}_${user}`;
  const repaired: Repaired = { list, members: 0, put: 0, removed: 0 };
  for (let after: string | null = null; ; ) {
    const edges = await graph.list(user, list, after, pageSize);
    if (edges.length === 0) break;
    repaired.members += edges.length;
    const kept = await sets.scores(
      set,
      edges.map((edge) => edge.other),
    );
    const changes: SetChange[] = [];
    edges.forEach((edge, index) => {
      if (kept[index] !== edge.affinity) changes.push({ set, member: edge.other, score: edge.affinity });
    });
    if (changes.length > 0) await sets.apply(changes);
    repaired.put += changes.length;
    after = edges.at(-1)?.other ?? null;
  }
  repaired.removed = await removeStrangers(graph, sets, user, list);
  return repaired;
}

/** Members of the set that are not in the graph. */
async function removeStrangers(
  graph: Graph,
  sets: RankedSets,
  user: string,
  list: 'followers' | 'following',
): Promise<number> {
  const set = `${list}_${user}`;
  let removed = 0;
  for (let offset = 0; ; ) {
    const page = await sets.page(set, offset, pageSize);
    if (page === null || page.rows.length === 0) return removed;
    const pairs = page.rows.map(([other]) =>
      list === 'followers' ? ([other, user] as const) : ([user, other] as const),
    );
    const states = await graph.read(pairs);
    const strangers = page.rows.filter((_, index) => states[index]?.[0].following !== true);
    if (strangers.length > 0) await sets.apply(strangers.map(([member]) => ({ set, member, score: null })));
    removed += strangers.length;
    offset += page.rows.length - strangers.length;
  }
}
