/**
 * One live socket at a time, made anew for as long as the client is open: tokens, waiting, resuming, dead
 * sockets, moves. It knows nothing of channels; the hooks do.
 */
import type { Codec } from '../proto/codec.ts';
import { codes } from '../proto/codes.ts';
import type {
  ClientFrame,
  ConnectedFrame,
  ErrorFrame,
  RefreshedFrame,
  ServerFrame,
} from '../proto/frames.ts';
import type { Clock } from './clock.ts';
import type { WebSocketConstructor, WebSocketLike } from './options.ts';
import { codeName, RankcastError } from './rankcast-error.ts';
import type { Tokens } from './tokens.ts';

/** `waiting`: for the moment of the next attempt. `closed`: for good. */
export type ConnectionState = 'connecting' | 'connected' | 'waiting' | 'closed';
export interface ConnectionStatus {
  state: ConnectionState;
  /** `waiting`, `closed`: the close code of the socket that ended (1006: none came), where one did. */
  code?: number;
  reason?: string;
  /** `waiting`: until the next attempt. */
  retryInMs?: number;
}

export interface ConnectionHooks {
  onStatus(status: ConnectionStatus): void;
  onConnected(frame: ConnectedFrame): void;
  /** The socket is gone; requests under way will not be answered. */
  onDisconnected(): void;
  /** Any frame that is not about the connection itself. */
  onFrame(frame: ServerFrame): void;
  onError(error: RankcastError): void;
}
export interface ConnectionSettings {
  url: string;
  codec: Codec;
  tokens: Tokens;
  WebSocket: WebSocketConstructor;
  agent: string | undefined;
  clock: Clock;
  random: () => number;
  reconnectBaseMs: number;
  reconnectCapMs: number;
  stableMs: number;
  openTimeoutMs: number;
  refreshBeforeMs: number;
  framesPerTenSecondsMax: number;
}

/** Codes from here on say: do not come back by yourself. */
const finalCodesFrom = 4500;
const finalCodesTo = 4999;
/** Timers count in 31 bits: a longer one would fire at once. */
const timerMsMax = 2 ** 31 - 1;

type TimerName = 'retry' | 'open' | 'idle' | 'refresh' | 'stable' | 'move' | 'send';

const toText = new TextDecoder();
const toBytes = new TextEncoder();

export class Connection {
  state: ConnectionState = 'connecting';
  readonly #settings: ConnectionSettings;
  readonly #hooks: ConnectionHooks;
  readonly #timers = new Map<TimerName, () => void>();
  #socket: WebSocketLike | null = null;
  /** Raised by every attempt and end, so that what an earlier one awaited is dropped. */
  #attempt = 0;
  /** Attempts since the last good connection. */
  #failures = 0;
  #lastHeard = 0;
  /** Server's clock less ours. */
  #skewMs = 0;
  #idleMs = 0;
  #requests = 0;
  #refreshId = -1;
  /** The token of this attempt was given before: since then it may have run out unseen. */
  #tokenKept = false;
  readonly #queue: ClientFrame[] = [];
  /** Moments of the last frames sent on this socket, as many as a second may have. */
  readonly #sentAt: number[] = [];

  constructor(settings: ConnectionSettings, hooks: ConnectionHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
  }

  start(): void {
    void this.#open();
  }

  /** A number for the next request on this connection. */
  nextId(): number {
    this.#requests += 1;
    return this.#requests;
  }

