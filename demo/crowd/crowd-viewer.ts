/**
 * A simulated viewer: one socket that subscribes, takes what comes and comes back after an end, as
 * PROTOCOL.md asks of clients. Lighter than the SDK: it reads of a frame only what it counts, so that one
 * process holds thousands.
 */
import { WebSocket } from 'ws';
import type { Clock } from '../../client/clock.ts';
import { msgpackCodec } from '../../proto/codec.msgpack.ts';
import { codes } from '../../proto/codes.ts';
import { type ClientFrame, frameTable, type ServerFrame } from '../../proto/frames.ts';
import { MsgpackReader } from '../../proto/msgpack-reader.ts';
import type { CrowdStats } from './crowd-stats.ts';

/** What all viewers share. */
export interface CrowdHost {
  /** Of the socket. */
  url: string;
  clock: Clock;
  /** For intervals, ms. */
  monotonicMs(): number;
  random(): number;
  tokenOf(user: string): Promise<string>;
  stats: CrowdStats;
  onFollower(user: string, follower: string): void;
}

interface Subscription {
  readonly channel: string;
  no: number;
  epoch: string | null;
  position: number;
  /** Event time of the last state; only later ones tell a latency. */
  at: number;
  /** When `subscribe` was sent; -1: it is answered. */
  askedAt: number;
}

/** PR-44. */
const reconnectBaseMs = 1_000;
const reconnectCapMs = 30_000;
/** A connection that lasted so long was a good one. */
const stableMs = 5_000;
const openTimeoutMs = 10_000;
const nameByCode = new Map<number, string>(Object.entries(codes).map(([name, { no }]) => [no, name]));

export class CrowdViewer {
  readonly user: string;
  readonly #host: CrowdHost;
  readonly #subscriptions: Subscription[];
  #socket: WebSocket | null = null;
  #cancel: (() => void) | null = null;
  #failures = 0;
  #begunAt = 0;
  #connectedAt = -1;
  #over = false;

