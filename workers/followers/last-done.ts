/**
 * When something was done last, as far as Redis can be trusted to have it: what Redis lost was written just
 * before it was lost, however long ago that is. Where something fails, what came before it stays the last for
 * a window's length after all goes well again, since word of the interruption may come after the first
 * successes.
 */
export class LastDone {
  readonly #windowMs: number;
  #doneMs: number | null = null;
  /** The last when something failed, or was done again. */
  #heldMs: number | null = null;
  /** Since when all goes well after that. */
  #wellMs: number | null = null;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  done(atMs: number, nowMs: number): void {
    this.#doneMs = atMs;
    if (this.#heldMs !== null) this.#wellMs ??= nowMs;
  }

  /** Perhaps Redis is lost, and nobody knows yet. */
  fail(nowMs: number): void {
    this.#heldMs = this.lastMs(nowMs);
    this.#wellMs = null;
  }

  /** All within the window was done again; Redis may lose that as well. */
  again(nowMs: number): void {
    this.#heldMs = this.lastMs(nowMs);
    this.#wellMs = nowMs;
  }

  get isAny(): boolean {
    return this.#doneMs !== null;
  }

  /** Now, where nothing was done yet. */
  lastMs(nowMs: number): number {
    const last = Math.min(nowMs, this.#doneMs ?? nowMs);
    if (this.#heldMs === null) return last;
    if (this.#wellMs !== null && this.#wellMs < nowMs - this.#windowMs) return last;
    return Math.min(last, this.#heldMs);
  }
}
