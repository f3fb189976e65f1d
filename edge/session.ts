import { emptyList, takeOut, withItem } from '../channels/exact-list.ts';
import { parseChannel } from '../channels/name.ts';
import type { Codec } from '../proto/codec.ts';
import { ClientError, type CodeName, codes } from '../proto/codes.ts';
import { FrameError } from '../proto/frame-error.ts';
import type {
  ClientFrame,
  ConnectFrame,
  RefreshFrame,
  ServerFrame,
  SubscribeFrame,
} from '../proto/frames.ts';
import { limits } from '../proto/limits.ts';
import { endSlow, onDrained, onDropped } from './delivery.ts';
import { LogSubscription } from './log-subscription.ts';
import type { SessionCore } from './session-core.ts';
import type { Socket, SocketHandler } from './sockets/sockets.ts';
import { StateSubscription, type Subscription } from './subscription.ts';
import type { Identity } from './verifier/verifier.ts';

/**
 * One socket and what it has said: the protocol's state machine. 'new' until `connect` has come, 'verifying'
 * while its token is looked at (what comes meanwhile waits, within a bound), then 'ready' to the end.
 *
 * Fixed fields, no timers and no closures: there are hundreds of thousands of these. Time is looked at in
 * rounds over all sessions (sessions.ts), by `deadline` alone.
 */
export class Session implements SocketHandler {
  readonly core: SessionCore;
  readonly socket: Socket;
  readonly codec: Codec;
  phase: 'new' | 'verifying' | 'ready' | 'closed' = 'new';
  user = '';
  /** Until 'ready': when `connect` must have come and been accepted; then: when the token runs out. */
  deadline: number;
  subscriptions: Subscription[] = emptyList();
  /** Log channels among the subscriptions. */
  logs = 0;
  /** Its buffer is full: nothing of state channels is sent until it has drained. */
  choked = false;
  /** Its place in the list of sessions. */
  slot = -1;
  /** Another session of the same user. */
  nextOfUser: Session | null = null;
  #refreshing = false;
  #waiting: ClientFrame[] | null = null;
  #intervalEnd = 0;
  #intervalFrames = 0;

  constructor(core: SessionCore, socket: Socket, codec: Codec) {
    this.core = core;
    this.socket = socket;
    this.codec = codec;
    this.deadline = core.clock.now() + core.options.authTimeoutMs;
  }

  get closed(): boolean {
    return this.phase === 'closed';
  }
  get hasLogs(): boolean {
    return this.logs > 0;
  }
  /** Names the socket in logs. */
  get id(): string {
    return `${this.core.edge}-${this.socket.serial.toString(36)}`;
  }

  onMessage(bytes: Uint8Array, binary: boolean): void {
    if (this.closed) return;
    try {
      this.core.stats.framesIn++;
      if (!this.#withinRate()) return;
      this.#take(this.codec.decodeClient(bytes, binary));
    } catch (error) {
      this.#fail(error);
    }
  }

  onDrain(): void {
    onDrained(this);
  }
  onDropped(): void {
    onDropped(this);
  }

  onClose(): void {
    this.core.onGone(this);
    this.#close();
  }

  /** Ends the socket with a close frame. */
  end(code: CodeName, reason: string): void {
    if (this.closed) return;
    this.core.stats.countEnd(code);
    this.core.logger.debug({ session: this.id, user: this.user, code, reason }, 'socket ended');
    this.#close();
    this.core.onEnded(this);
    this.socket.end(codes[code].no, clip(reason));
  }

  /** A frame of a state channel: may be left out while the socket is slow. */
  send(kind: ServerFrame['t'], bytes: Uint8Array): void {
    if (this.choked || this.closed) return;
    this.core.stats.sent(kind, 1, bytes.length);
    if (this.socket.send(bytes) === 'dropped') onDropped(this);
  }

  /** A frame that must not be left out: the socket is ended if it does not fit. */
  sendSurely(kind: ServerFrame['t'], bytes: Uint8Array): void {
    if (this.closed) return;
    this.core.stats.sent(kind, 1, bytes.length);
    if (this.socket.send(bytes) === 'dropped')
      endSlow(this, 'An answer did not fit the buffer of this socket.');
  }

  reply(frame: ServerFrame): void {
    if (!this.closed) this.sendSurely(frame.t, this.codec.encode(frame));
  }

  /** The subscription's request is being answered. */
  answered(subscription: Subscription): void {
    this.core.onSubscribed(subscription);
  }

  /** The subscription cannot be had. */
  refused(subscription: Subscription, id: number, code: CodeName, message: string): void {
    if (this.#remove(subscription)) this.#error(id, code, message, subscription.name);
  }

  /** What is done once a second or so: looks at what has run out. */
  checkTime(now: number): void {
    if (now < this.deadline) return;
    if (this.phase === 'ready') this.end('token_expired', 'The token has run out.');
    else if (!this.closed) this.end('connect_timeout', 'No valid connect frame came in time.');
  }

  #take(frame: ClientFrame): void {
    if (this.phase === 'new') {
      if (frame.t !== 'connect') throw new FrameError(`The first frame is ${frame.t}; it must be connect.`);
      void this.#connect(frame);
    } else if (frame.t === 'connect') {
      throw new FrameError('A second connect frame came on the socket; only the first frame may be one.');
    } else if (this.phase === 'verifying') {
      this.#waiting ??= [];
      this.#waiting.push(frame);
      const most = this.core.options.pendingFramesMax;
      if (this.#waiting.length > most) {
        this.end('too_many_frames', `More than ${most} frames came before connect was answered.`);
      }
    } else this.#request(frame);
  }

  #request(frame: Exclude<ClientFrame, ConnectFrame>): void {
    switch (frame.t) {
      case 'subscribe':
        this.#subscribe(frame);
        return;
      case 'unsubscribe':
        this.#unsubscribe(frame.id, frame.channel);
        return;
      case 'refresh':
        void this.#refresh(frame);
        return;
      case 'ping':
        this.reply({ t: 'pong', id: frame.id, serverTime: this.core.clock.now() });
        return;
      default:
        frame satisfies never;
    }
  }

