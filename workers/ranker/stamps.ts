import { Float64Column } from './columns.ts';
import { IdQuery, PackedIds } from './packed-ids.ts';

/** A record's (`at`, `id`). */
export interface Stamp {
  at: number;
  id: string;
}

/** Less than every record's. */
export const noStamp: Stamp = { at: Number.NEGATIVE_INFINITY, id: '' };

/** Greater by `at`, then by `id` in byte order (ids are ASCII, so comparing strings does that). */
export function isAfter(a: Stamp, b: Stamp): boolean {
  return a.at > b.at || (a.at === b.at && a.id > b.id);
}

/**
 * The stamps of entries: the items of a record share one, so an entry keeps only its number. Number 0 is
 * `noStamp`.
 */
export class StampTable {
  private at = new Float64Column();
  private ids = new PackedIds();
  private readonly query = new IdQuery();
  /** Stamps in use when last looked; above twice as many, `wantsSweep`. */
  private live = 1;

  constructor() {
    this.add(noStamp);
  }

  get count(): number {
    return this.ids.count;
  }

  add(stamp: Stamp): number {
    const index = this.ids.push(this.query.set(stamp.id));
    this.at.set(index, stamp.at);
    return index;
  }

  get(index: number): Stamp {
    return { at: this.at.get(index), id: this.ids.get(index) };
  }

  /** Whether the stamp is greater than that of the number. */
  isAfter(stamp: Stamp, index: number): boolean {
    const at = this.at.get(index);
    return stamp.at > at || (stamp.at === at && stamp.id > this.ids.get(index));
  }

  wantsSweep(): boolean {
    return this.count > 2 * this.live + 4_096;
  }

  /** Keeps the stamps marked and answers their new numbers. */
  sweep(used: Uint8Array): Uint32Array {
    const numbers = new Uint32Array(this.count);
    const former = { at: this.at, ids: this.ids };
    this.at = new Float64Column();
    this.ids = new PackedIds();
    this.add(noStamp);
    for (let i = 1; i < used.length; i += 1) {
      if (used[i] === 1) numbers[i] = this.add({ at: former.at.get(i), id: former.ids.get(i) });
    }
    this.live = this.count;
    return numbers;
  }
}
