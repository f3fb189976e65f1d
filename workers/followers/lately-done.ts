import { LastDone } from './last-done.ts';

/**
 * What a member of the followers workers remembers of one partition: where it was at what time, and which
 * changes it told on feeds. So that both can be done again after Redis went back a little.
 *
 * The window counts back from what was done last (last-done.ts), not from now.
 */
export class LatelyDone {
  /** Everything from this offset on is done here; `null`: not known before the first batch. */
  from: number | null;
  /** The next offset to be done. */
  next: number;
  readonly #windowMs: number;
  readonly #toldMax: number;
  /** Batches: when they were done, and their first offsets. */
  #times: number[] = [];
  #firsts: number[] = [];
  /** Of the first batch of all. */
  #first: number | null = null;
  #told: number[] = [];
  readonly #last: LastDone;

  /** `from`: the group's offset. */
  constructor(from: number | null, windowMs: number, toldMax: number) {
    this.from = from;
    this.next = from ?? 0;
    this.#windowMs = windowMs;
    this.#toldMax = toldMax;
    this.#last = new LastDone(windowMs);
  }

  /** A batch from `first` on begins; it may be one that failed before. */
  begin(first: number, nowMs: number): void {
    // Before the group's offset only where that is not kept, or of another log.
    if (this.from === null || first < this.from) {
      this.from = first;
      this.next = first;
    }
    this.#first ??= first;
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

  end(next: number, nowMs: number): void {
    this.next = next;
    this.#last.done(this.#times.at(-1) ?? nowMs, nowMs);
  }

  /** A batch failed. */
  fail(nowMs: number): void {
    this.#last.fail(nowMs);
  }

  doneAgain(nowMs: number): void {
    this.#last.again(nowMs);
  }

  /** What the window counts back from. */
  lastMs(nowMs: number): number {
    return this.#last.lastMs(nowMs);
  }

  /** Offset of the first batch that may have been done within the window; `null`: perhaps before `from`. */
  windowStart(nowMs: number): number | null {
    if (!this.#last.isAny) return null;
    const since = this.lastMs(nowMs) - this.#windowMs;
    const index = this.#times.findIndex((at) => at >= since);
    if (index === -1) return this.next;
    if (index === 0 && this.#firsts[0] === this.#first) return null;
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
    const since = this.lastMs(nowMs) - this.#windowMs;
    let old = 0;
    while (old + 1 < this.#times.length && this.#times[old + 1]! < since) old += 1;
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
