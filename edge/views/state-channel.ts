import type { FollowFailure } from '../../channels/contest/followed.ts';
import type { Codec } from '../../proto/codec.ts';
import { codes } from '../../proto/codes.ts';
import type { Frame, ServerFrame } from '../../proto/frames.ts';
import type { LiveCore } from '../live-core.ts';
import type { StateSubscription } from '../subscription.ts';

/**
 * A state channel of this edge: who waits for a state, who is live, and the native topics, one per encoding.
 *
 * A socket joins in one turn: `subscribed`, the whole state at the version that was published last, and the
 * native topic; what is published afterwards has a higher version, so none comes twice and none falls
 * between.
 */
export abstract class StateChannel {
  readonly kind: 'contest' | 'match';
  readonly name: string;
  readonly id: string;
  /** The edge's short number for the channel. */
  readonly no: number;
  /** When the last one left; 0: somebody is on it. */
  idleSince = 0;
  protected readonly core: LiveCore;
  /** Live subscriptions by encoding. */
  protected binaryLive = 0;
  protected textLive = 0;
  /** Epoch of what was published last; '': nothing yet. */
  protected epoch = '';
  readonly #binaryTopic: string;
  readonly #textTopic: string;
  /** No state yet, or an older one than the client's. */
  #waiting: StateSubscription[] = [];
  #flushedAt = 0;
  #dirty = false;
  #cancelFlush: (() => void) | null = null;
  #cancelBehind: (() => void) | null = null;

  constructor(kind: 'contest' | 'match', id: string, core: LiveCore) {
    this.kind = kind;
    this.id = id;
    this.name = `${kind}:${id}`;
    this.core = core;
    this.no = core.nextNo();
    this.#binaryTopic = `b${this.no}`;
    this.#textTopic = `t${this.no}`;
  }

  /** What is shown now; `null`: nothing yet. */
  abstract state(): { epoch: string; version: number } | null;
  /** Sends what has changed since the last time, own ranks first. */
  protected abstract publishState(): void;
  /**
   * The whole state to one socket: the board, then own ranks, when it joins; own ranks first when it has
   * drained.
   */
  protected abstract sendState(sub: StateSubscription, joins: boolean): void;
  protected abstract onLive(sub: StateSubscription): void;
  protected abstract onGone(sub: StateSubscription): void;

  get live(): number {
    return this.binaryLive + this.textLive;
  }
  get used(): boolean {
    return this.live > 0 || this.#waiting.length > 0;
  }

  topicOf(codec: Codec): string {
    return codec.binary ? this.#binaryTopic : this.#textTopic;
  }

  join(sub: StateSubscription): void {
    this.idleSince = 0;
    if (this.state() === null) this.#waiting.push(sub);
    else {
      this.flush();
      this.#enter(sub);
    }
  }

  leave(sub: StateSubscription): void {
    const { phase } = sub;
    sub.phase = 'ended';
    if (phase === 'waiting' || phase === 'behind') {
      const at = this.#waiting.indexOf(sub);
      if (at >= 0) this.#waiting.splice(at, 1);
    } else if (phase === 'live') {
      this.#count(sub, -1);
      sub.session.socket.leave(this.topicOf(sub.session.codec));
      this.onGone(sub);
    }
    if (!this.used && this.idleSince === 0) this.core.rest(this);
  }

