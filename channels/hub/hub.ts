import type { Logger } from 'pino';
import type { Bus, History, Position, StoredMessage } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import { emptyList, takeOut, withItem } from '../exact-list.ts';
import { Ring } from '../ring.ts';
import { createHeads, type HeadsQueue } from './heads.ts';
import type { HubOptions } from './hub-options.ts';
import { LogChannel, type LogSubscriber } from './log-channel.ts';
import { LogItem } from './log-item.ts';
import { missedBy, type Reading } from './replay.ts';

/**
 * The hub of log channels: one follow per channel and edge, however many sockets are on it.
 *
 * There is one repair for everything that may go wrong: read history after the last position delivered. A
 * hole in the positions, a lost last message, an interruption of the bus, a client that comes back: all end
 * there.
 *
 * Laws:
 * [HUB-1] A subscriber hears `joined` (or `failed`) once; then what it missed, then every later message, each
 *    position one above the former. Both happen in one turn, so nothing falls between.
 * [HUB-2] A message that comes again, or late, is not delivered again.
 * [HUB-3] A hole in the positions is filled from history before anything after it is delivered.
 * [HUB-4] Where history has not kept what is missing, subscribers hear of a gap (`history_gone`) that names
 *   the position they go on from, and then everything after it.
 * [HUB-5] When the channel has begun anew, subscribers hear of a gap (`epoch_changed`) that names the new
 *   epoch.
 * [HUB-6] One that joins with a position of the present epoch is recovered if at most `replayMessagesMax`
 *   messages are missing and all are kept; otherwise it joins at the head, not recovered.
 * [HUB-7] All who join a channel together share one follow and one question for its head, and all who need
 *   history one read; questions for heads of many channels go in batches.
 * [HUB-8] Heads of all channels in use are compared every `headsEveryMs`: a lost last message is delivered
 *   then.
 * [HUB-9] After an interruption of the bus heads are compared at once.
 * [HUB-10] A channel that nobody is on is kept for `idleGraceMs`, then no longer followed.
 * [HUB-11] While the bus fails, those who wait to join hear `failed` with `unavailable`; subscribers wait,
 *   and get what they missed when it works again.
 * [HUB-12] A message is encoded at most once for each codec.
 * [HUB-13] The ring holds at most `ringMessagesMax` messages and `ringBytesMax` bytes; the oldest go first.
 */
export interface Hub {
  join(name: string, since: Position | null, subscriber: LogSubscriber): void;
  /** Harmless when it is not on the channel. */
  leave(name: string, subscriber: LogSubscriber): void;
  channel(name: string): LogChannel | null;
  counts(): { channels: number; subscribers: number };
  close(): void;
}
export interface HubEvents {
  /** For metrics: messages delivered, holes, gaps told. */
  onHole(): void;
  onGap(code: string): void;
}
export interface HubParts {
  bus: Bus;
  clock: Clock;
  options: HubOptions;
  logger: Logger;
  /** Short numbers for channels, unique on the edge. */
  nextNo: () => number;
  events: HubEvents;
}

export function createHub(parts: HubParts): Hub {
  return new LogHub(parts);
}

