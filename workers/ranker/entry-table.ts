import { NumberColumn } from './columns.ts';
import { IdIndex } from './id-index.ts';
import { type IdQuery, PackedIds } from './packed-ids.ts';
import { StampTable } from './stamps.ts';

/**
 * The entries of a match (or of a `scores` contest) by number: ids, users, stamps, and one number more that
 * the owner gives a meaning (the set of contests an entry is in). Numbers rise in the order entries were
 * first accepted; none is ever removed.
 */
export class EntryTable {
  /** Entry number -> number of the set of its contests. */
  readonly set = new NumberColumn();
  readonly stamps = new StampTable();
  private readonly stampOf = new NumberColumn();
  private readonly ids = new PackedIds();
  private readonly users = new PackedIds();
  private readonly byId = new IdIndex(this.ids);
  /** To the newest entry of a user; its other entries follow by `older`. */
  private readonly byUser = new IdIndex(this.users);
  /** Number + 1 of the same user's entry before; chunks are made only where a user has several. */
  private readonly older = new NumberColumn();
  private readonly query: IdQuery;

  /** `query` is scratch space, shared by all tables of a ranker. */
  constructor(query: IdQuery) {
    this.query = query;
  }

  get count(): number {
    return this.ids.count;
  }

  /** The number, or -1. */
  find(entry: string): number {
    return this.byId.find(this.query.set(entry));
  }

  /** An entry that `find` does not know. */
  add(entry: string, user: string, stamp: number): number {
    const query = this.query;
    this.byId.find(query.set(entry));
    const number = this.ids.push(query);
    this.byId.put(query, number);
    const newest = this.byUser.find(query.set(user));
    this.users.push(query);
    this.byUser.put(query, number);
    if (newest >= 0) this.older.set(number, newest + 1);
    this.stampOf.set(number, stamp);
    return number;
  }

  entryId(number: number): string {
    return this.ids.get(number);
  }

  userId(number: number): string {
    return this.users.get(number);
  }

  isUser(number: number, user: string): boolean {
    return this.users.equals(number, this.query.set(user));
  }

  /** The newest entry of the user, or -1; then `olderOf` until -1. */
  newestOf(user: string): number {
    return this.byUser.find(this.query.set(user));
  }

  olderOf(number: number): number {
    return this.older.get(number) - 1;
  }

  /** Whether the user has `max` entries or more. */
  userIsFull(user: string, max: number): boolean {
    let count = 0;
    for (let number = this.newestOf(user); number >= 0; number = this.olderOf(number)) {
      count += 1;
      if (count >= max) return true;
    }
    return false;
  }

  stamp(number: number): number {
    return this.stampOf.get(number);
  }

  setStamp(number: number, stamp: number): void {
    this.stampOf.set(number, stamp);
  }

  /** Lets go of stamps that nothing has any more; `others` are further columns of stamp numbers. */
  sweepStamps(others: readonly NumberColumn[]): void {
    if (!this.stamps.wantsSweep()) return;
    const columns = [this.stampOf, ...others];
    const used = new Uint8Array(this.stamps.count);
    for (const column of columns) for (let i = 0; i < this.count; i += 1) used[column.get(i)] = 1;
    const numbers = this.stamps.sweep(used);
    for (const column of columns) {
      for (let i = 0; i < this.count; i += 1) {
        const number = column.get(i);
        if (numbers[number] !== number) column.set(i, numbers[number]!);
      }
    }
  }
}
