import type { Clock } from '../channels/clock.ts';
import type { LiveOptions } from './live-options.ts';
import type { Session } from './session.ts';

/**
 * All sessions of the edge: in a list without holes for rounds over all of them, and by user.
 *
 * Time runs out by rounds: each `sweepEveryMs` one slice of the list is looked at, so that no session has a
 * timer and no round is long. A deadline is kept to within `sweepEveryMs` x `sweepSlices`.
 */
export class Sessions {
  readonly #clock: Clock;
  readonly #options: LiveOptions;
  readonly #list: Session[] = [];
  /** The first of each user's, linked to the others. */
  readonly #byUser = new Map<string, Session>();
  /** Ended, and the time after which they are cut. */
  readonly #ending = new Map<Session, number>();
  #ready = 0;
  #at = 0;
  #cancelTimer: () => void;

  constructor(clock: Clock, options: LiveOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#cancelTimer = clock.after(options.sweepEveryMs, () => this.#sweep());
  }

  get size(): number {
    return this.#list.length;
  }
  /** Those whose `connect` has been accepted. */
  get ready(): number {
    return this.#ready;
  }
  get list(): readonly Session[] {
    return this.#list;
  }

  add(session: Session): void {
    session.slot = this.#list.length;
    this.#list.push(session);
  }

  onReady(session: Session): void {
    this.#ready++;
    session.nextOfUser = this.#byUser.get(session.user) ?? null;
    this.#byUser.set(session.user, session);
  }

  onClosed(session: Session, wasReady: boolean): void {
    const last = this.#list.pop()!;
    if (last !== session) {
      this.#list[session.slot] = last;
      last.slot = session.slot;
    }
    if (!wasReady) return;
    this.#ready--;
    this.#unlink(session);
  }

  onEnded(session: Session): void {
    this.#ending.set(session, this.#clock.now() + this.#options.closeGraceMs);
  }
  onGone(session: Session): void {
    this.#ending.delete(session);
  }

  ofUser(user: string): Session[] {
    const found: Session[] = [];
    for (let one = this.#byUser.get(user) ?? null; one !== null; one = one.nextOfUser) found.push(one);
    return found;
  }

  /** Whether the user has `count` sessions or more; looks at no more than that. */
  hasOfUser(user: string, count: number): boolean {
    let left = count;
    for (let one = this.#byUser.get(user) ?? null; one !== null && left > 0; one = one.nextOfUser) left--;
    return left === 0;
  }

  close(): void {
    this.#cancelTimer();
  }

  #unlink(session: Session): void {
    const first = this.#byUser.get(session.user);
    if (first === session) {
      if (session.nextOfUser === null) this.#byUser.delete(session.user);
      else this.#byUser.set(session.user, session.nextOfUser);
    } else {
      let one = first;
      while (one !== undefined && one.nextOfUser !== session) one = one.nextOfUser ?? undefined;
      if (one !== undefined) one.nextOfUser = session.nextOfUser;
    }
    session.nextOfUser = null;
  }

  #sweep(): void {
    this.#cancelTimer = this.#clock.after(this.#options.sweepEveryMs, () => this.#sweep());
    const now = this.#clock.now();
    for (const [session, until] of this.#ending) {
      if (until > now) break;
      this.#ending.delete(session);
      session.socket.terminate();
    }
    // From the end down: one that is ended moves the last, which has been looked at, into its place.
    const slice = Math.ceil(this.#list.length / this.#options.sweepSlices);
    if (this.#at <= 0 || this.#at > this.#list.length) this.#at = this.#list.length;
    const until = Math.max(0, this.#at - slice);
    while (this.#at > until) this.#list[--this.#at]?.checkTime(now);
  }
}
