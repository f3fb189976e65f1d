import type { CodeName } from '../proto/codes.ts';
import type { Session } from './session.ts';
import type { StateChannel } from './views/state-channel.ts';
import type { UserView } from './views/user-view.ts';

/** One socket on one channel. */
export interface Subscription {
  readonly name: string;
  readonly kind: 'contest' | 'match' | 'log';
  /** false: the request has not been answered yet. */
  readonly answered: boolean;
  /** Off the channel: unsubscribed, or the socket is gone. */
  end(): void;
  /** Off the native topics, for the socket takes nothing now. */
  choke(): void;
  /** The socket has drained: the newest state, and on again. */
  resend(): void;
}

/**
 * A socket on a state channel. 'waiting': there is no state to answer with yet. 'behind': answered; the
 * state is older than the client's. 'live': it has the state, and what is published (unless the socket is
 * choked).
 */
export class StateSubscription implements Subscription {
  readonly session: Session;
  readonly requestId: number;
  readonly channel: StateChannel;
  /** What the client has; -1: nothing. */
  readonly since: number;
  readonly sinceEpoch: string | null;
  phase: 'waiting' | 'behind' | 'live' | 'ended' = 'waiting';
  /** true: it has not been sent the whole state since it became live, or since the socket was choked. */
  off = true;
  /** Epoch the client was told last. */
  epoch = '';
  /** When to say that the edge is behind; 0: said. */
  behindDue = 0;
  /** Contests: the user's own ranks, shared by the user's sockets. */
  view: UserView | null = null;

  constructor(
    session: Session,
    requestId: number,
    channel: StateChannel,
    sinceEpoch: string | null,
    since: number,
  ) {
    this.session = session;
    this.requestId = requestId;
    this.channel = channel;
    this.sinceEpoch = sinceEpoch;
    this.since = since;
  }

  get name(): string {
    return this.channel.name;
  }
  get kind(): 'contest' | 'match' {
    return this.channel.kind;
  }
  get answered(): boolean {
    return this.phase !== 'waiting';
  }
  /** Whether frames go to it now. */
  get open(): boolean {
    return this.phase === 'live' && !this.off;
  }

  end(): void {
    this.channel.leave(this);
  }
  choke(): void {
    this.off = true;
    if (this.phase === 'live') this.session.socket.leave(this.channel.topicOf(this.session.codec));
  }
  resend(): void {
    if (this.phase === 'live') this.channel.sendWhole(this);
  }

  /** The request cannot be granted. */
  refuse(code: CodeName, message: string): void {
    this.phase = 'ended';
    this.session.refused(this, this.requestId, code, message);
  }
}
