/**
 * A contest: its board, and this user's own entries with their exact ranks.
 *
 * Own ranks arrive before the board of the same version, so that when `board` is emitted they are exact as of
 * its version, unless `held` (this user's entries are changing, or were not told yet).
 */
import type { BoardFrame, EntriesFrame, RanksFrame } from '../proto/frames.ts';
import type { ChannelFrame, ChannelHost, ChannelStatus } from './channel.ts';
import { Emitter } from './emitter.ts';
import type { RankcastError } from './rankcast-error.ts';
import { type Behind, StateChannel } from './state-channel.ts';

export interface BoardRow {
  rank: number;
  entry: string;
  /** In units of `scoreStep` points. */
  score: number;
  user: string;
}
export interface Board {
  version: number;
  /** Event time (ms) of the newest record it depends on; 0 before the first. */
  at: number;
  /** Entries in the contest. */
  total: number;
  /** Points that one unit of score is worth. */
  scoreStep: number;
  /** How many ranks win something; 0: not stated. */
  prizes: number;
  final: boolean;
  /** true: nobody computes ranks now; this is the last state known. */
  stale: boolean;
  /** The first rows: competition ranking, 1-2-2-4. */
  top: BoardRow[];
}
export interface Entry {
  entry: string;
  /** null in `scores` contests, as are captain and viceCaptain. */
  players: string[] | null;
  captain: string | null;
  viceCaptain: string | null;
  /** In units of `scoreStep` points; null until told, as is rank. */
  score: number | null;
  rank: number | null;
  /** Percentage of the contest's entries that do not stand above it: 100 for the first. null until told. */
  percentile: number | null;
}
export interface Ranks {
  version: number;
  /** Those whose score or rank changed. */
  changed: Entry[];
}
/** Board and own entries of one moment. */
export interface View {
  board: Board;
  entries: readonly Entry[];
}
export interface ContestEvents {
  board: Board;
  /** With each board that own ranks are exact as of, and when own ranks have come to the board on show. */
  view: View;
  ranks: Ranks;
  /** The list of own entries is another one; scores and ranks of new ones follow. */
  entries: Entry[];
  /** Ranks can (true) or can no longer (false) be kept up to date by the gateway. */
  stale: boolean;
  behind: Behind;
  status: ChannelStatus;
  error: RankcastError;
}
export interface ContestRoom {
  readonly id: string;
  readonly name: string;
  readonly status: ChannelStatus;
  /** null before the first. */
  readonly board: Board | null;
  /** Of the board; -1 before the first. Comparable with what ingest answered. */
  readonly version: number;
  readonly entries: readonly Entry[];
  /** The version as of which own ranks are exact; -1: not told yet. */
  readonly ranksVersion: number;
  /** true: own ranks stay at `ranksVersion` while the board goes on. */
  readonly held: boolean;
  on<Name extends keyof ContestEvents>(
    name: Name,
    listener: (event: ContestEvents[Name]) => void,
  ): () => void;
  close(): void;
}

export class ContestChannel extends StateChannel implements ContestRoom {
  readonly id: string;
  board: Board | null = null;
  version = -1;
  entries: Entry[] = [];
  ranksVersion = -1;
  held = true;
  readonly #events = new Emitter<ContestEvents>();

  constructor(host: ChannelHost, id: string) {
    super(host, `contest:${id}`);
    this.id = id;
  }