  /** false: there is no connection; it was not sent. Else it goes out in its turn. */
  send(frame: ClientFrame): boolean {
    if (this.#socket === null || this.state !== 'connected') return false;
    this.#queue.push(frame);
    if (this.#queue.length === 1) this.#sendQueued();
    return true;
  }

  /** Ends it for good. */
  close(): void {
    if (this.state === 'closed') return;
    this.#letGo('closed by the client', 'for good');
    this.#setStatus({ state: 'closed' });
  }

  /** Drops the socket without waiting for the other side, and makes a new one after the usual wait. */
  restart(): void {
    if (this.#socket === null) return;
    const socket = this.#socket;
    this.#letGo('starting anew');
    socket.terminate?.();
    this.#retry();
  }

  async #open(): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#setStatus({ state: 'connecting' });
    const { tokens, WebSocket, url, codec, openTimeoutMs } = this.#settings;
    let token: string;
    this.#tokenKept = tokens.kept;
    try {
      token = await tokens.get();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.#hooks.onError(error as RankcastError);
      this.#retry();
      return;
    }
    if (attempt !== this.#attempt) return;
    let socket: WebSocketLike;
    try {
      socket = new WebSocket(url, codec.subprotocol);
    } catch (cause) {
      this.#end(new RankcastError('unreachable', `No socket to ${url}: ${String(cause)}`, null, cause));
      return;
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    this.#setTimer('open', openTimeoutMs, () => {
      this.#hooks.onError(
        new RankcastError('no_answer', `No answer from ${url} within ${openTimeoutMs} ms.`),
      );
      this.restart();
    });
    this.#listen(socket, token);
  }

  #listen(socket: WebSocketLike, token: string): void {
    const { codec, agent } = this.#settings;
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      if (socket.protocol !== codec.subprotocol) {
        this.#end(new RankcastError('bad_answer', `The server does not speak ${codec.subprotocol}.`));
        return;
      }
      this.#write(socket, agent === undefined ? { t: 'connect', token } : { t: 'connect', token, agent });
    };
    socket.onmessage = (event: { data: unknown }) => {
      if (socket === this.#socket) this.#receive(event.data);
    };
    // what went wrong is not said by the event; the close that follows says enough
    socket.onerror = () => {};
    socket.onclose = (event: { code: number; reason: string }) => {
      if (socket === this.#socket) this.#closed(event.code, event.reason);
    };
  }

  #receive(data: unknown): void {
    this.#lastHeard = this.#settings.clock.now();
    let frame: ServerFrame | null;
    try {
      frame = this.#settings.codec.decodeServer(bytesOf(data));
    } catch (cause) {
      this.#hooks.onError(
        new RankcastError('bad_answer', `A frame made no sense: ${String(cause)}`, null, cause),
      );
      this.restart();
      return;
    }
    if (frame === null) return;
    switch (frame.t) {
      case 'connected':
        this.#connected(frame);
        return;
      case 'pong':
        return;
      case 'move':
        this.#setTimer('move', this.#settings.random() * frame.withinMs, () => this.#move());
        return;
      case 'refreshed':
        this.#refreshed(frame);
        return;
      case 'error':
        if (frame.id !== undefined && frame.id === this.#refreshId) this.#refreshRefused(frame);
        else this.#hooks.onFrame(frame);
        return;
      default:
        this.#hooks.onFrame(frame);
    }
  }

