/**
 * Ids of [A-Za-z0-9_-] kept six bits a symbol: an id of 12 bytes takes 9, and one more for its length.
 * Append only.
 *
 * Ids are laid one behind the other in blocks of 16,384; the start of every sixteenth is kept, the others
 * are found by stepping over lengths. A block's bytes grow by half and are cut to size once it is full, so
 * only the newest block has slack.
 */

const symbols = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';
const sextetOf = new Uint8Array(128);
for (let i = 0; i < symbols.length; i += 1) sextetOf[symbols.charCodeAt(i)] = i;
const codeOf = new Uint8Array(64);
for (let i = 0; i < symbols.length; i += 1) codeOf[i] = symbols.charCodeAt(i);

const blockBits = 14;
const blockIds = 1 << blockBits;
const startBits = 4;

/** An id on its way to being found or stored: packed and hashed once. */
export class IdQuery {
  /** Symbols of the id. */
  symbols = 0;
  /** Bytes it takes packed. */
  bytes = 0;
  hash = 0;
  /** Room for 255 symbols; ids have at most 36. */
  readonly packed = new Uint8Array(192);

  /** Ids outside the grammar never get here: records are checked at the way in. */
  set(id: string): this {
    const packed = this.packed;
    const length = id.length;
    if (length > 255) throw new RangeError(`an id of ${length} symbols`);
    let bits = 0;
    let held = 0;
    let at = 0;
    for (let i = 0; i < length; i += 1) {
      bits = (bits << 6) | sextetOf[id.charCodeAt(i) & 127]!;
      held += 6;
      if (held >= 8) {
        held -= 8;
        packed[at] = (bits >>> held) & 255;
        at += 1;
      }
    }
    if (held > 0) {
      packed[at] = (bits << (8 - held)) & 255;
      at += 1;
    }
    this.symbols = length;
    this.bytes = at;
    this.hash = hashBytes(packed, 0, at, length);
    return this;
  }
}

/** FNV-1a, then murmur3's finish: the low bits choose among many slots. */
function hashBytes(bytes: Uint8Array, from: number, length: number, symbolCount: number): number {
  let hash = 0x811c9dc5 ^ symbolCount;
  for (let i = from; i < from + length; i += 1) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

interface Block {
  bytes: Uint8Array;
  used: number;
  /** Where each sixteenth id of the block begins. */
  starts: Uint32Array;
}

export class PackedIds {
  count = 0;
  private readonly blocks: Block[] = [];

  push(query: IdQuery): number {
    const index = this.count;
    const within = index & (blockIds - 1);
    if (within === 0) this.openBlock();
    const block = this.blocks[index >>> blockBits]!;
    if ((within & 15) === 0) {
      const at = within >>> startBits;
      if (at === block.starts.length) block.starts = grown(block.starts, at * 2);
      block.starts[at] = block.used;
    }
    const needed = block.used + 1 + query.bytes;
    if (needed > block.bytes.length) {
      const bytes = new Uint8Array(Math.max(needed, Math.floor(block.bytes.length * 1.5)));
      bytes.set(block.bytes.subarray(0, block.used));
      block.bytes = bytes;
    }
    block.bytes[block.used] = query.symbols;
    for (let i = 0; i < query.bytes; i += 1) block.bytes[block.used + 1 + i] = query.packed[i]!;
    block.used = needed;
    this.count = index + 1;
    return index;
  }

  equals(index: number, query: IdQuery): boolean {
    const block = this.blocks[index >>> blockBits]!;
    const at = this.startOf(block, index);
    if (block.bytes[at] !== query.symbols) return false;
    for (let i = 0; i < query.bytes; i += 1) {
      if (block.bytes[at + 1 + i] !== query.packed[i]) return false;
    }
    return true;
  }

  hash(index: number): number {
    const block = this.blocks[index >>> blockBits]!;
    const at = this.startOf(block, index);
    const length = block.bytes[at]!;
    return hashBytes(block.bytes, at + 1, (length * 6 + 7) >>> 3, length);
  }

  get(index: number): string {
    const block = this.blocks[index >>> blockBits]!;
    let at = this.startOf(block, index);
    const length = block.bytes[at]!;
    const codes = new Array<number>(length);
    let bits = 0;
    let held = 0;
    for (let i = 0; i < length; i += 1) {
      if (held < 6) {
        at += 1;
        bits = (bits << 8) | block.bytes[at]!;
        held += 8;
      }
      held -= 6;
      codes[i] = codeOf[(bits >>> held) & 63]!;
    }
    return String.fromCharCode.apply(null, codes);
  }

  private openBlock(): void {
    const last = this.blocks.at(-1);
    if (last !== undefined) last.bytes = last.bytes.slice(0, last.used);
    const first = last === undefined;
    this.blocks.push({
      // The first block begins small: many matches and contests never fill one.
      bytes: new Uint8Array(first ? 256 : Math.ceil(last.used * 1.02)),
      used: 0,
      starts: new Uint32Array(first ? 8 : blockIds >>> startBits),
    });
  }

  private startOf(block: Block, index: number): number {
    const within = index & (blockIds - 1);
    let at = block.starts[within >>> startBits]!;
    for (let i = within & 15; i > 0; i -= 1) at += 1 + ((block.bytes[at]! * 6 + 7) >>> 3);
    return at;
  }
}

function grown(array: Uint32Array, length: number): Uint32Array {
  const next = new Uint32Array(length);
  next.set(array);
  return next;
}
