/**
 * `connect`: one client for one user. It holds one socket, keeps it through everything that can be
 * survived, and gives rooms and feeds that are put together from frames, so that apps see states and
 * messages only.
 *
 * What it promises, by number:
 * [SDK-1] It reconnects by itself after every end of a socket but a close code of 4500 to 4999 and its own
 * `close` (one more exception: SDK-5).
 * [SDK-2] It waits from nothing up to a bound that doubles with each failure up to a cap, at random (full
 * jitter: Brooker 2015); a connection that lasted `stableMs` makes the next failure the first again.
 * [SDK-3] Every open room and feed is asked for again on the next connection, with the epoch and position
 * it has.
 * [SDK-4] After `move` it makes a new connection at a random moment within the window, with no further
 * wait.
 * [SDK-5] A token function is asked for a new token before the old one ends, which goes over the live
 * socket; it is asked again after `token_expired`. A token given as a text ends the client then, with an
 * error that says so. After `bad_token` it is asked once more where the token was not given for this very
 * connection.
 * [SDK-6] After half of `idleMs` of silence it pings, after all of it the socket is taken for dead and made
 * anew.
 * [SDK-7] A log channel's messages are emitted in order and once: the position rises by one. Anything else
 * is an `order` error, never hidden; a repeat is not emitted, and a hole is asked for again before what
 * follows.
 * [SDK-8] When a log channel could not go on from where it was, a `gap` event says so before the next
 * message.
 * [SDK-9] When `board` is emitted, own ranks are exact as of its version, unless `held`.
 * [SDK-10] A state channel's version never falls within an epoch: an older frame is an `order` error and
 * not taken.
 * [SDK-11] A match is put together from a whole state and changes; changes from beyond what it has are an
 * `order` error, and the room joins anew.
 * [SDK-12] A refusal that passes by itself is followed by another try after jitter; any other ends the
 * room. Both are `error` events.
 * [SDK-20] A contest or match that is not known and was never joined is asked for again, without an error,
 * for `unknownWaitMs`; then the room ends.
 * [SDK-13] After `close` nothing is emitted but the last `status`, and no timer or socket is left.
 * [SDK-14] A socket that has not answered within `openTimeoutMs` is given up and made anew.
 * [SDK-15] Reads carry the token; a refusal has the code of the table; after 401 a token function is asked
 * once more.
 * [SDK-16] Frames it does not know, and frames of rooms it has left, are ignored; bytes that are no frame
 * are an error, and the connection is made anew.
 * [SDK-17] Where the platform has no WebSocket and none is given, `connect` throws a sentence that says
 * what to do.
 * [SDK-18] Within any ten seconds it sends at most `framesPerTenSecondsMax` frames on a socket; the others
 * wait in order.
 * [SDK-19] `view` is emitted where board and own ranks are of one moment: with each board that is not
 * `held`, and, in a contest that is quiet after a join, when own ranks have come to the board on show.
 */
import { jsonCodec } from '../proto/codec.json.ts';
import { msgpackCodec } from '../proto/codec.msgpack.ts';
import type { ConnectedFrame, ErrorFrame, ServerFrame } from '../proto/frames.ts';
import { limits } from '../proto/limits.ts';
import type { Channel, ChannelHost } from './channel.ts';
import { type Clock, systemClock } from './clock.ts';
import { Connection, type ConnectionStatus } from './connection.ts';
import { ContestChannel, type ContestRoom } from './contest-room.ts';
import { Emitter } from './emitter.ts';
import { Http, type LeaderboardPage, type RanksAnswer, type ReadOptions } from './http.ts';
import { MatchChannel, type MatchRoom } from './match-room.ts';
import { LogChannel, type MessageLog } from './message-log.ts';
import { type ConnectOptions, connectDefaults, endpoints, type WebSocketConstructor } from './options.ts';
import { codeName, RankcastError } from './rankcast-error.ts';
import { Subscriptions } from './subscriptions.ts';
import { Tokens } from './tokens.ts';

export interface ClientEvents {
  status: ConnectionStatus;
  /** Errors of the connection, and those of all rooms and feeds. */
  error: RankcastError;
}
/** What a new follower's message holds; there may be other types. */
export interface FeedData {
  type: string;
  user?: string;
}
export interface Client {
  readonly status: ConnectionStatus;
  /** Whose token it is; null before the first connection. */
  readonly user: string | null;
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void;
  /** The same room for the same id until it has ended. */
  contest(id: string): ContestRoom;
  match(id: string): MatchRoom;
  /** My own new followers. */
  feed(): MessageLog<FeedData>;
  /** What a back end publishes to me. */
  notices<Data = unknown>(): MessageLog<Data>;
  /** Page 0 is the first 500 rows. */
  page(contest: string, page?: number, options?: ReadOptions): Promise<LeaderboardPage>;
  ranks(contest: string, entries: readonly string[], options?: ReadOptions): Promise<RanksAnswer>;
  close(): void;
}

/** Throws a sentence where an option is wrong; connects in the background. */
export function connect(options: ConnectOptions): Client {
  const client = new SocketClient(options);
  client.start();
  return client;
}

class SocketClient implements Client {
  status: ConnectionStatus = { state: 'connecting' };
  user: string | null = null;
  readonly #events = new Emitter<ClientEvents>();
  readonly #connection: Connection;
  readonly #subscriptions: Subscriptions;
  readonly #http: Http;

