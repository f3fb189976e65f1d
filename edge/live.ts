import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Bus } from '../channels/bus/bus.ts';
import type { Clock } from '../channels/clock.ts';
import { createDemand, type Demand } from '../channels/contest/demand.ts';
import type { DemandOptions } from '../channels/contest/demand-options.ts';
import { createHub, type Hub } from '../channels/hub/hub.ts';
import type { HubOptions } from '../channels/hub/hub-options.ts';
import type { Lookup } from '../channels/lookup/lookup.ts';
import { parseChannel } from '../channels/name.ts';
import { jsonCodec } from '../proto/codec.json.ts';
import { msgpackCodec } from '../proto/codec.msgpack.ts';
import type { Codec } from '../proto/codec.ts';
import { ClientError } from '../proto/codes.ts';
import { type Drain, startDrain } from './drain.ts';
import type { LiveOptions } from './live-options.ts';
import { LiveStats, registerLiveMetrics } from './live-stats.ts';
import { Session } from './session.ts';
import type { SessionCore } from './session-core.ts';
import { Sessions } from './sessions.ts';
import type { Socket, SocketHandler } from './sockets/sockets.ts';
import type { Subscription } from './subscription.ts';
import type { Verifier } from './verifier/verifier.ts';
import { ContestChannel } from './views/contest-channel.ts';
import { MatchChannel } from './views/match-channel.ts';
import { RanksWriter } from './views/ranks-writer.ts';
import { createWhoQueue, type WhoQueue } from './views/who-queue.ts';

/** The live path of an edge: from frames on the bus to bytes on sockets. */
export interface Live {
  /** For `SocketsOptions.onOpen`. */
  open(socket: Socket, subprotocol: Codec['subprotocol']): SocketHandler;
  /** Ends the user's sockets on this edge with `disconnected`; answers how many. */
  disconnectUser(user: string, reason: string): number;
  /** Throws ClientError `bad_channel`. */
  channelInfo(channel: string): LiveChannelInfo;
  /** Asks all sockets to move and ends those left after the window. Resolves when none is left. */
  startDrain(windowMs: number): Promise<void>;
  counts(): LiveCounts;
  readyState(): 'ready' | 'draining' | 'closed';
  close(): void;
}
export interface LiveChannelInfo {
  channel: string;
  kind: 'log' | 'state';
  /** Sockets of this edge that are on it. */
  subscribers: number;
  /** `null` where this edge does not follow it. */
  epoch: string | null;
  /** Position or version of the newest state here. */
  position: number | null;
}
export interface LiveCounts {
  sockets: number;
  /** Those with an accepted token. */
  ready: number;
  choked: number;
  subscriptions: { contest: number; match: number; log: number };
  channels: { contests: number; matches: number; log: number; stale: number };
}

export interface LiveParts {
  bus: Bus;
  lookup: Lookup;
  verifier: Verifier;
  /** To all sockets that have joined the topic. */
  publish: (topic: string, bytes: Uint8Array, binary: boolean) => void;
  clock: Clock;
  options: LiveOptions;
  hubOptions: HubOptions;
  demandOptions: DemandOptions;
  logger: Logger;
  registry: Registry;
  /** Unique among the edges that share a bus: it names leases and sessions. */
  edge: string;
  /** 0 to 1; spreads retries. */
  random: () => number;
}

export function createLive(parts: LiveParts): Live {
  return new LiveEdge(parts);
}

type StateKind = ContestChannel | MatchChannel;

class LiveEdge implements Live, SessionCore {
  readonly clock: Clock;
  readonly options: LiveOptions;
  readonly logger: Logger;
  readonly verifier: Verifier;
  readonly edge: string;
  readonly stats = new LiveStats();
  readonly ranks = new RanksWriter();
  readonly codecs = { binary: msgpackCodec, text: jsonCodec };
  readonly publish: LiveParts['publish'];
  readonly demand: Demand;
  readonly hub: Hub;
  readonly who: WhoQueue;
  readonly #sessions: Sessions;
  readonly #channels = new Map<string, StateKind>();
  /** Channels nobody is on, oldest first. */
  readonly #idle: { channel: StateKind; since: number }[] = [];
  #cancelIdle: (() => void) | null = null;
  #drain: Drain | null = null;
  #closed = false;
  #no = 0;
  readonly #subscriptions = { contest: 0, match: 0, log: 0 };

  constructor(parts: LiveParts) {
    const { clock, options, logger, registry } = parts;
    this.clock = clock;
    this.options = options;
    this.logger = logger;
    this.verifier = parts.verifier;
    this.edge = parts.edge;
    this.publish = parts.publish;
    this.demand = createDemand({ ...parts, options: parts.demandOptions });
    this.hub = createHub({
      ...parts,
      options: parts.hubOptions,
      nextNo: () => this.nextNo(),
      events: {
        onHole: () => {
          this.stats.holes++;
        },
        onGap: () => {
          this.stats.gaps++;
        },
      },
    });
    this.who = createWhoQueue({ clock, options, logger, stats: this.stats });
    this.#sessions = new Sessions(clock, options);
    registerLiveMetrics(registry, this.stats, {
      sockets: () => this.#socketCounts(),
      subscriptions: () => this.#subscriptions,
      channels: () => this.counts().channels,
      versions: () => this.#versions(),
      rankerSilenceMs: () => this.demand.rankerSilenceMs(),
    });
  }

