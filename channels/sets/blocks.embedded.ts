import type { Table } from '../store/store.embedded.ts';

/**
 * Counts of the members of a sorted set by blocks, so that a page far down is found without passing all
 * before it.
 *
 * The order table has a key (set, score, member) per member. A block begins at a key and reaches to where the
 * next one begins; the first one of a set begins before all members. A block that grows beyond
 * `blockMembersMax` is halved; one that is empty goes. So a page reads one count per block above it, and
 * skips within one block.
 */
export interface Blocks {
  // Inside of a write, after the order table was changed.
  added(set: string, score: number, member: string): void;
  removed(set: string, score: number, member: string): void;
  /** A range of the order table, greatest first, from the member at the offset on. */
  rangeFrom(set: string, offset: number): BlockRange;
}
interface BlockRange {
  reverse: true;
  start: BlockKey;
  exclusiveStart: boolean;
  end: [set: string];
  offset: number;
}
/** [set, false] for the first: false sorts before every number. */
type BlockKey = (string | number | false)[];

export function openBlocks(table: Table, order: Table, blockMembersMax: number): Blocks {
  function blockOf(set: string, score: number, member: string): { key: BlockKey; count: number } {
    const range = { reverse: true, start: [set, score, member], end: [set], limit: 1 };
    for (const { key, value } of table.getRange(range)) {
      return { key: key as BlockKey, count: value.readUInt32BE(0) };
    }
    return { key: [set, false], count: 0 };
  }

  function split(key: BlockKey, count: number): void {
    const half = count >> 1;
    for (const middle of order.getKeys({ start: key, offset: half, limit: 1 })) {
      table.put(middle, encode(count - half));
      table.put(key, encode(half));
    }
  }

  return {
    added(set, score, member) {
      const { key, count } = blockOf(set, score, member);
      if (count + 1 > blockMembersMax) split(key, count + 1);
      else table.put(key, encode(count + 1));
    },
    removed(set, score, member) {
      const { key, count } = blockOf(set, score, member);
      if (count > 1) table.put(key, encode(count - 1));
      else table.remove(key);
    },
    rangeFrom(set, offset) {
      // Members are strings, and every string sorts after every number: [set, 'z'] is beyond all scores.
      let start: BlockKey = [set, 'z'];
      if (offset >= blockMembersMax) {
        for (const { key, value } of table.getRange({ reverse: true, start, end: [set] })) {
          const count = value.readUInt32BE(0);
          if (offset < count) break;
          offset -= count;
          start = key as BlockKey;
        }
      }
      // A block's own first key is the lowest of it: what comes next is below.
      return { reverse: true, start, exclusiveStart: true, end: [set], offset };
    },
  };
}

function encode(count: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(count);
  return bytes;
}