  async #connect(frame: ConnectFrame): Promise<void> {
    this.phase = 'verifying';
    try {
      const identity = await this.core.verifier.verify(frame.token);
      if (!this.closed) this.#accept(identity, frame.agent);
    } catch (error) {
      if (this.closed) return;
      if (error instanceof ClientError && error.code === 'invalid_token')
        this.end('bad_token', error.message);
      else this.#fail(error);
    }
  }

  #accept({ user, expiresAt }: Identity, agent: string | undefined): void {
    const now = this.core.clock.now();
    if (expiresAt <= now) throw new ClientError('invalid_token', 'The token has run out.');
    if (this.core.userIsFull(user)) {
      const most = this.core.options.socketsPerUserMax;
      this.end('too_many_sockets', `User ${user} has ${most} sockets on this edge, as many as they may.`);
      return;
    }
    this.user = user;
    this.deadline = expiresAt;
    this.phase = 'ready';
    this.core.onReady(this);
    this.core.logger.debug(
      { session: this.id, user, agent, address: this.socket.address },
      'socket connected',
    );
    const { idleMs } = this.core.options;
    this.reply({ t: 'connected', protocol: 1, session: this.id, user, expiresAt, serverTime: now, idleMs });
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const frame of waiting) {
      if (!this.closed && frame.t !== 'connect') this.#request(frame);
    }
  }

  async #refresh({ id, token }: RefreshFrame): Promise<void> {
    if (this.#refreshing) {
      this.#error(id, 'rate_limited', 'Another refresh of this socket is being looked at.');
      return;
    }
    this.#refreshing = true;
    try {
      const { user, expiresAt } = await this.core.verifier.verify(token);
      if (this.closed) return;
      if (user !== this.user) {
        this.#error(id, 'wrong_user', `The token is of another user than ${this.user}.`);
      } else if (expiresAt <= this.core.clock.now()) {
        this.#error(id, 'invalid_token', 'The token has run out.');
      } else {
        this.deadline = expiresAt;
        this.reply({ t: 'refreshed', id, expiresAt });
      }
    } catch (error) {
      if (this.closed) return;
      if (error instanceof ClientError && error.code === 'invalid_token') {
        this.#error(id, 'invalid_token', error.message);
      } else {
        this.core.logger.warn({ err: error, session: this.id }, 'a token could not be verified');
        this.#error(id, 'unavailable', 'Tokens cannot be verified now; try again.');
      }
    } finally {
      this.#refreshing = false;
    }
  }

  #subscribe(frame: SubscribeFrame): void {
    const { id, channel } = frame;
    const name = parseChannel(channel);
    if (typeof name === 'string') {
      this.#error(id, 'bad_channel', name, channel);
    } else if (name.class === 'log' && name.id !== this.user) {
      this.#error(id, 'forbidden', `Only user ${name.id} may subscribe to ${channel}.`, channel);
    } else if (this.#find(channel) !== undefined) {
      this.#error(id, 'already_subscribed', `This socket is subscribed to ${channel} already.`, channel);
    } else if (this.subscriptions.length >= this.core.options.subscriptionsPerSocketMax) {
      const most = this.core.options.subscriptionsPerSocketMax;
      this.#error(
        id,
        'too_many_subscriptions',
        `This socket has ${most} subscriptions, as many as it may.`,
        channel,
      );
    } else if (name.kind === 'contest' || name.kind === 'match') {
      this.#joinState(frame, name.kind, name.id);
    } else this.#joinLog(frame);
  }

  #joinState(
    { id, channel: name, epoch, since }: SubscribeFrame,
    kind: 'contest' | 'match',
    key: string,
  ): void {
    let channel: ReturnType<SessionCore['stateChannel']>;
    try {
      channel = this.core.stateChannel(kind, key);
    } catch (error) {
      this.core.logger.warn({ err: error, channel: name }, 'a channel could not be followed');
      this.#error(id, 'unavailable', 'This edge follows as many contests and matches as it may.', name);
      return;
    }
    const subscription = new StateSubscription(this, id, channel, epoch ?? null, since ?? -1);
    this.#add(subscription);
    channel.join(subscription);
  }

  #joinLog({ id, channel, epoch, since }: SubscribeFrame): void {
    const subscription = new LogSubscription(this, id, channel);
    this.#add(subscription);
    const position = epoch === undefined || since === undefined ? null : { epoch, position: since };
    this.core.hub.join(channel, position, subscription);
  }

  #unsubscribe(id: number, channel: string): void {
    const name = parseChannel(channel);
    if (typeof name === 'string') {
      this.#error(id, 'bad_channel', name, channel);
      return;
    }
    const subscription = this.#find(channel);
    if (subscription === undefined || !subscription.answered) {
      this.#error(id, 'not_subscribed', `This socket is not subscribed to ${channel}.`, channel);
      return;
    }
    this.#remove(subscription);
    subscription.end();
    this.core.onUnsubscribed(subscription);
    this.reply({ t: 'unsubscribed', id, channel });
  }

  #find(name: string): Subscription | undefined {
    return this.subscriptions.find((subscription) => subscription.name === name);
  }

  #add(subscription: Subscription): void {
    if (subscription.kind === 'log') this.logs++;
    this.subscriptions = withItem(this.subscriptions, subscription);
  }

  #remove(subscription: Subscription): boolean {
    if (!takeOut(this.subscriptions, subscription)) return false;
    if (subscription.kind === 'log') this.logs--;
    return true;
  }

  #error(id: number, code: CodeName, message: string, channel?: string): void {
    const frame: ServerFrame = { t: 'error', id, code: codes[code].no, message };
    if (channel !== undefined) frame.channel = channel;
    this.reply(frame);
  }

  /**
   * false: the socket has been ended. A count in fixed windows: two numbers a socket. A limiter keyed by
   * socket would keep a record and a timer for each; limits by address and user are admission's.
   */
  #withinRate(): boolean {
    const { framesPerIntervalMax, framesIntervalMs } = this.core.options;
    const now = this.core.clock.now();
    if (now >= this.#intervalEnd) {
      this.#intervalEnd = now + framesIntervalMs;
      this.#intervalFrames = 0;
    }
    if (++this.#intervalFrames <= framesPerIntervalMax) return true;
    const why = `More than ${framesPerIntervalMax} frames came within ${framesIntervalMs} ms.`;
    this.end('too_many_frames', why);
    return false;
  }

  /** What was thrown while a frame of this socket was being handled ends this socket and no other. */
  #fail(error: unknown): void {
    if (error instanceof FrameError) {
      this.end(error.code as 'bad_frame' | 'frame_too_large', error.message);
    } else {
      this.core.logger.error({ err: error, session: this.id, user: this.user }, 'a socket failed');
      this.end('server_error', 'A fault of the server; reconnect.');
    }
  }

  #close(): void {
    if (this.closed) return;
    const wasReady = this.phase === 'ready';
    this.phase = 'closed';
    this.#waiting = null;
    const { subscriptions } = this;
    this.subscriptions = emptyList();
    for (const subscription of subscriptions) {
      const { answered } = subscription;
      subscription.end();
      if (answered) this.core.onUnsubscribed(subscription);
    }
    this.core.onClosed(this, wasReady);
  }
}

/** Cut to what a close frame holds, on a boundary of characters. */
function clip(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= limits.closeReasonBytesMax) return reason;
  let end = limits.closeReasonBytesMax;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
