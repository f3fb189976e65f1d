/**
 * The channels of one client: which are open, which number each has on this connection, which request is
 * whose.
 */
import type { ErrorFrame, ServerFrame, SubscribedFrame, UnsubscribedFrame } from '../proto/frames.ts';
import type { Channel, ChannelHost } from './channel.ts';
import type { Clock } from './clock.ts';
import type { Connection } from './connection.ts';
import type { RankcastError } from './rankcast-error.ts';

export interface SubscriptionsSettings {
  connection: Pick<Connection, 'nextId' | 'send'>;
  clock: Clock;
  jitter(failures: number): number;
  unknownWaitMs: number;
  onError(error: RankcastError): void;
}

export class Subscriptions implements ChannelHost {
  readonly clock: Clock;
  readonly unknownWaitMs: number;
  readonly #settings: SubscriptionsSettings;
  readonly #open = new Map<string, Channel>();
  readonly #byNo = new Map<number, Channel>();
  /** `subscribe` requests under way. */
  readonly #asked = new Map<number, { channel: Channel; name: string }>();

  constructor(settings: SubscriptionsSettings) {
    this.#settings = settings;
    this.clock = settings.clock;
    this.unknownWaitMs = settings.unknownWaitMs;
  }

  jitter(failures: number): number {
    return this.#settings.jitter(failures);
  }

  onChannelError(error: RankcastError): void {
    this.#settings.onError(error);
  }

  open<T extends Channel>(key: string, create: (host: ChannelHost) => T): T {
    const found = this.#open.get(key);
    if (found !== undefined && found.status !== 'ended') return found as T;
    const channel = create(this);
    this.#open.set(key, channel);
    channel.resume();
    return channel;
  }

  subscribe(channel: Channel): boolean {
    const { name } = channel;
    if (name === null) return false;
    // a request for the name that its former room no longer waits for is answered first: see #subscribed
    for (const asked of this.#asked.values()) if (asked.name === name) return true;
    const { connection } = this.#settings;
    const id = connection.nextId();
    if (!connection.send(channel.subscribeFrame(id, name))) return false;
    this.#asked.set(id, { channel, name });
    return true;
  }

  unsubscribe(channel: Channel): void {
    this.#sweep();
    if (channel.no === -1) return;
    this.#byNo.delete(channel.no);
    this.#leave(channel.name);
  }

  resume(): void {
    for (const channel of this.#open.values()) channel.resume();
  }

  lost(): void {
    this.#byNo.clear();
    this.#asked.clear();
    this.#sweep();
    for (const channel of this.#open.values()) channel.lost();
  }

  end(): void {
    this.#byNo.clear();
    this.#asked.clear();
    for (const channel of this.#open.values()) channel.end();
    this.#open.clear();
  }

  /** Whether an error answers a request of a channel. */
  owns(frame: ErrorFrame): boolean {
    return frame.id !== undefined && this.#asked.has(frame.id);
  }

  take(frame: ServerFrame): void {
    switch (frame.t) {
      case 'subscribed':
        this.#subscribed(frame);
        return;
      case 'unsubscribed':
        this.#unsubscribed(frame);
        return;
      case 'error':
        this.#refused(frame);
        return;
      case 'gap':
      case 'message':
      case 'board':
      case 'players':
      case 'entries':
      case 'ranks':
      case 'hold':
      case 'behind':
        this.#byNo.get(frame.no)?.take(frame);
        return;
      case 'connected':
      case 'refreshed':
      case 'pong':
      case 'move':
        return;
      default:
        frame satisfies never;
    }
  }

  #subscribed(frame: SubscribedFrame): void {
    const asked = this.#asked.get(frame.id);
    if (asked === undefined) return;
    this.#asked.delete(frame.id);
    if (asked.channel.status === 'ended') {
      this.#leave(asked.name);
      this.#askFor(asked.name);
      return;
    }
    this.#byNo.set(frame.no, asked.channel);
    asked.channel.subscribed(frame);
  }

  #refused(frame: ErrorFrame): void {
    const asked = frame.id === undefined ? undefined : this.#asked.get(frame.id);
    if (asked === undefined || frame.id === undefined) return;
    this.#asked.delete(frame.id);
    if (asked.channel.status === 'ended') this.#askFor(asked.name);
    else asked.channel.refused(frame);
  }

  /** Answers to our own requests come with an id and need nothing more. */
  #unsubscribed(frame: UnsubscribedFrame): void {
    if (frame.id !== undefined) return;
    for (const [no, channel] of this.#byNo) {
      if (channel.name !== frame.channel) continue;
      this.#byNo.delete(no);
      channel.unsubscribed(frame);
    }
  }

  #leave(channel: string | null): void {
    const { connection } = this.#settings;
    if (channel !== null) connection.send({ t: 'unsubscribe', id: connection.nextId(), channel });
  }

  /** A new room of the name may have waited for the answer to the former one's request. */
  #askFor(name: string): void {
    for (const channel of this.#open.values()) if (channel.name === name) channel.resume();
  }

  #sweep(): void {
    for (const [key, channel] of this.#open) if (channel.status === 'ended') this.#open.delete(key);
  }
}