  constructor(options: ConnectOptions) {
    const settings = { ...connectDefaults, ...defined(options) };
    const clock: Clock = options.clock ?? systemClock;
    const random = options.random ?? Math.random;
    const urls = endpoints(options.url);
    checkOptions(options);
    const tokens = new Tokens(options.token, clock);
    this.#connection = new Connection(
      {
        ...settings,
        url: urls.socket,
        codec: options.encoding === 'json' ? jsonCodec : msgpackCodec,
        tokens,
        WebSocket: options.WebSocket ?? platformWebSocket(),
        agent: options.agent,
        clock,
        random,
      },
      {
        onStatus: (status) => this.#setStatus(status),
        onConnected: (frame) => this.#connected(frame),
        onDisconnected: () => this.#subscriptions.lost(),
        onFrame: (frame) => this.#take(frame),
        onError: (error) => this.#events.emit('error', error),
      },
    );
    const { reconnectBaseMs, reconnectCapMs, unknownWaitMs } = settings;
    this.#subscriptions = new Subscriptions({
      connection: this.#connection,
      clock,
      jitter: (failures) => random() * Math.min(reconnectCapMs, reconnectBaseMs * 2 ** failures),
      unknownWaitMs,
      onError: (error) => this.#events.emit('error', error),
    });
    this.#http = new Http({
      url: urls.http,
      tokens,
      fetch: options.fetch ?? globalThis.fetch,
      clock,
      requestTimeoutMs: settings.requestTimeoutMs,
    });
  }

  start(): void {
    this.#connection.start();
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  contest(id: string): ContestRoom {
    return this.#channel(`contest:${id}`, (host) => new ContestChannel(host, id));
  }

  match(id: string): MatchRoom {
    return this.#channel(`match:${id}`, (host) => new MatchChannel(host, id));
  }

  feed(): MessageLog<FeedData> {
    return this.#channel('feed', (host) => new LogChannel<FeedData>(host, () => this.#own('feed')));
  }

  notices<Data = unknown>(): MessageLog<Data> {
    return this.#channel('user', (host) => new LogChannel<Data>(host, () => this.#own('user')));
  }

  page(contest: string, page = 0, options: ReadOptions = {}): Promise<LeaderboardPage> {
    return this.#http.page(contest, page, options);
  }

  ranks(contest: string, entries: readonly string[], options: ReadOptions = {}): Promise<RanksAnswer> {
    return this.#http.ranks(contest, entries, options);
  }

  close(): void {
    if (this.status.state === 'closed') return;
    this.#connection.close();
    this.#http.close();
  }

  #own(kind: 'feed' | 'user'): string | null {
    return this.user === null ? null : `${kind}:${this.user}`;
  }

  #channel<T extends Channel>(key: string, create: (host: ChannelHost) => T): T {
    if (this.status.state === 'closed') throw new Error('The client is closed.');
    return this.#subscriptions.open(key, create);
  }

  #connected(frame: ConnectedFrame): void {
    this.user = frame.user;
    this.#subscriptions.resume();
  }

  #take(frame: ServerFrame): void {
    if (frame.t === 'error' && !this.#subscriptions.owns(frame)) this.#tellError(frame);
    else this.#subscriptions.take(frame);
  }

  #tellError(frame: ErrorFrame): void {
    this.#events.emit('error', new RankcastError(codeName(frame.code), frame.message, frame.channel ?? null));
  }

  #setStatus(status: ConnectionStatus): void {
    this.status = status;
    if (status.state === 'closed') this.#subscriptions.end();
    this.#events.emit('status', status);
    if (status.state === 'closed') this.#events.clear();
  }
}

function platformWebSocket(): WebSocketConstructor {
  const found: WebSocketConstructor | undefined = globalThis.WebSocket;
  if (found !== undefined) return found;
  throw new RankcastError(
    'unsupported',
    'This platform has no WebSocket (Node has one from version 22): pass one as the option `WebSocket`, ' +
      'for example that of the package ws.',
  );
}

function checkOptions({ token, agent, encoding }: ConnectOptions): void {
  if (typeof token !== 'function' && (typeof token !== 'string' || token === '')) {
    throw new TypeError('token: it is neither a text nor a function that gives one');
  }
  if (agent !== undefined && new TextEncoder().encode(agent).length > limits.agentBytesMax) {
    throw new TypeError(`agent: it is longer than ${limits.agentBytesMax} bytes`);
  }
  if (encoding !== undefined && encoding !== 'msgpack' && encoding !== 'json') {
    throw new TypeError(`encoding: ${JSON.stringify(encoding)} is neither msgpack nor json`);
  }
}

/** Options given as undefined do not hide defaults. */
function defined(options: ConnectOptions): Partial<typeof connectDefaults> {
  const given: Record<string, number> = {};
  for (const name of Object.keys(connectDefaults) as (keyof typeof connectDefaults)[]) {
    const value = options[name];
    if (value === undefined) continue;
    const least = name === 'framesPerTenSecondsMax' ? 1 : 0;
    if (!(value >= least)) throw new TypeError(`${name}: ${value} is not a number from ${least} up`);
    given[name] = value;
  }
  return given as Partial<typeof connectDefaults>;
}
