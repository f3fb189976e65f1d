import type { Logger } from 'pino';
import type { Unsubscribe } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import type { Lookup } from '../lookup/lookup.ts';
import type { DemandOptions } from './demand-options.ts';
import type { FrameTopics } from './frame-topics.ts';
import type { Taken } from './match-mirror.ts';
import type { ContestPlace } from './messages.ts';
import type { PlaceFinder } from './place-finder.ts';
import type { Wanted, WantQueue } from './want-queue.ts';

/**
 * One contest or match that this edge follows: its place found, its frames heard, a lease taken and a
 * snapshot asked for, in this order, so that no frame falls between. All that may go wrong ends in the same
 * step: ask again.
 *
 * Laws:
 * [VIEW-5] Frames that come while a snapshot is awaited are kept (up to `framesHeldMax`) and applied to it;
 *   a gap, a head that is ahead, a reset of the bus or a lease that has run out asks for a new one. While no
 *   lease is held no frame is taken, for what changed in small contests may not have been named.
 * [VIEW-6] Within an epoch the state never goes back: a snapshot older than the mirror is not taken, whoever
 *   sent it.
 * [VIEW-7] While no ranker answers, the state kept in `frame_<contest>` (or the mirror's, if newer) is
 *   served as stale; it is stale no more once a ranker has answered. A final state is never stale.
 * [VIEW-8] A name nobody has created is told at once and asked for again only after `unknownKeptMs`.
 */
export interface FollowParts {
  places: PlaceFinder;
  topics: FrameTopics;
  wants: WantQueue;
  lookup: Lookup;
  clock: Clock;
  options: DemandOptions;
  logger: Logger;
  /** 0 to 1. */
  random: () => number;
}

export type FollowFailure = 'unknown' | 'unavailable';

/** What all followed channels hear. */
export interface FollowListener {
  /** `followed.stale` has changed; the state has not. */
  onStale(): void;
  /** There is no state to show. unknown: it has been let go; unavailable: it is asked for again by itself. */
  onFailed(why: FollowFailure): void;
}

interface Versioned {
  epoch: string;
  version: number;
  /** Nothing will follow: such a state is never stale. */
  final: boolean;
}

/** `S`: snapshots, `F`: what comes on its topics. */
export abstract class Followed<S extends Versioned, F> {
  readonly kind: 'contest' | 'match';
  readonly id: string;
  place: ContestPlace | null = null;
  phase: 'finding' | 'asking' | 'live' | 'closed' = 'finding';
  stale = false;
  leaseUntil = 0;
  /** Renewals that failed in a row. */
  renewalsFailed = 0;
  protected readonly parts: FollowParts;
  readonly #listener: FollowListener;
  #held: F[] = [];
  #failures = 0;
  #again = false;
  /** No frame is taken until the next snapshot. */
  #suspended = false;
  #cancelTimer: (() => void) | null = null;
  #cancelCheck: (() => void) | null = null;

  constructor(kind: 'contest' | 'match', id: string, parts: FollowParts, listener: FollowListener) {
    this.kind = kind;
    this.id = id;
    this.parts = parts;
    this.#listener = listener;
  }

  /** What is followed now; `null` before the first snapshot. */
  protected abstract state(): Versioned | null;
  /** Makes the snapshot the state. */
  protected abstract install(snapshot: S): void;
  /** Whether a snapshot at the very version of the state says more than it. */
  protected abstract differs(snapshot: S): boolean;
  protected abstract apply(incoming: F): Taken;
  protected abstract versionOf(incoming: F): number;
  protected abstract want(partition: number): Promise<Wanted<S>>;
  /** Hears the topics that fit (null: before the first snapshot). true: some are new, so ask again. */
  protected abstract listen(snapshot: S | null): Promise<boolean>;
  protected abstract leave(): void;
  protected abstract kept(): Promise<S | null>;

  get closed(): boolean {
    return this.phase === 'closed';
  }

  start(): void {
    void this.#begin();
  }

