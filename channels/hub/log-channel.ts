import type { CodeName } from '../../proto/codes.ts';
import type { Position, Unsubscribe } from '../bus/bus.ts';
import { emptyList } from '../exact-list.ts';
import type { Ring } from '../ring.ts';
import type { LogItem } from './log-item.ts';

/** One socket on one log channel. All calls come from the hub, in the order of HUB-1. */
export interface LogSubscriber {
  /**
   * It is live: what it missed and everything from now on follows by `onMessage`, the former in this very
   * turn. `position` is the head; without recovery what follows is not a continuation of what the client
   * has.
   */
  onJoined(channel: LogChannel, recovered: boolean): void;
  onMessage(channel: LogChannel, item: LogItem): void;
  /** Messages are gone: it goes on from channel.head (of channel.epoch). */
  onGap(channel: LogChannel, code: CodeName, message: string): void;
  /** It could not join; the hub has forgotten it. */
  onFailed(code: CodeName, message: string): void;
}

export interface Joiner {
  subscriber: LogSubscriber;
  since: Position | null;
  /** Reads of history made for it. */
  reads: number;
}

/** What the hub keeps of a log channel. Classes with fixed fields: there is one for each user on the edge. */
export class LogChannel {
  readonly name: string;
  /** The edge's short number for the channel. */
  readonly no: number;
  epoch = '';
  /** Position of the last message delivered. */
  head = 0;
  /** Greatest position heard of within the epoch; above `head`: history is to be read. */
  seen = 0;
  /** First position heard of in another epoch; 0: none. */
  otherEpochAt = 0;
  /** 'opening': head not known yet. 'reading': a read of history is under way (or waits for a retry). */
  phase: 'opening' | 'live' | 'reading' | 'closed' = 'opening';
  /** Reads that brought nothing, in a row. */
  tries = 0;
  failures = 0;
  ring: Ring<LogItem> | null = null;
  subscribers: LogSubscriber[] = emptyList();
  waiting: Joiner[] = emptyList();
  unfollow: Unsubscribe | null = null;
  /** Since when nobody is on it; 0: somebody is. */
  idleSince = 0;

  constructor(name: string, no: number) {
    this.name = name;
    this.no = no;
  }

  get closed(): boolean {
    return this.phase === 'closed';
  }
  /** Whether anybody is on it or waits to be. */
  get used(): boolean {
    return this.subscribers.length > 0 || this.waiting.length > 0;
  }
}
