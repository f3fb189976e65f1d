/**
 * What all rooms and feeds share: one subscription, kept through reconnects, resumed by epoch and position.
 *
 * Names of states: `joining` (asked, or about to ask), `live`, `waiting` (no connection), `ended` (refused,
 * left, or the client closed; for good).
 */
import type { CodeName } from '../proto/codes.ts';
import type {
  ErrorFrame,
  ServerFrame,
  SubscribedFrame,
  SubscribeFrame,
  UnsubscribedFrame,
} from '../proto/frames.ts';
import type { Clock } from './clock.ts';
import { codeName, RankcastError, type SdkCode } from './rankcast-error.ts';

export type ChannelStatus = 'joining' | 'live' | 'waiting' | 'ended';

/** What a channel may ask of its client. */
export interface ChannelHost {
  readonly clock: Clock;
  /** Full jitter for the n-th try, from 0, in ms. */
  jitter(failures: number): number;
  /** How long a contest or match that nobody knows is asked for again, ms. */
  readonly unknownWaitMs: number;
  /** Asks the edge; false: there is no connection, and `resume` will be called when there is. */
  subscribe(channel: Channel): boolean;
  unsubscribe(channel: Channel): void;
  onChannelError(error: RankcastError): void;
}

/** The frames that name a channel's number. */
export type ChannelFrame = Extract<ServerFrame, { no: number }>;

/** Refusals that pass by themselves. All others end the channel. */
const passing: ReadonlySet<CodeName | SdkCode> = new Set([
  'unavailable',
  'rate_limited',
  'internal',
  'overloaded',
]);

/** Refusals that pass if what is asked for was only just created. */
const unknown: ReadonlySet<CodeName | SdkCode> = new Set(['unknown_contest', 'unknown_match']);

export abstract class Channel {
  status: ChannelStatus = 'waiting';
  /** The edge's number for it on this connection; -1: none. */
  no = -1;
  epoch: string | null = null;
  /** Last position (log) or version (state) taken; -1: none yet. */
  position = -1;
  protected readonly host: ChannelHost;
  #failures = 0;
  #cancelRetry: (() => void) | null = null;
  /** When it was first said to be unknown; null: it was not, or has been joined. */
  #unknownSince: number | null = null;

  constructor(host: ChannelHost) {
    this.host = host;
  }

  /** null: not known before the connection. */
  abstract get name(): string | null;

  /** There is a connection. */
  resume(): void {
    if (this.status === 'ended') return;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#setStatus(this.host.subscribe(this) ? 'joining' : 'waiting');
  }

  /** The connection is gone. */
  lost(): void {
    if (this.status === 'ended') return;
    this.no = -1;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#setStatus('waiting');
  }

  subscribeFrame(id: number, channel: string): SubscribeFrame {
    const frame: SubscribeFrame = { t: 'subscribe', id, channel };
    if (this.epoch !== null && this.position >= 0) {
      frame.epoch = this.epoch;
      frame.since = this.position;
    }
    return frame;
  }

  subscribed(frame: SubscribedFrame): void {
    const asked = this.epoch !== null && this.position >= 0;
    this.no = frame.no;
    this.#failures = 0;
    this.#unknownSince = null;
    this.joined(frame, asked);
    this.#setStatus('live');
  }

  refused(frame: ErrorFrame): void {
    const code = codeName(frame.code);
    if (unknown.has(code) && this.#mayStillCome()) this.#retry();
    else this.#fail(code, frame.message);
  }

  /** The edge ended it. */
  unsubscribed(frame: UnsubscribedFrame): void {
    this.no = -1;
    this.#fail(
      frame.code === undefined ? 'unavailable' : codeName(frame.code),
      frame.message ?? 'The edge ended it.',
    );
  }

  end(): void {
    if (this.status === 'ended') return;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#setStatus('ended');
  }

  close(): void {
    if (this.status === 'ended') return;
    this.end();
    this.host.unsubscribe(this);
  }

  /** A frame with this channel's number. */
  abstract take(frame: ChannelFrame): void;
  /**
   * The subscription stands; `asked`: it was to go on from `epoch` and `position`, which are still the former
   * ones.
   */
  protected abstract joined(frame: SubscribedFrame, asked: boolean): void;
  protected abstract tellStatus(status: ChannelStatus): void;
  protected abstract tellError(error: RankcastError): void;

  protected report(code: CodeName | SdkCode, message: string): void {
    const error = new RankcastError(code, `${this.name ?? 'channel'}: ${message}`, this.name);
    this.tellError(error);
    this.host.onChannelError(error);
  }

  /** Leaves and joins again from what is known. */
  protected rejoin(): void {
    this.host.unsubscribe(this);
    this.no = -1;
    this.#retry();
  }

  /** Whether it was never joined, and not asked for long enough. */
  #mayStillCome(): boolean {
    if (this.position >= 0) return false;
    const now = this.host.clock.now();
    this.#unknownSince ??= now;
    return now - this.#unknownSince < this.host.unknownWaitMs;
  }

  #fail(code: CodeName | SdkCode, message: string): void {
    this.report(code, message);
    if (passing.has(code)) {
      this.#retry();
      return;
    }
    this.end();
    this.host.unsubscribe(this);
  }

  #retry(): void {
    this.#setStatus('joining');
    this.#cancelRetry?.();
    this.#cancelRetry = this.host.clock.after(this.host.jitter(this.#failures), () => this.resume());
    this.#failures += 1;
  }

  #setStatus(status: ChannelStatus): void {
    if (status === this.status) return;
    this.status = status;
    this.tellStatus(status);
  }
}