  constructor(host: CrowdHost, user: string, channels: readonly string[]) {
    this.#host = host;
    this.user = user;
    this.#subscriptions = channels.map((channel) => ({
      ...{ channel, no: -1, epoch: null, position: -1, at: -1, askedAt: -1 },
    }));
  }

  get connected(): boolean {
    return this.#connectedAt >= 0;
  }

  /** Opens its socket; again by itself after an end. */
  start(): void {
    const { stats, url, monotonicMs } = this.#host;
    stats.attempts += 1;
    this.#begunAt = monotonicMs();
    const socket = new WebSocket(url, msgpackCodec.subprotocol, {
      perMessageDeflate: false,
      handshakeTimeout: openTimeoutMs,
    });
    this.#socket = socket;
    socket.on('open', () => void this.#sayWho(socket));
    socket.on('message', (data: Buffer) => {
      if (socket === this.#socket) this.#take(data);
    });
    socket.on('error', (error: Error & { code?: string }) => stats.error(errorName(error)));
    socket.on('close', (code) => {
      if (socket === this.#socket) this.#closed(code);
    });
  }

  /** Ends it for good. Answers whether there is a socket that still has to close. */
  stop(): boolean {
    this.#over = true;
    this.#cancel?.();
    this.#cancel = null;
    this.#socket?.close(1000);
    return this.#socket !== null;
  }

  /** Cuts what `stop` has not ended. */
  terminate(): void {
    this.#socket?.terminate();
  }

  async #sayWho(socket: WebSocket): Promise<void> {
    const token = await this.#host.tokenOf(this.user);
    if (socket !== this.#socket || socket.readyState !== WebSocket.OPEN) return;
    this.#send({ t: 'connect', token, agent: 'rankcast load' });
    const now = this.#host.monotonicMs();
    this.#subscriptions.forEach((one, id) => {
      one.no = -1;
      one.askedAt = now;
      const { channel, epoch, position } = one;
      const frame: ClientFrame = { t: 'subscribe', id, channel };
      this.#send(epoch === null || position < 0 ? frame : { ...frame, epoch, since: position });
    });
  }

  #send(frame: ClientFrame): void {
    this.#socket?.send(msgpackCodec.encode(frame));
  }

  #take(data: Buffer): void {
    this.#host.stats.bytes += data.length;
    const reader = new MsgpackReader(data, (message) => new Error(message));
    try {
      reader.arrayHeader('the frame');
      switch (reader.scalar('its number')) {
        case frameTable.board.no:
          this.#takeState('board', reader, false);
          return;
        case frameTable.players.no:
          this.#takeState('players', reader, true);
          return;
        case frameTable.ranks.no:
          this.#host.stats.frames.ranks += 1;
          return;
        default: {
          const frame = msgpackCodec.decodeServer(data);
          if (frame !== null) this.#takeOther(frame);
        }
      }
    } catch {
      this.#host.stats.error('bad_answer');
    }
  }

  /** The first fields of `board` and `players` are all that is read. */
  #takeState(name: 'board' | 'players', reader: MsgpackReader, hasBase: boolean): void {
    const { stats, clock, monotonicMs } = this.#host;
    stats.frames[name] += 1;
    const one = this.#find(reader.scalar('no') as number);
    if (one === undefined) return;
    if (hasBase) reader.scalar('base');
    const version = reader.scalar('version') as number;
    const at = reader.scalar('at') as number;
    if (version < one.position) stats.orderFaults += 1;
    one.position = version;
    if (one.askedAt >= 0) {
      stats.subscribe.record(monotonicMs() - one.askedAt);
      one.askedAt = -1;
    } else if (at > one.at) stats.event.record(clock.now() - at);
    if (at > one.at) one.at = at;
  }

  #takeOther(frame: ServerFrame): void {
    const { stats } = this.#host;
    switch (frame.t) {
      case 'connected':
        this.#connectedAt = this.#host.monotonicMs();
        stats.connect.record(this.#connectedAt - this.#begunAt);
        stats.open += 1;
        stats.connected += 1;
        return;
      case 'subscribed':
        this.#subscribed(frame);
        return;
      case 'gap': {
        stats.frames.gap += 1;
        const one = this.#find(frame.no);
        if (one !== undefined) this.#turn(one, frame.epoch, frame.position);
        return;
      }
      case 'message': {
        stats.frames.message += 1;
        const one = this.#find(frame.no);
        if (one === undefined) return;
        if (frame.position !== one.position + 1) stats.orderFaults += 1;
        one.position = frame.position;
        const { type, user } = (frame.data ?? {}) as { type?: string; user?: string };
        if (type === 'follower' && user !== undefined) this.#host.onFollower(this.user, user);
        return;
      }
      case 'move':
        this.#cancel = this.#host.clock.after(this.#host.random() * frame.withinMs, () => this.#move());
        return;
      case 'error':
        stats.error(nameByCode.get(frame.code) ?? String(frame.code));
        return;
      case 'unsubscribed':
        stats.error(
          frame.code === undefined ? 'unsubscribed' : (nameByCode.get(frame.code) ?? String(frame.code)),
        );
        return;
      case 'entries':
      case 'hold':
      case 'behind':
        stats.frames[frame.t] += 1;
        return;
      default:
    }
  }

  #subscribed(frame: Extract<ServerFrame, { t: 'subscribed' }>): void {
    const one = this.#subscriptions[frame.id];
    if (one === undefined) return;
    const resumed = one.epoch !== null && frame.recovered;
    one.no = frame.no;
    if (!resumed) this.#turn(one, frame.epoch, frame.kind === 'log' ? frame.position : -1);
    if (frame.kind !== 'log') return;
    this.#host.stats.subscribe.record(this.#host.monotonicMs() - one.askedAt);
    one.askedAt = -1;
  }

  /** What follows continues at `position` of `epoch`; a state channel's versions begin anew. */
  #turn(one: Subscription, epoch: string, position: number): void {
    one.epoch = epoch;
    one.position = position;
  }

  #find(no: number): Subscription | undefined {
    for (const one of this.#subscriptions) if (one.no === no) return one;
    return undefined;
  }

  #move(): void {
    const socket = this.#socket;
    this.#letGo();
    socket?.close(1000, 'moving');
    this.start();
  }

  #closed(code: number): void {
    const { stats, clock, random, monotonicMs } = this.#host;
    const lasted = this.#connectedAt < 0 ? 0 : monotonicMs() - this.#connectedAt;
    this.#letGo();
    if (this.#over) return;
    if (code !== 1006) stats.error(nameByCode.get(code) ?? `closed_${code}`);
    else if (lasted > 0) stats.error('cut');
    if (code >= 4500 && code <= 4999) {
      stats.ended += 1;
      this.#over = true;
      return;
    }
    if (lasted >= stableMs) this.#failures = 0;
    const wait = random() * Math.min(reconnectCapMs, reconnectBaseMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#cancel = clock.after(wait, () => this.start());
  }

  #letGo(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#socket = null;
    if (this.#connectedAt >= 0) this.#host.stats.open -= 1;
    this.#connectedAt = -1;
  }
}

/** `http_429`, `ECONNREFUSED`, or the like. */
function errorName(error: Error & { code?: string }): string {
  const status = /Unexpected server response: (\d+)/.exec(error.message);
  return status === null ? (error.code ?? 'socket') : `http_${status[1]}`;
}
