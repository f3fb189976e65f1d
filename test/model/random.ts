/** Seeded random numbers (mulberry32): the same seed, the same test. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 <= x < 1 */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer, 0 <= x < below. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** An integer, from <= x <= to. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** `count` different ones. */
  some<T>(from: readonly T[], count: number): T[] {
    const rest = from.slice();
    const picked: T[] = [];
    while (picked.length < count && rest.length > 0) {
      const at = this.below(rest.length);
      picked.push(rest[at]!);
      rest[at] = rest[rest.length - 1]!;
      rest.pop();
    }
    return picked;
  }
}
