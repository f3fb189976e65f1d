/**
 * Ids of [A-Za-z0-9_-] kept six bits a symbol: an id of 12 bytes takes 9. Append only.
 *
 * Ids are laid one behind the other in blocks of 16,384. Where all of a block are of one length, as ids
 * mostly are, that is all; else each has its length before it, and the start of every sixteenth is kept,
 * the others are found by stepping over lengths. A block's bytes grow by half and are cut to size once it
 * is full, so only the newest block has slack.
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
  count: number;
  /** Of each id, where all are of one length; -1: each has its length before it. */
  symbols: number;
  /** Of ids with lengths: where each sixteenth begins. */
  starts: Uint32Array | null;
}

export class PackedIds {
  count = 0;
  private readonly blocks: Block[] = [];

  push(query: IdQuery): number {
    const index = this.count;
    if ((index & (blockIds - 1)) === 0) this.openBlock(query);
    const block = this.blocks[index >>> blockBits]!;
    if (block.symbols >= 0 && block.symbols !== query.symbols) giveLengths(block);
    append(block, query.packed, query.bytes, query.symbols);
    this.count = index + 1;
    return index;
  }

  equals(index: number, query: IdQuery): boolean {
    const block = this.blocks[index >>> blockBits]!;
    const at = startOf(block, index & (blockIds - 1));
    const { bytes } = block;
    if ((block.symbols >= 0 ? block.symbols : bytes[at - 1]) !== query.symbols) return false;
    for (let i = 0; i < query.bytes; i += 1) if (bytes[at + i] !== query.packed[i]) return false;
    return true;
  }

  hash(index: number): number {
    const block = this.blocks[index >>> blockBits]!;
    const at = startOf(block, index & (blockIds - 1));
    const length = block.symbols >= 0 ? block.symbols : block.bytes[at - 1]!;
    return hashBytes(block.bytes, at, bytesOf(length), length);
  }

  get(index: number): string {
    const block = this.blocks[index >>> blockBits]!;
    let at = startOf(block, index & (blockIds - 1));
    const length = block.symbols >= 0 ? block.symbols : block.bytes[at - 1]!;
    const codes = new Array<number>(length);
    let bits = 0;
    let held = 0;
    for (let i = 0; i < length; i += 1) {
      if (held < 6) {
        bits = (bits << 8) | block.bytes[at]!;
        at += 1;
        held += 8;
      }
      held -= 6;
      codes[i] = codeOf[(bits >>> held) & 63]!;
    }
    return String.fromCharCode.apply(null, codes);
  }

  private openBlock(query: IdQuery): void {
    const last = this.blocks.at(-1);
    if (last !== undefined) last.bytes = last.bytes.slice(0, last.used);
    this.blocks.push({
      // The first block begins small: many matches and contests never fill one.
      bytes: new Uint8Array(last === undefined ? 128 : Math.ceil(last.used * 1.02)),
      used: 0,
      count: 0,
      symbols: query.symbols,
      starts: null,
    });
  }
}

const bytesOf = (symbolCount: number): number => (symbolCount * 6 + 7) >>> 3;

/** Where the packed bytes of an id begin. */
function startOf(block: Block, within: number): number {
  if (block.starts === null) return within * bytesOf(block.symbols);
  let at = block.starts[within >>> startBits]!;
  for (let i = within & 15; i > 0; i -= 1) at += 1 + bytesOf(block.bytes[at]!);
  return at + 1;
}

function append(block: Block, packed: Uint8Array, length: number, symbolCount: number): void {
  const needed = block.used + 1 + length;
  if (needed > block.bytes.length) {
    const bytes = new Uint8Array(Math.max(needed, Math.floor(block.bytes.length * 1.5)));
    bytes.set(block.bytes.subarray(0, block.used));
    block.bytes = bytes;
  }
  if (block.starts !== null) {
    if ((block.count & 15) === 0) {
      const at = block.count >>> startBits;
      if (at === block.starts.length) block.starts = grown(block.starts, at * 2);
      block.starts[at] = block.used;
    }
    block.bytes[block.used] = symbolCount;
    block.used += 1;
  }
  for (let i = 0; i < length; i += 1) block.bytes[block.used + i] = packed[i]!;
  block.used += length;
  block.count += 1;
}

/** Lays the ids of a block out anew, each with its length. */
function giveLengths(block: Block): void {
  const { bytes, count, symbols: symbolCount } = block;
  const length = bytesOf(symbolCount);
  block.bytes = new Uint8Array(Math.max(128, Math.ceil(count * (length + 1) * 1.25)));
  block.used = 0;
  block.count = 0;
  block.symbols = -1;
  block.starts = new Uint32Array(Math.max(8, Math.ceil((count + 1) / 16)));
  for (let i = 0; i < count; i += 1) {
    append(block, bytes.subarray(i * length, (i + 1) * length), length, symbolCount);
  }
}

function grown(array: Uint32Array, length: number): Uint32Array {
  const next = new Uint32Array(length);
  next.set(array);
  return next;
}
