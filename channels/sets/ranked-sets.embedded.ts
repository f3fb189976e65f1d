import { ServiceError } from '../../proto/codes.ts';
import type { EmbeddedStore } from '../store/store.embedded.ts';
import { openBlocks } from './blocks.embedded.ts';
import { checkMembers, checkName, checkPlaces, checkRow, plain } from './ranked-sets.limits.ts';
import type { RankedSets, SetChange, SetRow } from './ranked-sets.ts';

/**
 * Sorted sets in the data folder of a process that stands alone.
 *
 * An order by (set, score, member), scores by (set, member), per set its count and fence, and counts by
 * blocks of the order: a page at 9 million of 10 passes some thousand blocks and then at most one's members.
 * It never loses its memory, so no list is ever `null`.
 */
export interface EmbeddedRankedSetsSetup {
  store: EmbeddedStore;
  options?: Partial<EmbeddedRankedSetsOptions>;
}
export interface EmbeddedRankedSetsOptions {
  blockMembersMax: number;
}
export const embeddedRankedSetsDefaults: EmbeddedRankedSetsOptions = {
  /** A tenth of a millisecond to skip, and few enough blocks in a set of ten million. */
  blockMembersMax: 4_096,
};

interface Mark {
  count: number;
  /** Of the last `replace`; -Infinity: none. */
  fence: number;
}

export function createEmbeddedRankedSets(setup: EmbeddedRankedSetsSetup): RankedSets {
  const { store } = setup;
  const order = store.table('sets:order');
  const scores = store.table('sets:scores');
  const marks = store.table('sets:marks');
  const { blockMembersMax } = { ...embeddedRankedSetsDefaults, ...setup.options };
  const blocks = openBlocks(store.table('sets:blocks'), order, blockMembersMax);
  const nothing = Buffer.alloc(1);
  let closed = false;

  function live(): void {
    if (closed) throw new ServiceError('The sets are closed.', false);
  }
  function markOf(set: string): Mark {
    const bytes = marks.get(set);
    if (bytes === undefined) return { count: 0, fence: Number.NEGATIVE_INFINITY };
    return { count: bytes.readDoubleBE(0), fence: bytes.readDoubleBE(8) };
  }
  function scoreOf(set: string, member: string): number | null {
    return scores.get([set, member])?.readDoubleBE(0) ?? null;
  }

  // Inside of a write; each answers by how much the count changes.
  function setScore(set: string, member: string, score: number, ifMember: boolean): number {
    const before = scoreOf(set, member);
    if (before === score || (before === null && ifMember)) return 0;
    if (before !== null) dropFromOrder(set, before, member);
    order.put([set, score, member], nothing);
    blocks.added(set, score, member);
    scores.put([set, member], encodeScore(score));
    return before === null ? 1 : 0;
  }
  function dropFromOrder(set: string, score: number, member: string): void {
    order.remove([set, score, member]);
    blocks.removed(set, score, member);
  }
  function remove(set: string, member: string): number {
    const before = scoreOf(set, member);
    if (before === null) return 0;
    dropFromOrder(set, before, member);
    scores.remove([set, member]);
    return -1;
  }
  function change({ set, member, score, ifMember }: SetChange): number {
    if (score === null) return remove(set, member);
    return setScore(set, member, plain(score), ifMember === true);
  }

  function applyInWrite(changes: readonly SetChange[]): void {
    const changed = new Map<string, Mark>();
    for (const one of changes) {
      const mark = changed.get(one.set) ?? markOf(one.set);
      mark.count += change(one);
      changed.set(one.set, mark);
    }
    for (const [set, mark] of changed) marks.put(set, encodeMark(mark));
  }

  function replaceInWrite(set: string, fence: number, rows: readonly SetRow[]): void {
    const mark = markOf(set);
    if (fence <= mark.fence) return;
    const wanted = new Map(rows);
    const gone: string[] = [];
    for (const key of scores.getKeys({ start: [set], end: afterAll(set) })) {
      const member = (key as [string, string])[1];
      if (!wanted.has(member)) gone.push(member);
    }
    for (const member of gone) mark.count += remove(set, member);
    for (const [member, score] of wanted) mark.count += setScore(set, member, plain(score), false);
    mark.fence = fence;
    marks.put(set, encodeMark(mark));
  }

  return {
    async apply(changes) {
      live();
      for (const { set, member, score } of changes) checkRow(set, member, score);
      if (changes.length > 0) await store.write(() => applyInWrite(changes));
    },
    async page(set, offset, limit) {
      live();
      const total = markOf(set).count;
      const rows: SetRow[] = [];
      if (offset < total && limit > 0) {
        for (const key of order.getKeys({ ...blocks.rangeFrom(set, offset), limit })) {
          const [, score, member] = key as [string, number, string];
          rows.push([member, score]);
        }
      }
      return { total, rows };
    },
    async counts(sets) {
      live();
      return sets.map((set) => markOf(set).count);
    },
    async scores(set, members) {
      live();
      checkMembers(set, members);
      return members.map((member) => scoreOf(set, member));
    },
    async scoresOf(places) {
      live();
      checkPlaces(places);
      return places.map(({ set, member }) => scoreOf(set, member));
    },
    async replace(set, fence, rows) {
      live();
      checkName(set);
      for (const [member, score] of rows) checkRow(set, member, score);
      await store.write(() => replaceInWrite(set, fence, rows));
    },
    async scan(set, cursor, limit) {
      live();
      const start = cursor === null ? [set] : [set, cursor];
      const range = { start, exclusiveStart: cursor !== null, end: afterAll(set), limit };
      const members: string[] = [];
      for (const key of scores.getKeys(range)) members.push((key as [string, string])[1]);
      return { members, next: members.length < limit ? null : (members.at(-1) ?? null) };
    },
    async markNew() {
      live();
    },
    async mend() {
      live();
      return 'never lost';
    },
    async mended() {
      live();
      return true;
    },
    async close() {
      if (closed) return;
      closed = true;
      // Writes are in order: when this one is through, so are those before.
      await store.write(() => undefined);
    },
  };
}

/** A key beyond [set, any member]. */
function afterAll(set: string): [string, Buffer] {
  return [set, Buffer.of(255)];
}

function encodeScore(score: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(score);
  return bytes;
}
function encodeMark(mark: Mark): Buffer {
  const bytes = Buffer.allocUnsafe(16);
  bytes.writeDoubleBE(mark.count, 0);
  bytes.writeDoubleBE(mark.fence, 8);
  return bytes;
}
