/** A state channel: what is missed is covered by a newer state; versions only rise within an epoch. */
import type { BehindFrame, GapFrame, SubscribedFrame } from '../proto/frames.ts';
import { Channel, type ChannelHost } from './channel.ts';

/** The edge has only `version`, less than what this client has seen: news comes when it has caught up. */
export interface Behind {
  version: number;
  since: number;
}

export abstract class StateChannel extends Channel {
  readonly name: string;

  constructor(host: ChannelHost, name: string) {
    super(host);
    this.name = name;
  }

  protected joined(frame: SubscribedFrame): void {
    this.#turnTo(frame.epoch);
    this.rejoined();
  }

  /** All comes whole behind a gap. */
  protected takeGap(frame: GapFrame): void {
    this.#turnTo(frame.epoch);
    this.rejoined();
  }

  #turnTo(epoch: string): void {
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.position = -1;
    this.began();
  }

  /** Another epoch: former versions mean nothing. */
  protected abstract began(): void;
  /** The state that follows is whole. */
  protected abstract rejoined(): void;

  /** Whether a frame of `version` may be taken; one from the past is reported. */
  protected rises(version: number, what: string): boolean {
    if (version >= this.position) return true;
    this.report('order', `${what} of version ${version} came after version ${this.position}`);
    return false;
  }

  protected behindOf(frame: BehindFrame): Behind {
    return { version: frame.version, since: frame.since };
  }
}