  #connected(frame: ConnectedFrame): void {
    if (this.state === 'connected') return;
    this.#stopTimer('open');
    this.#setTimer('stable', this.#settings.stableMs, () => {
      this.#failures = 0;
    });
    this.#skewMs = frame.serverTime - this.#settings.clock.now();
    this.#idleMs = frame.idleMs;
    this.#watchIdle();
    this.#planRefresh(frame.expiresAt);
    this.#setStatus({ state: 'connected' });
    this.#hooks.onConnected(frame);
  }

  /** Browsers hide the server's own pings: at half of the silence allowed, the client asks. */
  #watchIdle(): void {
    const half = this.#idleMs / 2;
    const silence = this.#settings.clock.now() - this.#lastHeard;
    if (silence >= this.#idleMs) {
      this.#hooks.onError(new RankcastError('no_answer', `Nothing was heard for ${this.#idleMs} ms.`));
      this.restart();
      return;
    }
    if (silence >= half) this.send({ t: 'ping', id: this.nextId() });
    this.#setTimer('idle', silence >= half ? this.#idleMs - silence : half - silence, () =>
      this.#watchIdle(),
    );
  }

  #planRefresh(expiresAt: number): void {
    const { tokens, refreshBeforeMs, clock } = this.#settings;
    if (!tokens.renewable) return;
    const lifeMs = Math.max(0, expiresAt - this.#skewMs - clock.now());
    const wait = Math.max(lifeMs / 2, lifeMs - refreshBeforeMs);
    tokens.endsIn(wait);
    this.#setTimer('refresh', Math.min(wait, timerMsMax), () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    const attempt = this.#attempt;
    try {
      const token = await this.#settings.tokens.renew();
      if (attempt !== this.#attempt) return;
      this.#refreshId = this.nextId();
      this.send({ t: 'refresh', id: this.#refreshId, token });
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.#hooks.onError(error as RankcastError);
      this.#planRefreshAgain();
    }
  }

  #refreshed(frame: RefreshedFrame): void {
    if (frame.id !== this.#refreshId) return;
    this.#refreshId = -1;
    this.#planRefresh(frame.expiresAt);
  }

  #refreshRefused(frame: ErrorFrame): void {
    this.#refreshId = -1;
    this.#hooks.onError(new RankcastError(codeName(frame.code), frame.message));
    this.#planRefreshAgain();
  }

  #planRefreshAgain(): void {
    const { reconnectBaseMs, random } = this.#settings;
    this.#setTimer('refresh', reconnectBaseMs * (1 + random()), () => void this.#refresh());
  }

  #closed(code: number, reason: string): void {
    this.#letGo(null);
    if (code === codes.bad_token.no && this.#tokenKept) {
      this.#settings.tokens.forget();
      this.#retry(code, reason);
      return;
    }
    if (code >= finalCodesFrom && code <= finalCodesTo) {
      this.#end(new RankcastError(codeName(code), reason || `The server closed with ${code}.`), code);
      return;
    }
    const { tokens } = this.#settings;
    if (code === codes.token_expired.no) {
      if (!tokens.renewable) {
        const why = 'The token ran out, and it was given as a text: give a function to go on.';
        this.#end(new RankcastError('token_expired', why), code);
        return;
      }
      tokens.forget();
    }
    this.#retry(code, reason);
  }

  /** Reconnects after full jitter: anything from nothing to a bound that doubles with each failure. */
  #retry(code?: number, reason?: string): void {
    const { reconnectBaseMs, reconnectCapMs, random } = this.#settings;
    const retryInMs = random() * Math.min(reconnectCapMs, reconnectBaseMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#attempt += 1;
    this.#setTimer('retry', retryInMs, () => void this.#open());
    this.#setStatus({
      state: 'waiting',
      retryInMs,
      ...(code === undefined ? {} : { code }),
      ...(reason ? { reason } : {}),
    });
  }

  /** The edge asked for it and the moment is random already: no further wait. */
  #move(): void {
    this.#letGo('moving');
    void this.#open();
  }

  #end(error: RankcastError, code?: number): void {
    this.#letGo(error.code, 'for good');
    this.#hooks.onError(error);
    this.#setStatus({ state: 'closed', reason: error.message, ...(code === undefined ? {} : { code }) });
  }

  /**
   * Forgets the socket and all that was planned; closes it for a reason unless it is closed already (null).
   */
  #letGo(reason: string | null, until: 'for good' | 'next' = 'next'): void {
    const told = this.state === 'connected' && until === 'next';
    this.#attempt += 1;
    for (const name of [...this.#timers.keys()]) this.#stopTimer(name);
    this.#refreshId = -1;
    this.#queue.length = 0;
    this.#sentAt.length = 0;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    if (reason !== null) socket.close(1000, reason);
    if (told) this.#hooks.onDisconnected();
  }

  /** Edges close sockets that say too much at once: within any ten seconds only so many frames go out. */
  #sendQueued(): void {
    const { clock, framesPerTenSecondsMax } = this.#settings;
    while (this.#socket !== null && this.#queue.length > 0) {
      const oldest = this.#sentAt.length < framesPerTenSecondsMax ? undefined : this.#sentAt[0];
      const wait = oldest === undefined ? 0 : oldest + 10_000 - clock.now();
      if (wait > 0) {
        this.#setTimer('send', wait, () => this.#sendQueued());
        return;
      }
      this.#write(this.#socket, this.#queue.shift() as ClientFrame);
    }
  }

  #write(socket: WebSocketLike, frame: ClientFrame): void {
    const { codec, clock, framesPerTenSecondsMax } = this.#settings;
    this.#sentAt.push(clock.now());
    if (this.#sentAt.length > framesPerTenSecondsMax) this.#sentAt.shift();
    const bytes = codec.encode(frame);
    socket.send(codec.binary ? bytes : toText.decode(bytes));
  }

  #setStatus(status: ConnectionStatus): void {
    this.state = status.state;
    this.#hooks.onStatus(status);
  }

  #setTimer(name: TimerName, ms: number, callback: () => void): void {
    this.#stopTimer(name);
    const cancel = this.#settings.clock.after(ms, () => {
      this.#timers.delete(name);
      callback();
    });
    this.#timers.set(name, cancel);
  }

  #stopTimer(name: TimerName): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}

function bytesOf(data: unknown): Uint8Array {
  if (typeof data === 'string') return toBytes.encode(data);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError(`a message of ${Object.prototype.toString.call(data)}`);
}
