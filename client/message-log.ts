/**
 * A log channel: my new followers (`feed:`), my notices (`user:`). Every message once, in order, or a gap is
 * told.
 */
import type { GapFrame, MessageFrame, SubscribedFrame } from '../proto/frames.ts';
import { Channel, type ChannelFrame, type ChannelHost, type ChannelStatus } from './channel.ts';
import { Emitter } from './emitter.ts';
import { codeName, type RankcastError } from './rankcast-error.ts';

export interface Message<Data> {
  position: number;
  /** Event time, ms since the epoch. */
  at: number;
  id: string;
  data: Data;
}
/** Messages between `from` (exclusive; null: unknown) and `to` (inclusive) may have been missed for good. */
export interface Gap {
  code: RankcastError['code'];
  message: string;
  from: number | null;
  /** Positions of another epoch cannot be compared with `from`. */
  epochChanged: boolean;
  to: number;
}
export interface LogEvents<Data> {
  message: Message<Data>;
  gap: Gap;
  status: ChannelStatus;
  error: RankcastError;
}
export interface MessageLog<Data = unknown> {
  readonly name: string | null;
  readonly status: ChannelStatus;
  /** Position of the last message taken, or of the head when it joined; -1: not joined yet. */
  readonly position: number;
  on<Name extends keyof LogEvents<Data>>(
    name: Name,
    listener: (event: LogEvents<Data>[Name]) => void,
  ): () => void;
  close(): void;
}

export class LogChannel<Data> extends Channel implements MessageLog<Data> {
  readonly #events = new Emitter<LogEvents<Data>>();
  readonly #nameOf: () => string | null;

  constructor(host: ChannelHost, nameOf: () => string | null) {
    super(host);
    this.#nameOf = nameOf;
  }

  get name(): string | null {
    return this.#nameOf();
  }

  on<Name extends keyof LogEvents<Data>>(
    name: Name,
    listener: (event: LogEvents<Data>[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener);
  }

  take(frame: ChannelFrame): void {
    if (frame.t === 'message') this.#takeMessage(frame);
    else if (frame.t === 'gap') this.#takeGap(frame);
  }

  #takeMessage(frame: MessageFrame): void {
    const { position, at, id, data } = frame;
    if (position !== this.position + 1) {
      this.report('order', `message ${position} came after ${this.position}`);
      // what lies in a hole is asked for again; to go on behind it would lose it
      if (position > this.position) this.rejoin();
      return;
    }
    this.position = position;
    this.#events.emit('message', { position, at, id, data: data as Data });
  }

  #takeGap(frame: GapFrame): void {
    this.#tellGap(codeName(frame.code), frame.message, frame.epoch, frame.position);
  }

  protected joined(frame: SubscribedFrame, asked: boolean): void {
    if (!asked) {
      this.epoch = frame.epoch;
      this.position = frame.position;
      return;
    }
    if (frame.recovered) {
      if (frame.epoch !== this.epoch || frame.position < this.position) {
        this.report(
          'order',
          `resumed at ${this.position}, but the head is ${frame.position} of ${frame.epoch}`,
        );
      }
      return;
    }
    const code = frame.epoch === this.epoch ? 'history_gone' : 'epoch_changed';
    this.#tellGap(code, 'Messages were missed while away.', frame.epoch, frame.position);
  }

  #tellGap(code: Gap['code'], message: string, epoch: string, to: number): void {
    const gap = {
      code,
      message,
      from: this.position < 0 ? null : this.position,
      epochChanged: epoch !== this.epoch,
      to,
    };
    this.epoch = epoch;
    this.position = to;
    this.#events.emit('gap', gap);
  }

  protected tellStatus(status: ChannelStatus): void {
    this.#events.emit('status', status);
  }

  protected tellError(error: RankcastError): void {
    this.#events.emit('error', error);
  }
}
