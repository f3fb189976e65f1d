/**
 * The last items of a log by position, without holes: positions rise by one from `first` to `head`. Bounded
 * by a number of items and by their bytes; the oldest go first. Takes no memory before the first push.
 */
export class Ring<T> {
  readonly #itemsMax: number;
  readonly #bytesMax: number;
  #items: T[] | null = null;
  #sizes: number[] = [];
  #bytes = 0;
  #head: number;

  /** `head`: the position before the first item to come. */
  constructor(head: number, itemsMax: number, bytesMax: number) {
    this.#head = head;
    this.#itemsMax = itemsMax;
    this.#bytesMax = bytesMax;
  }

  /** Position of the newest item, or of the one before the first to come. */
  get head(): number {
    return this.#head;
  }
  /** Position of the oldest item kept; head + 1 when none is. */
  get first(): number {
    return this.#head - (this.#items?.length ?? 0) + 1;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** The item at head + 1. One larger than the ring is not kept, nor anything before it. */
  push(item: T, bytes: number): void {
    this.#items ??= [];
    this.#items.push(item);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    this.#head++;
    while (this.#items.length > this.#itemsMax || this.#bytes > this.#bytesMax) {
      this.#items.shift();
      this.#bytes -= this.#sizes.shift()!;
    }
  }

  /** Whether everything after `since` is here. */
  covers(since: number): boolean {
    return since >= this.first - 1 && since <= this.#head;
  }

  /** Items after `since`, oldest first; only what is kept. */
  after(since: number): T[] {
    if (this.#items === null) return [];
    return this.#items.slice(Math.max(0, since - this.first + 1));
  }

  /** Forgets all; the next item stands at `head` + 1. */
  reset(head: number): void {
    this.#items = null;
    this.#sizes = [];
    this.#bytes = 0;
    this.#head = head;
  }
}