  on<Name extends keyof ContestEvents>(
    name: Name,
    listener: (event: ContestEvents[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener);
  }

  take(frame: ChannelFrame): void {
    switch (frame.t) {
      case 'board':
        this.#takeBoard(frame);
        return;
      case 'entries':
        this.#takeEntries(frame);
        return;
      case 'ranks':
        this.#takeRanks(frame);
        return;
      case 'hold':
        this.held = true;
        this.#seen(frame.version);
        return;
      case 'behind':
        this.#events.emit('behind', this.behindOf(frame));
        return;
      case 'gap':
        this.takeGap(frame);
        return;
      case 'players':
      case 'message':
      case 'subscribed':
        return;
      default:
        frame satisfies never;
    }
  }

  #takeBoard(frame: BoardFrame): void {
    if (!this.rises(frame.version, 'a board')) return;
    const wasStale = this.board?.stale ?? false;
    const { version, at, total, scoreStep, prizes, final, stale } = frame;
    const top = frame.top.map(([rank, entry, score, user]) => ({ rank, entry, score, user }));
    this.board = { version, at, total, scoreStep, prizes, final, stale, top };
    this.version = version;
    this.position = version;
    if (!this.held) this.ranksVersion = Math.max(this.ranksVersion, version);
    for (const entry of this.entries) this.#setPercentile(entry);
    if (stale !== wasStale) this.#events.emit('stale', stale);
    this.#events.emit('board', this.board);
    this.#tellView();
  }

  #takeEntries(frame: EntriesFrame): void {
    const former = new Map(this.entries.map((entry) => [entry.entry, entry]));
    this.entries = frame.entries.map(([entry, players, captain, viceCaptain]) => ({
      entry,
      players: players ?? null,
      captain: captain ?? null,
      viceCaptain: viceCaptain ?? null,
      score: former.get(entry)?.score ?? null,
      rank: former.get(entry)?.rank ?? null,
      percentile: former.get(entry)?.percentile ?? null,
    }));
    // with entries, their ranks follow; without, there is nothing to wait for
    this.held = this.entries.length > 0;
    if (!this.held) this.#setRanksVersion(Math.max(frame.version, this.version));
    this.#events.emit('entries', this.entries);
    this.#tellView();
  }

  #takeRanks(frame: RanksFrame): void {
    if (frame.version < this.ranksVersion) {
      this.report('order', `ranks of version ${frame.version} came after version ${this.ranksVersion}`);
      return;
    }
    const { rows } = frame;
    const changed: Entry[] = [];
    for (let at = 0; at + 2 < rows.length; at += 3) {
      const entry = this.entries[rows[at] as number];
      if (entry === undefined) {
        this.report('bad_answer', `ranks name own entry ${rows[at]} of ${this.entries.length}`);
        continue;
      }
      entry.score = rows[at + 1] as number;
      entry.rank = rows[at + 2] as number;
      this.#setPercentile(entry);
      changed.push(entry);
    }
    this.held = false;
    this.#setRanksVersion(frame.version);
    this.#events.emit('ranks', { version: frame.version, changed });
    this.#tellView();
  }

  #tellView(): void {
    if (this.held || this.board === null || this.ranksVersion !== this.version) return;
    this.#events.emit('view', { board: this.board, entries: this.entries });
  }

  #setRanksVersion(version: number): void {
    this.ranksVersion = Math.max(this.ranksVersion, version);
    this.#seen(version);
  }

  /** Own ranks come before their board: after a reconnect neither may be older than both. */
  #seen(version: number): void {
    this.position = Math.max(this.position, version);
  }

  #setPercentile(entry: Entry): void {
    const total = this.board?.total ?? 0;
    entry.percentile = entry.rank === null || total === 0 ? null : percentileOf(entry.rank, total);
  }

  /** The former board stays on show until the next one comes. */
  protected began(): void {
    this.version = -1;
    this.ranksVersion = -1;
    this.entries = [];
  }

  protected rejoined(): void {
    this.held = true;
  }

  protected tellStatus(status: ChannelStatus): void {
    this.#events.emit('status', status);
  }

  protected tellError(error: RankcastError): void {
    this.#events.emit('error', error);
  }
}

/** Ranks are told before the board that may have a greater total: never below nothing. */
function percentileOf(rank: number, total: number): number {
  return Math.max(0, 100 * (1 - (rank - 1) / total));
}
