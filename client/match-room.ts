/** A match: its players' points, put together from a whole state and changes. */
import type { PlayersFrame } from '../proto/frames.ts';
import type { ChannelFrame, ChannelHost, ChannelStatus } from './channel.ts';
import { Emitter } from './emitter.ts';
import type { RankcastError } from './rankcast-error.ts';
import { type Behind, StateChannel } from './state-channel.ts';

export interface PlayersChange {
  version: number;
  /** Event time (ms) of the newest record. */
  at: number;
  /** Of the newest points, e.g. innings, over and ball; null: none. */
  label: string | null;
  final: boolean;
  /** [player, points] told now: changed ones, or all when it is a whole state. */
  players: [string, number][];
}
export interface MatchEvents {
  players: PlayersChange;
  behind: Behind;
  status: ChannelStatus;
  error: RankcastError;
}
export interface MatchRoom {
  readonly id: string;
  readonly name: string;
  readonly status: ChannelStatus;
  /** -1 before the first state. */
  readonly version: number;
  /** Points by player id. */
  readonly players: ReadonlyMap<string, number>;
  readonly pointStep: number;
  readonly label: string | null;
  readonly final: boolean;
  on<Name extends keyof MatchEvents>(name: Name, listener: (event: MatchEvents[Name]) => void): () => void;
  close(): void;
}

export class MatchChannel extends StateChannel implements MatchRoom {
  readonly id: string;
  players = new Map<string, number>();
  pointStep = 1;
  label: string | null = null;
  final = false;
  readonly #events = new Emitter<MatchEvents>();

  constructor(host: ChannelHost, id: string) {
    super(host, `match:${id}`);
    this.id = id;
  }

  get version(): number {
    return this.position;
  }

  on<Name extends keyof MatchEvents>(name: Name, listener: (event: MatchEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  take(frame: ChannelFrame): void {
    if (frame.t === 'players') this.#takePlayers(frame);
    else if (frame.t === 'gap') this.takeGap(frame);
    else if (frame.t === 'behind') this.#events.emit('behind', this.behindOf(frame));
  }

  #takePlayers(frame: PlayersFrame): void {
    const { base, version, at, players } = frame;
    if (!this.rises(version, 'points')) return;
    const whole = base === -1;
    if (!whole && version === this.position) {
      this.report('order', `changes of version ${version} came twice`);
      return;
    }
    if (!whole && base > this.position) {
      this.report('order', `changes from version ${base} came at version ${this.position}`);
      this.rejoin();
      return;
    }
    if (whole) this.players = new Map();
    for (const [player, points] of players) this.players.set(player, points);
    this.position = version;
    this.pointStep = frame.pointStep;
    this.final = frame.final;
    this.label = frame.label ?? this.label;
    this.#events.emit('players', { version, at, label: this.label, final: this.final, players });
  }

  protected began(): void {
    this.label = null;
  }

  protected rejoined(): void {}

  protected tellStatus(status: ChannelStatus): void {
    this.#events.emit('status', status);
  }

  protected tellError(error: RankcastError): void {
    this.#events.emit('error', error);
  }
}
