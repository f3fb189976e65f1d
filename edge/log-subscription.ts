import type { LogChannel, LogSubscriber } from '../channels/hub/log-channel.ts';
import type { LogItem } from '../channels/hub/log-item.ts';
import { type CodeName, codes } from '../proto/codes.ts';
import type { Session } from './session.ts';
import type { Subscription } from './subscription.ts';

/**
 * A socket on a log channel. Its messages go to the socket one by one, not over a native topic: only the
 * user's own sockets are on it, and a topic for every user would cost more memory than it saves.
 */
export class LogSubscription implements Subscription, LogSubscriber {
  readonly name: string;
  readonly session: Session;
  readonly requestId: number;
  answered = false;
  #ended = false;

  constructor(session: Session, requestId: number, name: string) {
    this.session = session;
    this.requestId = requestId;
    this.name = name;
  }

  get kind(): 'log' {
    return 'log';
  }

  end(): void {
    this.#ended = true;
    this.session.core.hub.leave(this.name, this);
  }

  onJoined(channel: LogChannel, recovered: boolean): void {
    if (this.#ended) return;
    this.answered = true;
    this.session.answered(this);
    this.session.reply({
      t: 'subscribed',
      id: this.requestId,
      no: channel.no,
      channel: this.name,
      kind: 'log',
      epoch: channel.epoch,
      position: channel.head,
      recovered,
    });
  }

  onMessage(_channel: LogChannel, item: LogItem): void {
    if (this.#ended) return;
    this.session.sendSurely('message', item.frame(this.session.codec));
  }

  onGap(channel: LogChannel, code: CodeName, message: string): void {
    if (this.#ended) return;
    const { no, epoch, head } = channel;
    this.session.reply({ t: 'gap', no, epoch, position: head, code: codes[code].no, message });
  }

  onFailed(code: CodeName, message: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.session.refused(this, this.requestId, code, message);
  }

  /** A socket with log channels is ended where it would be choked. */
  choke(): void {}
  resend(): void {}
}