  /** A ranker has a newer state; `headsGraceMs` later it must be here. */
  headIs(version: number): void {
    if (this.phase !== 'live' || this.#cancelCheck !== null || version <= (this.state()?.version ?? 0))
      return;
    this.#cancelCheck = this.parts.clock.after(this.parts.options.headsGraceMs, () => {
      this.#cancelCheck = null;
      if (this.phase === 'live' && version > this.state()!.version) this.ask();
    });
  }

  /** Asks for a snapshot now, or once more after the question under way. */
  ask(): void {
    if (this.closed || this.phase === 'finding') return;
    if (this.phase === 'asking') {
      this.#again = true;
      return;
    }
    this.phase = 'asking';
    void this.#ask();
  }

  renewed(until: number): void {
    this.leaseUntil = Math.max(this.leaseUntil, until);
    this.renewalsFailed = 0;
    if (this.phase === 'live' && !this.#suspended) this.#mark(false);
  }

  renewalFailed(): void {
    if (++this.renewalsFailed < 2 || this.phase !== 'live') return;
    this.#mark(!this.state()!.final);
  }

  close(): void {
    this.phase = 'closed';
    this.#held = [];
    this.#cancelTimer?.();
    this.#cancelCheck?.();
    this.leave();
  }

  protected incoming(incoming: F): void {
    if (this.closed) return;
    if (this.parts.clock.now() > this.leaseUntil) this.#suspended = true;
    if (this.phase !== 'live') {
      this.#hold(incoming);
      if (this.state() !== null && !this.#suspended) this.apply(incoming);
    } else if (this.#suspended || this.apply(incoming) === 'gap') {
      this.#hold(incoming);
      this.ask();
    }
  }

  async #begin(): Promise<void> {
    try {
      this.place ??= await this.parts.places.find(this.kind, this.id);
      if (this.closed) return;
      if (this.place === null) {
        this.close();
        this.#listener.onFailed('unknown');
        return;
      }
      await this.listen(null);
    } catch (error) {
      if (this.closed) return;
      this.#warn(error);
      this.#listener.onFailed('unavailable');
      this.#later(() => void this.#begin());
      return;
    }
    if (this.closed) return;
    this.phase = 'asking';
    await this.#ask();
  }

  async #ask(): Promise<void> {
    this.#again = false;
    let snapshot: S | null = null;
    try {
      const wanted = await this.want(this.place!.partition);
      snapshot = wanted.snapshot;
      this.leaseUntil = Math.max(this.leaseUntil, wanted.leaseUntil);
      if (snapshot !== null && (await this.listen(snapshot))) return await this.#askAgain();
    } catch (error) {
      if (this.closed) return;
      this.#warn(error);
      snapshot = null;
    }
    if (this.closed) return;
    if (snapshot === null) return await this.#serveKept();
    this.#take(snapshot);
  }

  async #askAgain(): Promise<void> {
    if (!this.closed) await this.#ask();
  }

  #take(snapshot: S): void {
    const state = this.state();
    const older = state !== null && state.epoch === snapshot.epoch && snapshot.version <= state.version;
    if (!older || (snapshot.version === state.version && this.differs(snapshot))) {
      this.stale = false;
      this.install(snapshot);
    } else if (this.#suspended && snapshot.version < state.version) {
      // A ranker that lags behind what is shown: what it says cannot be used, and frames cannot be either.
      this.#retry();
      return;
    }
    this.#suspended = false;
    if (this.#applyHeld() === 'gap') {
      this.#retry();
      return;
    }
    this.#failures = 0;
    this.phase = 'live';
    this.#mark(false);
    if (this.#again) this.ask();
  }

  /** What is kept stays kept where there is a gap still. */
  #applyHeld(): Taken {
    const held = this.#held.sort((a, b) => this.versionOf(a) - this.versionOf(b));
    for (const incoming of held) if (this.apply(incoming) === 'gap') return 'gap';
    this.#held = [];
    return 'taken';
  }

  #hold(incoming: F): void {
    this.#held.push(incoming);
    if (this.#held.length > this.parts.options.framesHeldMax) this.#held.shift();
  }

  /** No ranker answered, or it does not know the name. */
  async #serveKept(): Promise<void> {
    let kept: S | null = null;
    try {
      kept = await this.kept();
    } catch (error) {
      this.#warn(error);
    }
    if (this.closed) return;
    const state = this.state();
    if (kept !== null && (state === null || (state.epoch === kept.epoch && kept.version > state.version))) {
      this.#suspended = true;
      this.stale = !kept.final;
      this.install(kept);
    } else if (state !== null) this.#mark(!state.final);
    else this.#listener.onFailed('unavailable');
    this.#retry();
  }

  #retry(): void {
    this.phase = 'asking';
    this.#later(() => void this.#askAgain());
  }

  #later(callback: () => void): void {
    const { clock, options, random } = this.parts;
    const longest = Math.min(options.retryMaxMs, options.retryMinMs * 2 ** Math.min(10, this.#failures++));
    this.#cancelTimer = clock.after(longest * (0.5 + random() / 2), () => {
      this.#cancelTimer = null;
      if (!this.closed) callback();
    });
  }

  #mark(stale: boolean): void {
    if (this.stale === stale) return;
    this.stale = stale;
    if (this.state() !== null) this.#listener.onStale();
  }

  #warn(error: unknown): void {
    this.parts.logger.warn({ err: error, [this.kind]: this.id }, 'no snapshot could be had');
  }

  /** For subclasses: a topic heard, or at once let go when closed meanwhile. */
  protected async hear<T>(
    topic: string,
    decode: (bytes: Uint8Array) => T,
    listener: (frame: T) => void,
  ): Promise<Unsubscribe> {
    const unsubscribe = await this.parts.topics.listen(topic, decode, listener);
    if (this.closed) unsubscribe();
    return unsubscribe;
  }
}