  open(socket: Socket, subprotocol: Codec['subprotocol']): SocketHandler {
    const { binary, text } = this.codecs;
    const session = new Session(this, socket, subprotocol === binary.subprotocol ? binary : text);
    this.#sessions.add(session);
    return session;
  }

  disconnectUser(user: string, reason: string): number {
    const found = this.#sessions.ofUser(user);
    for (const session of found) session.end('disconnected', reason);
    return found.length;
  }

  channelInfo(channel: string): LiveChannelInfo {
    const name = parseChannel(channel);
    if (typeof name === 'string') throw new ClientError('bad_channel', name);
    if (name.class === 'log') {
      const log = this.hub.channel(channel);
      const known = log !== null && log.phase !== 'opening';
      return {
        channel,
        kind: 'log',
        subscribers: log?.subscribers.length ?? 0,
        epoch: known ? log.epoch : null,
        position: known ? log.head : null,
      };
    }
    const found = this.#channels.get(channel);
    const state = found?.state() ?? null;
    return {
      channel,
      kind: 'state',
      subscribers: found?.live ?? 0,
      epoch: state?.epoch ?? null,
      position: state?.version ?? null,
    };
  }

  startDrain(windowMs: number): Promise<void> {
    this.#drain ??= startDrain({
      sessions: this.#sessions,
      clock: this.clock,
      options: this.options,
      windowMs,
    });
    return this.#drain.done;
  }

  counts(): LiveCounts {
    const { open, ready, choked } = this.#socketCounts();
    const { contests, matches, stale } = this.demand.counts();
    return {
      sockets: open,
      ready,
      choked,
      subscriptions: { ...this.#subscriptions },
      channels: { contests, matches, log: this.hub.counts().channels, stale },
    };
  }

  readyState(): 'ready' | 'draining' | 'closed' {
    if (this.#closed) return 'closed';
    return this.#drain === null ? 'ready' : 'draining';
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#drain?.stop();
    for (const session of [...this.#sessions.list]) session.end('moved', 'This edge is going.');
    this.#sessions.close();
    this.#cancelIdle?.();
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    this.demand.close();
    this.hub.close();
  }

  nextNo(): number {
    return ++this.#no;
  }

  stateChannel(kind: 'contest' | 'match', id: string): StateKind {
    const name = `${kind}:${id}`;
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = kind === 'contest' ? new ContestChannel(id, this) : new MatchChannel(id, this);
      this.#channels.set(name, channel);
    }
    return channel;
  }

  rest(channel: StateKind): void {
    if (this.#closed || this.#channels.get(channel.name) !== channel) return;
    channel.idleSince = this.clock.now();
    this.#idle.push({ channel, since: channel.idleSince });
    this.#cancelIdle ??= this.clock.after(this.options.channelGraceMs, () => this.#dropIdle());
  }

  forget(channel: StateKind): void {
    if (this.#channels.get(channel.name) !== channel) return;
    this.#channels.delete(channel.name);
    channel.close();
  }

  userIsFull(user: string): boolean {
    return this.#sessions.hasOfUser(user, this.options.socketsPerUserMax);
  }
  onReady(session: Session): void {
    this.#sessions.onReady(session);
    if (this.#drain === null) return;
    const drain = this.#drain;
    // After `connected`, which goes out in this very turn.
    this.clock.after(0, () => {
      if (!session.closed) drain.greet(session);
    });
  }
  onClosed(session: Session, wasReady: boolean): void {
    this.#sessions.onClosed(session, wasReady);
    this.#drain?.onClosed();
  }
  onEnded(session: Session): void {
    this.#sessions.onEnded(session);
  }
  onGone(session: Session): void {
    this.#sessions.onGone(session);
  }
  onSubscribed(subscription: Subscription): void {
    this.#subscriptions[subscription.kind]++;
  }
  onUnsubscribed(subscription: Subscription): void {
    this.#subscriptions[subscription.kind]--;
  }

  #dropIdle(): void {
    this.#cancelIdle = null;
    const until = this.clock.now() - this.options.channelGraceMs;
    let done = 0;
    while (done < this.#idle.length && this.#idle[done]!.since <= until) {
      const { channel, since } = this.#idle[done]!;
      if (channel.idleSince === since) {
        if (!channel.used) this.forget(channel);
        // Others came in the turn in which it was laid to rest: the next time counts again.
        else channel.idleSince = 0;
      }
      done++;
    }
    this.#idle.splice(0, done);
    const next = this.#idle[0];
    if (next === undefined) return;
    const waitMs = Math.max(1, next.since + this.options.channelGraceMs - this.clock.now());
    this.#cancelIdle = this.clock.after(waitMs, () => this.#dropIdle());
  }

  #socketCounts(): { open: number; ready: number; choked: number } {
    let choked = 0;
    for (const session of this.#sessions.list) if (session.choked) choked++;
    return { open: this.#sessions.size, ready: this.#sessions.ready, choked };
  }

  #versions(): { least: number; greatest: number } {
    let least = Number.POSITIVE_INFINITY;
    let greatest = 0;
    for (const channel of this.#channels.values()) {
      const version = channel.state()?.version;
      if (version === undefined) continue;
      least = Math.min(least, version);
      greatest = Math.max(greatest, version);
    }
    return { least: Math.min(least, greatest), greatest };
  }
}
