import type { Uint32Column } from './columns.ts';

/** Sets of contests (by their index in the match), each kept once: few differ, however many entries there are. */
export class ContestSets {
  private sets: (readonly number[])[] = [[]];
  private byKey = new Map<string, number>([['', 0]]);
  private live = 0;

  /** `contests` without repeats, ascending. Number 0 is the empty set. */
  intern(contests: readonly number[]): number {
    const key = contests.join();
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const number = this.sets.length;
    this.sets.push(contests.slice());
    this.byKey.set(key, number);
    return number;
  }

  get(number: number): readonly number[] {
    return this.sets[number]!;
  }

  /** Lets go of sets that no entry has any more, once they may be more than half. */
  sweep(column: Uint32Column, count: number): void {
    if (this.sets.length <= 2 * this.live + 1_024) return;
    const former = this.sets;
    const numbers = new Int32Array(former.length).fill(-1);
    this.sets = [[]];
    this.byKey = new Map([['', 0]]);
    numbers[0] = 0;
    for (let i = 0; i < count; i += 1) {
      const number = column.get(i);
      if (numbers[number] === -1) numbers[number] = this.intern(former[number]!);
      if (numbers[number] !== number) column.set(i, numbers[number]!);
    }
    this.live = this.sets.length;
  }
}
