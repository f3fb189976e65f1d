import type { NumberColumn } from './columns.ts';

/**
 * Sets of contests (by their index in the match), by number. 0 is the empty set, an odd number that of one
 * contest; larger ones are each kept once, and have even numbers: few differ, however many entries there
 * are.
 */
const numberOfOne = (contest: number): number => contest * 2 + 1;
const numberOfKept = (at: number): number => (at + 1) * 2;
const isKept = (number: number): boolean => number !== 0 && number % 2 === 0;
const placeOf = (number: number): number => number / 2 - 1;
const none: readonly number[] = [];

export class ContestSets {
  private sets: (readonly number[])[] = [];
  private byKey = new Map<string, number>();
  private live = 0;

  /** `contests` without repeats, ascending. */
  intern(contests: readonly number[]): number {
    if (contests.length === 0) return 0;
    if (contests.length === 1) return numberOfOne(contests[0]!);
    const key = contests.join();
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const number = numberOfKept(this.sets.length);
    this.sets.push(contests.slice());
    this.byKey.set(key, number);
    return number;
  }

  get(number: number): readonly number[] {
    if (number === 0) return none;
    return isKept(number) ? this.sets[placeOf(number)]! : [(number - 1) / 2];
  }

  /** Lets go of sets that no entry has any more, once they may be more than half. */
  sweep(column: NumberColumn, count: number): void {
    if (this.sets.length <= 2 * this.live + 1_024) return;
    const former = this.sets;
    const numbers = new Float64Array(former.length);
    this.sets = [];
    this.byKey = new Map();
    for (let i = 0; i < count; i += 1) {
      const number = column.get(i);
      if (!isKept(number)) continue;
      const at = placeOf(number);
      if (numbers[at] === 0) numbers[at] = this.intern(former[at]!);
      if (numbers[at] !== number) column.set(i, numbers[at]!);
    }
    this.live = this.sets.length;
  }
}
