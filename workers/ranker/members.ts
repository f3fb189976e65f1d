import { chunkBits, chunkEntries, chunkMask } from './columns.ts';

/**
 * The entries of a contest in order of first appearance: an entry's place here is its ordinal, and stays
 * when it leaves and comes back.
 *
 * Four bytes an entry: its number, and in the highest bit whether it is gone. From an entry's number to its
 * ordinal: almost always entries appear in the order of their numbers, so those that raise the greatest
 * number so far are found by the greatest number of each block of 64 and a look through one block; only the
 * others are in a hash table.
 */
export const goneBit = 0x80000000;
const numberMask = 0x7fffffff;
const listBits = 14;
const listLength = 1 << listBits;
const blockBits = 6;

export class Members {
  /** Ordinals given. */
  size = 0;
  /** Entries in the contest now. */
  live = 0;
  private lists: Uint32Array[] = [];
  /** Greatest entry number up to the end of each whole block. */
  private blockMax: Uint32Array | null = null;
  private max = -1;
  private late: LateIndex | null = null;
  /**
   * A bit per entry of the match, set while it is in the contest; by chunk. Kept only where `keepMasks` was
   * called.
   */
  private masks: (Uint32Array | undefined)[] | null = null;

  /** The ordinal, or -1 if the entry was never here. */
  find(entry: number): number {
    const blocks = this.size >>> blockBits;
    let low = 0;
    let high = blocks;
    const blockMax = this.blockMax;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (blockMax![middle]! >= entry) high = middle;
      else low = middle + 1;
    }
    const from = low << blockBits;
    const to = Math.min(from + (1 << blockBits), this.size);
    for (let ordinal = from; ordinal < to; ordinal += 1) if (this.entryAt(ordinal) === entry) return ordinal;
    return this.late === null ? -1 : this.late.find(entry, this);
  }

  entryAt(ordinal: number): number {
    return this.lists[ordinal >>> listBits]![ordinal & (listLength - 1)]! & numberMask;
  }

  isPresent(ordinal: number): boolean {
    return this.lists[ordinal >>> listBits]![ordinal & (listLength - 1)]! < goneBit;
  }

  /** An entry that was never here. */
  append(entry: number): number {
    const ordinal = this.size;
    const at = ordinal & (listLength - 1);
    let list = this.lists[ordinal >>> listBits];
    if (list === undefined || at === list.length) {
      list = nextList(list, ordinal);
      // Most contests have one list: a literal has no room to spare.
      if (ordinal < listLength) this.lists = [list];
      else this.lists[ordinal >>> listBits] = list;
    }
    list[at] = entry;
    this.size = ordinal + 1;
    this.live += 1;
    if (this.masks !== null) setBit(this.masks, entry, true);
    if (entry > this.max) this.max = entry;
    else {
      this.late ??= new LateIndex();
      this.late.add(ordinal, entry, this);
    }
    if ((this.size & ((1 << blockBits) - 1)) === 0) this.closeBlock();
    return ordinal;
  }

  /** Brings back or takes away an entry that has an ordinal. */
  setPresent(ordinal: number, present: boolean): void {
    if (this.isPresent(ordinal) === present) return;
    const list = this.lists[ordinal >>> listBits]!;
    const at = ordinal & (listLength - 1);
    list[at] = present ? list[at]! & numberMask : list[at]! | goneBit;
    this.live += present ? 1 : -1;
    if (this.masks !== null) setBit(this.masks, list[at]! & numberMask, present);
  }

  /** Whether entries stand in the order of their numbers. */
  get ascending(): boolean {
    return this.late === null;
  }

  /** The lists behind the ordinals, for loops over all: 16,384 values each, the last one fewer. */
  raw(): readonly Uint32Array[] {
    return this.lists;
  }

  /** Bits by chunk of 65,536 entries; made at the first call and kept from then on. */
  keepMasks(): readonly (Uint32Array | undefined)[] {
    if (this.masks !== null) return this.masks;
    this.masks = [];
    for (let ordinal = 0; ordinal < this.size; ordinal += 1) {
      if (this.isPresent(ordinal)) setBit(this.masks, this.entryAt(ordinal), true);
    }
    return this.masks;
  }

  dropMasks(): void {
    this.masks = null;
  }

  private closeBlock(): void {
    const block = (this.size >>> blockBits) - 1;
    if (this.blockMax === null || block === this.blockMax.length) {
      const next = new Uint32Array(block < 64 ? Math.max(4, block * 2) : Math.ceil(block * 1.25));
      if (this.blockMax !== null) next.set(this.blockMax);
      this.blockMax = next;
    }
    this.blockMax[block] = this.max;
  }
}

/** A longer list in place of a full first one; or one of full length. */
function nextList(full: Uint32Array | undefined, ordinal: number): Uint32Array {
  if (ordinal >= listLength) return new Uint32Array(listLength);
  const next = new Uint32Array(Math.min(listLength, Math.max(8, Math.ceil(ordinal * 1.5))));
  if (full !== undefined) next.set(full);
  return next;
}

function setBit(masks: (Uint32Array | undefined)[], entry: number, on: boolean): void {
  const at = entry >>> chunkBits;
  while (masks.length <= at) masks.push(undefined);
  let mask = masks[at];
  if (mask === undefined) {
    mask = new Uint32Array(chunkEntries >>> 5);
    masks[at] = mask;
  }
  const bit = 1 << (entry & 31);
  if (on) mask[(entry & chunkMask) >>> 5]! |= bit;
  else mask[(entry & chunkMask) >>> 5]! &= ~bit;
}

/** Ordinals of the entries that appeared after one of a greater number: open addressing, load up to 0.8. */
class LateIndex {
  private slots = new Uint32Array(8);
  private used = 0;

  find(entry: number, members: Members): number {
    const slots = this.slots;
    let slot = first(entry, slots.length);
    while (slots[slot] !== 0) {
      if (members.entryAt(slots[slot]! - 1) === entry) return slots[slot]! - 1;
      slot = slot + 1 === slots.length ? 0 : slot + 1;
    }
    return -1;
  }

  add(ordinal: number, entry: number, members: Members): void {
    if (this.used + 1 > this.slots.length * 0.8) {
      const old = this.slots;
      this.slots = new Uint32Array(old.length < 1_024 ? old.length * 2 : Math.ceil(old.length * 1.25));
      for (const value of old) if (value !== 0) this.place(value, members.entryAt(value - 1));
    }
    this.place(ordinal + 1, entry);
    this.used += 1;
  }

  private place(value: number, entry: number): void {
    let slot = first(entry, this.slots.length);
    while (this.slots[slot] !== 0) slot = slot + 1 === this.slots.length ? 0 : slot + 1;
    this.slots[slot] = value;
  }
}

function first(entry: number, length: number): number {
  let hash = Math.imul(entry ^ (entry >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return Math.floor((((hash ^ (hash >>> 16)) >>> 0) * length) / 0x100000000);
}
