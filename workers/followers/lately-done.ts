/**
 * What a member of the followers workers remembers of the last minute of one partition: where it was at what
 * time, and which changes it told on feeds. So that both can be done again after Redis went back a little.
 */
export class LatelyDone {
  /** Everything from this offset on was done here; `null` before the first batch. */
  from: number | null = null;
  /** The next offset to be done. */
  next = 0;
  readonly #windowMs: number;
  readonly #toldMax: number;
  /** Batches: when they were done, and their first offsets. */
  #times: number[] = [];
  #firsts: number[] = [];
  #told: number[] = [];

  constructor(windowMs: number, toldMax: number) {
    this.#windowMs = windowMs;
    this.#toldMax = toldMax;
  }

  /** A batch from `first` up to `next` begins; it may be one that failed before. */
  begin(first: number, nowMs: number): void {
    if (this.from === null) {
      this.from = first;
      this.next = first;
    }
    const last = this.#firsts.at(-1);
    if (last === undefined || first > last) {
      this.#times.push(nowMs);
      this.#firsts.push(first);
    }
    this.#forget(nowMs);
  }

  /** Offsets in order. */
  tell(offsets: readonly number[]): void {
    for (const offset of offsets) if (offset > (this.#told.at(-1) ?? -1)) this.#told.push(offset);
  }

  end(next: number): void {
    this.next = next;
  }

  /** Offset of the first batch that may have been done within the window; `null`: perhaps before `from`. */
  windowStart(nowMs: number): number | null {
    const index = this.#times.findIndex((at) => at >= nowMs - this.#windowMs);
    if (index === -1) return this.next;
    if (index === 0 && this.#firsts[0] === this.from) return null;
    return this.#firsts[index]!;
  }

  wasTold(offset: number): boolean {
    let low = 0;
    let high = this.#told.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#told[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return this.#told[low] === offset;
  }

  #forget(nowMs: number): void {
    let old = 0;
    while (old + 1 < this.#times.length && this.#times[old + 1]! < nowMs - this.#windowMs) old += 1;
    if (this.#times.length > batchesMax) old = Math.max(old, this.#times.length - batchesMax);
    if (old < this.#times.length / 2) return;
    this.#times = this.#times.slice(old);
    this.#firsts = this.#firsts.slice(old);
    const first = this.#firsts[0]!;
    const keep = this.#told.findIndex((offset) => offset >= first);
    this.#told = keep === -1 ? [] : this.#told.slice(Math.max(keep, this.#told.length - this.#toldMax));
  }
}

/** A batch takes a millisecond at least. */
const batchesMax = 100_000;