class LogHub implements Hub {
  readonly #parts: HubParts;
  readonly #options: HubOptions;
  readonly #channels = new Map<string, LogChannel>();
  readonly #heads: HeadsQueue;
  readonly #stopResets: () => void;
  /** Channels nobody is on, by the time since when. */
  readonly #idle: { channel: LogChannel; since: number }[] = [];
  #idleTimer: (() => void) | null = null;
  /** Epoch of the channel opened last. */
  #epoch = '';
  #closed = false;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.#options = parts.options;
    this.#heads = createHeads({
      ...parts,
      channels: this.#channels,
      onHead: (channel, head) => this.#onHead(channel, head),
    });
    this.#stopResets = parts.bus.onReset(() => this.#heads.compareSoon());
  }

  join(name: string, since: Position | null, subscriber: LogSubscriber): void {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      const { size } = this.#channels;
      if (this.#closed || size >= this.#options.channelsMax) {
        subscriber.onFailed('unavailable', `This edge follows ${size} channels, as many as it may.`);
        return;
      }
      channel = new LogChannel(name, this.#parts.nextNo());
      this.#channels.set(name, channel);
      void this.#open(channel);
    }
    channel.idleSince = 0;
    channel.waiting = withItem(channel.waiting, { subscriber, since, reads: 0 });
    if (channel.phase === 'live') this.#settle(channel, null);
  }

  leave(name: string, subscriber: LogSubscriber): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    takeOut(channel.subscribers, subscriber);
    const joiner = channel.waiting.find((one) => one.subscriber === subscriber);
    if (joiner !== undefined) takeOut(channel.waiting, joiner);
    if (!channel.used && channel.idleSince === 0) this.#rest(channel);
  }

  channel(name: string): LogChannel | null {
    return this.#channels.get(name) ?? null;
  }

  counts(): { channels: number; subscribers: number } {
    let subscribers = 0;
    for (const channel of this.#channels.values()) subscribers += channel.subscribers.length;
    return { channels: this.#channels.size, subscribers };
  }

  close(): void {
    this.#closed = true;
    this.#stopResets();
    this.#heads.close();
    this.#idleTimer?.();
    for (const channel of [...this.#channels.values()]) this.#drop(channel);
  }

  async #open(channel: LogChannel): Promise<void> {
    try {
      const unfollow = await this.#parts.bus.follow(channel.name, (message) => {
        this.#onMessage(channel, message);
      });
      if (channel.closed) {
        unfollow();
        return;
      }
      channel.unfollow = unfollow;
      const { epoch, position } = await this.#heads.ask(channel.name);
      if (channel.closed) return;
      // Most channels are of one epoch: one string for all of them.
      if (epoch !== this.#epoch) this.#epoch = epoch;
      channel.epoch = this.#epoch;
      channel.head = position;
      channel.phase = 'live';
      this.#proceed(channel);
    } catch (error) {
      if (channel.closed) return;
      this.#parts.logger.warn({ err: error, channel: channel.name }, 'a log channel could not be opened');
      this.#failWaiting(channel);
      this.#drop(channel);
    }
  }

  #onMessage(channel: LogChannel, message: StoredMessage): void {
    if (channel.phase === 'opening') {
      channel.seen = Math.max(channel.seen, message.position);
      return;
    }
    if (channel.closed) return;
    if (message.epoch !== channel.epoch) {
      if (channel.otherEpochAt === 0) channel.otherEpochAt = message.position;
    } else if (message.position === channel.head + 1) {
      this.#deliver(channel, message);
      return;
    } else if (message.position > channel.head) {
      channel.seen = Math.max(channel.seen, message.position);
      if (channel.phase === 'live') this.#parts.events.onHole();
    }
    if (channel.phase === 'live') this.#proceed(channel);
  }

  /** The store's word on where a channel stands, from a comparison of heads. */
  #onHead(channel: LogChannel, { epoch, position }: Position): void {
    if (channel.phase !== 'live') return;
    if (epoch !== channel.epoch) channel.otherEpochAt ||= position + 1;
    else if (position > channel.head) {
      channel.seen = Math.max(channel.seen, position);
      this.#parts.events.onHole();
    }
    this.#proceed(channel);
  }

  #deliver(channel: LogChannel, message: StoredMessage): void {
    const item = new LogItem(channel.no, message);
    channel.head = message.position;
    channel.tries = 0;
    channel.ring ??= new Ring(
      message.position - 1,
      this.#options.ringMessagesMax,
      this.#options.ringBytesMax,
    );
    channel.ring.push(item, item.bytes);
    // Backwards: one that leaves while it is called moves only those that have been called.
    const { subscribers } = channel;
    for (let i = subscribers.length - 1; i >= 0; i--) subscribers[i]!.onMessage(channel, item);
  }

  /** A live channel: reads history if anything is missing, else lets the waiting join. */
  #proceed(channel: LogChannel): void {
    if (channel.seen > channel.head || channel.otherEpochAt > 0) void this.#read(channel, channel.head);
    else this.#settle(channel, null);
  }

  async #read(channel: LogChannel, since: number): Promise<void> {
    channel.phase = 'reading';
    let history: History;
    try {
      history = await this.#parts.bus.history(channel.name, since, this.#options.replayMessagesMax);
    } catch (error) {
      if (channel.closed) return;
      this.#parts.logger.warn({ err: error, channel: channel.name }, 'history could not be read');
      this.#failWaiting(channel);
      this.#wait(channel, channel.failures++);
      return;
    }
    if (channel.closed) return;
    channel.phase = 'live';
    channel.failures = 0;
    this.#take(channel, history);
    this.#settle(channel, { history, since });
    if (channel.phase !== 'live') return;
    if (channel.tries > 0) this.#wait(channel, channel.tries);
    else this.#proceed(channel);
  }

  /** Goes on after a pause that doubles with each turn. */
  #wait(channel: LogChannel, turn: number): void {
    channel.phase = 'reading';
    const { retryMinMs, retryMaxMs } = this.#options;
    this.#parts.clock.after(Math.min(retryMaxMs, retryMinMs * 2 ** turn), () => {
      if (channel.closed) return;
      channel.phase = 'live';
      if (channel.used) this.#proceed(channel);
    });
  }

  /** What a read of history says that subscribers have not heard. */
  #take(channel: LogChannel, history: History): void {
    const anew = history.epoch !== channel.epoch;
    if (anew) this.#beginAnew(channel, history);
    else {
      channel.otherEpochAt = 0;
      if (history.first > channel.head + 1 && history.head > channel.head) {
        this.#skipTo(channel, history.first - 1, 'history_gone');
      }
    }
    const before = channel.head;
    for (const message of history.messages) {
      if (message.epoch !== channel.epoch || message.position !== channel.head + 1) continue;
      this.#deliver(channel, message);
    }
    channel.seen = Math.max(channel.seen, history.head);
    // A read that found a new epoch asked from a position of the old one: it says nothing of what is missing.
    if (anew || channel.head > before || channel.seen <= channel.head) return;
    if (++channel.tries >= this.#options.healTriesMax) this.#skipTo(channel, channel.seen, 'history_gone');
  }

  #beginAnew(channel: LogChannel, history: History): void {
    const heard = channel.otherEpochAt > 0 ? channel.otherEpochAt - 1 : history.head;
    channel.epoch = history.epoch;
    channel.otherEpochAt = 0;
    channel.seen = 0;
    this.#skipTo(channel, Math.min(heard, history.head), 'epoch_changed');
  }

  #skipTo(channel: LogChannel, position: number, code: 'history_gone' | 'epoch_changed'): void {
    const former = channel.head;
    channel.head = position;
    channel.tries = 0;
    channel.ring?.reset(position);
    this.#parts.events.onGap(code);
    const why =
      code === 'epoch_changed'
        ? `The channel began anew: it goes on from position ${position} of another epoch.`
        : `Messages ${former + 1} to ${position} are no longer kept.`;
    for (const subscriber of [...channel.subscribers]) subscriber.onGap(channel, code, why);
  }

  /**
   * Lets those join whose position can be honoured, or never can; reads history for the rest, once for all.
   */
  #settle(channel: LogChannel, reading: Reading | null): void {
    if (channel.waiting.length === 0) return;
    const { waiting } = channel;
    channel.waiting = emptyList();
    let from = channel.head;
    for (const joiner of waiting) {
      const missed = missedBy(channel, joiner, reading, this.#options.replayMessagesMax);
      if (missed === 'read') {
        joiner.reads++;
        channel.waiting = withItem(channel.waiting, joiner);
        from = Math.min(from, joiner.since!.position);
        continue;
      }
      channel.subscribers = withItem(channel.subscribers, joiner.subscriber);
      joiner.subscriber.onJoined(channel, missed !== null);
      if (missed === null) continue;
      for (const item of missed) joiner.subscriber.onMessage(channel, item);
    }
    if (channel.waiting.length > 0 && channel.phase === 'live') void this.#read(channel, from);
  }

  #failWaiting(channel: LogChannel): void {
    const { waiting } = channel;
    channel.waiting = emptyList();
    for (const { subscriber } of waiting) {
      subscriber.onFailed('unavailable', `Channel ${channel.name} cannot be read now; try again.`);
    }
    if (!channel.used && channel.idleSince === 0) this.#rest(channel);
  }

  #rest(channel: LogChannel): void {
    channel.idleSince = this.#parts.clock.now();
    this.#idle.push({ channel, since: channel.idleSince });
    this.#idleTimer ??= this.#parts.clock.after(this.#options.idleGraceMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#idleTimer = null;
    const { clock } = this.#parts;
    const until = clock.now() - this.#options.idleGraceMs;
    let done = 0;
    while (done < this.#idle.length && this.#idle[done]!.since <= until) {
      const { channel, since } = this.#idle[done]!;
      if (channel.idleSince === since) {
        if (!channel.used) this.#drop(channel);
        // Others joined in the turn in which it was laid to rest: the next time counts again.
        else channel.idleSince = 0;
      }
      done++;
    }
    this.#idle.splice(0, done);
    const next = this.#idle[0];
    if (next === undefined || this.#closed) return;
    const waitMs = Math.max(1, next.since + this.#options.idleGraceMs - clock.now());
    this.#idleTimer = clock.after(waitMs, () => this.#sweep());
  }

  #drop(channel: LogChannel): void {
    channel.phase = 'closed';
    channel.unfollow?.();
    channel.unfollow = null;
    channel.waiting = emptyList();
    if (this.#channels.get(channel.name) === channel) this.#channels.delete(channel.name);
  }
}