  /** Everything known has been sent to everybody who is live. */
  flush(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    this.#flushedAt = this.core.clock.now();
    this.publishState();
    if (this.#waiting.length > 0) this.#admit();
  }

  /** The whole state to one that is live, and the topics again. */
  sendWhole(sub: StateSubscription, joins = false): void {
    const { session } = sub;
    this.flush();
    if (session.choked || sub.phase !== 'live') return;
    sub.off = false;
    if (sub.epoch !== this.epoch) {
      sub.epoch = this.epoch;
      const { version } = this.state()!;
      session.reply(this.gapFrame(version));
    }
    if (!sub.open) return;
    this.sendState(sub, joins);
    if (sub.open) session.socket.join(this.topicOf(session.codec));
  }

  /** Called when a state has come, moved or changed its mark. */
  protected advance(): void {
    this.#dirty = true;
    const { clock, options } = this.core;
    const waitMs = this.#flushedAt + options.publishGapMs - clock.now();
    if (waitMs <= 0) this.flush();
    else this.#cancelFlush ??= clock.after(waitMs, () => this.flush());
  }

  /** Nothing to publish, yet somebody may have waited for this version. */
  protected admitWaiting(): void {
    if (this.#waiting.length === 0 || this.#dirty) return;
    this.#admit();
  }

  /** To all on the native topics. */
  protected publish(kind: ServerFrame['t'], frameOf: (codec: Codec) => Uint8Array): void {
    const { binary, text } = this.core.codecs;
    if (this.binaryLive > 0) {
      const bytes = frameOf(binary);
      this.core.publish(this.#binaryTopic, bytes, true);
      this.core.stats.sent(kind, this.binaryLive, bytes.length);
    }
    if (this.textLive > 0) {
      const bytes = frameOf(text);
      this.core.publish(this.#textTopic, bytes, false);
      this.core.stats.sent(kind, this.textLive, bytes.length);
    }
  }

  protected gapFrame(position: number): Frame & { t: 'gap' } {
    return {
      t: 'gap',
      no: this.no,
      epoch: this.epoch,
      position,
      code: codes.epoch_changed.no,
      message: `Channel ${this.name} began anew: its former state means nothing.`,
    };
  }

  protected failWaiting(why: FollowFailure): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const sub of waiting) {
      if (why === 'unavailable') {
        sub.refuse('unavailable', `No state of ${this.name} can be had now; try again.`);
      } else if (this.kind === 'contest') {
        sub.refuse('unknown_contest', `No contest ${this.id} has been created.`);
      } else {
        sub.refuse('unknown_match', `No match ${this.id} has been created.`);
      }
    }
    if (!this.used && this.idleSince === 0) this.core.rest(this);
  }

  close(): void {
    this.#cancelFlush?.();
    this.#cancelBehind?.();
  }

  /** Answers the request, and sends the state unless the client has a newer one. */
  #enter(sub: StateSubscription): void {
    const { epoch, version } = this.state()!;
    const { session } = sub;
    const same = sub.sinceEpoch === epoch;
    sub.epoch = epoch;
    sub.phase = 'behind';
    session.answered(sub);
    session.reply({
      t: 'subscribed',
      id: sub.requestId,
      no: this.no,
      channel: this.name,
      kind: 'state',
      epoch,
      position: version,
      recovered: sub.sinceEpoch === null || same,
    });
    if (session.closed) return;
    if (!same || sub.since <= version) {
      this.#goLive(sub);
      return;
    }
    sub.behindDue = this.core.clock.now() + this.core.options.behindAfterMs;
    this.#waiting.push(sub);
    this.#armBehind();
  }

  #goLive(sub: StateSubscription): void {
    sub.phase = 'live';
    this.#count(sub, 1);
    this.onLive(sub);
    this.sendWhole(sub, true);
  }

  /** Those whose state has come. */
  #admit(): void {
    const state = this.state();
    if (state === null) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const sub of waiting) {
      if (sub.phase === 'waiting') this.#enter(sub);
      else if (sub.phase === 'behind') {
        if (sub.epoch !== state.epoch || sub.since <= state.version) this.#goLive(sub);
        else this.#waiting.push(sub);
      }
    }
  }

  #armBehind(): void {
    this.#cancelBehind ??= this.core.clock.after(this.core.options.behindAfterMs, () => this.#tellBehind());
  }

  #tellBehind(): void {
    this.#cancelBehind = null;
    const now = this.core.clock.now();
    const { version } = this.state()!;
    let later = false;
    for (const sub of [...this.#waiting]) {
      if (sub.phase !== 'behind' || sub.behindDue === 0) continue;
      if (sub.behindDue > now) {
        later = true;
        continue;
      }
      sub.behindDue = 0;
      sub.session.reply({ t: 'behind', no: this.no, version, since: sub.since });
    }
    if (later) this.#armBehind();
  }

  #count(sub: StateSubscription, by: 1 | -1): void {
    if (sub.session.codec.binary) this.binaryLive += by;
    else this.textLive += by;
  }
}

/** A frame to the sockets given, each in its own encoding; made once for each that is needed. */
export function sendToEach(subs: readonly StateSubscription[], frame: ServerFrame): void {
  let binary: Uint8Array | null = null;
  let text: Uint8Array | null = null;
  // Backwards, for a socket that is ended while it is sent to leaves the list.
  for (let i = subs.length - 1; i >= 0; i--) {
    const { open, session } = subs[i]!;
    if (!open) continue;
    if (session.codec.binary) {
      binary ??= session.codec.encode(frame);
      session.send(frame.t, binary);
    } else {
      text ??= session.codec.encode(frame);
      session.send(frame.t, text);
    }
  }
}
