import type { IdQuery, PackedIds } from './packed-ids.ts';

/** Slots in use beyond which a table grows: probes stay short with the hash's bits in the slot. */
const loadMax = 0.85;
const growth = 1.5;
const tableCount = 64;

/**
 * From an id to its number in a `PackedIds`: open addressing, linear probing, four bytes a slot.
 *
 * A slot holds the number + 1 in 24 bits and 8 bits of the hash, so that a probe rarely has to read an id.
 * One table while small, then 64 by the hash's first bits; each grows by half, by itself and at another
 * time than the others, so neither memory nor time ever leaps. Nothing is ever removed.
 */
export class IdIndex {
  /** Numbers up to this fit a slot. */
  static readonly numbersMax = 0xfffffe;

  private readonly ids: PackedIds;
  private tables: Uint32Array[] = [new Uint32Array(16)];
  private used: number[] = [0];
  private split = false;
  /** Where the last `find` ended. */
  private table = 0;
  private slot = 0;

  constructor(ids: PackedIds) {
    this.ids = ids;
  }

  /** The number, or -1. */
  find(query: IdQuery): number {
    const hash = query.hash;
    const table = this.split ? hash >>> 26 : 0;
    const slots = this.tables[table]!;
    const tag = hash & 255;
    let slot = this.first(hash, slots.length);
    for (;;) {
      const value = slots[slot]!;
      if (value === 0) break;
      if (value >>> 24 === tag && this.ids.equals((value & 0xffffff) - 1, query)) {
        this.table = table;
        this.slot = slot;
        return (value & 0xffffff) - 1;
      }
      slot = slot + 1 === slots.length ? 0 : slot + 1;
    }
    this.table = table;
    this.slot = slot;
    return -1;
  }

  /** Right after `find` of the same id: adds the number, or puts it in the place of the one found. */
  put(query: IdQuery, number: number): void {
    const slots = this.tables[this.table]!;
    const fresh = slots[this.slot] === 0;
    slots[this.slot] = ((query.hash & 255) << 24) | (number + 1);
    if (!fresh) return;
    const used = this.used[this.table]! + 1;
    this.used[this.table] = used;
    if (used <= slots.length * loadMax) return;
    if (!this.split && used >= 16_384) this.splitUp();
    else this.rebuild(this.table, Math.ceil(slots.length * growth));
  }

  private first(hash: number, length: number): number {
    return this.split
      ? Math.floor(((hash & 0x3ffffff) * length) / 0x4000000)
      : Math.floor((hash * length) / 0x100000000);
  }

  private rebuild(table: number, length: number): void {
    const old = this.tables[table]!;
    const slots = new Uint32Array(length);
    for (let i = 0; i < old.length; i += 1) if (old[i] !== 0) this.insert(slots, old[i]!);
    this.tables[table] = slots;
  }

  private insert(slots: Uint32Array, value: number): void {
    let slot = this.first(this.ids.hash((value & 0xffffff) - 1), slots.length);
    while (slots[slot] !== 0) slot = slot + 1 === slots.length ? 0 : slot + 1;
    slots[slot] = value;
  }

  private splitUp(): void {
    const old = this.tables[0]!;
    const counts = new Array<number>(tableCount).fill(0);
    for (const value of old) if (value !== 0) counts[this.ids.hash((value & 0xffffff) - 1) >>> 26]! += 1;
    this.split = true;
    this.used = counts;
    this.tables = counts.map((count, table) => {
      const spread = growth ** ((table + 1) / tableCount);
      return new Uint32Array(Math.ceil(((count + 16) / loadMax) * spread));
    });
    for (const value of old) {
      if (value !== 0) this.insert(this.tables[this.ids.hash((value & 0xffffff) - 1) >>> 26]!, value);
    }
  }
}
