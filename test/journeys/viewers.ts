import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type Client, connect } from '../../client/client.ts';
import type { ContestRoom } from '../../client/contest-room.ts';
import type { MatchRoom } from '../../client/match-room.ts';
import type { RankcastError } from '../../client/rankcast-error.ts';
import type { ModelRow } from '../model/brute-force.ts';
import type { GatewayApi } from './gateway-api.ts';

/** A viewer that has not seen a version for so long will not see it. */
const reachTimeoutMs = 20_000;

/** A user with an app: the SDK over a real socket, one room per contest. */
export class Viewer {
  readonly user: string;
  readonly client: Client;
  readonly rooms = new Map<string, ContestRoom>();
  readonly match: MatchRoom | null;
  /** Errors that no reconnect explains: order, bad frames. */
  readonly faults: RankcastError[] = [];
  readonly #sockets: WebSocket[] = [];

  constructor(
    gateway: GatewayApi,
    user: string,
    contests: readonly string[],
    options: { encoding: 'msgpack' | 'json'; match?: string },
  ) {
    const sockets = this.#sockets;
    class Recorded extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    this.user = user;
    this.client = connect({
      url: gateway.socketUrl,
      token: async () => gateway.token(user),
      WebSocket: Recorded as never,
      encoding: options.encoding,
      reconnectBaseMs: 20,
      reconnectCapMs: 300,
      // joins again at once what a phone would join within seconds
      framesPerTenSecondsMax: 10_000,
    });
    this.client.on('error', (error) => {
      if (['order', 'bad_answer', 'bad_frame'].includes(error.code)) this.faults.push(error);
    });
    for (const contest of contests) this.rooms.set(contest, this.client.contest(contest));
    this.match = options.match === undefined ? null : this.client.match(options.match);
  }

  /** Cuts the connection as a network would; the SDK finds its way back. */
  cut(): void {
    this.#sockets.at(-1)?.terminate();
  }
  close(): void {
    this.client.close();
  }
  hasReached(version: number): boolean {
    for (const room of this.rooms.values()) if (room.version < version || room.held) return false;
    return this.match === null || this.match.version >= version;
  }
  where(): string {
    const rooms = [...this.rooms].map(
      ([id, room]) => `${id}: ${room.version}${room.held ? ' held' : ''} ${room.status}`,
    );
    const status = JSON.stringify(this.client.status);
    return `${this.user} ${status} match: ${this.match?.version}, ${rooms.join(', ')}`;
  }
}

/** Waits until every room of every viewer is at the version, own ranks included. */
export async function allReach(
  viewers: readonly Viewer[],
  version: number,
  timeoutMs = reachTimeoutMs,
): Promise<void> {
  const until = Date.now() + timeoutMs;
  for (const viewer of viewers) {
    while (!viewer.hasReached(version)) {
      assert.ok(Date.now() < until, `version ${version} was not reached by ${viewer.where()}`);
      await delay(1);
    }
  }
}

/** A leaderboard as the model has it, and each user's rows in it. */
export interface ModelBoard {
  rows: readonly ModelRow[];
  byUser: ReadonlyMap<string, readonly ModelRow[]>;
}
export function modelBoard(rows: readonly ModelRow[]): ModelBoard {
  const byUser = new Map<string, ModelRow[]>();
  for (const row of rows) {
    const own = byUser.get(row.user);
    if (own === undefined) byUser.set(row.user, [row]);
    else own.push(row);
  }
  return { rows, byUser };
}

/** Counts comparisons; keeps the first differences. */
export class Comparison {
  compared = 0;
  readonly differences: string[] = [];
  #different = 0;

  equal(got: unknown, expected: unknown, what: () => string): void {
    this.compared += 1;
    if (got === expected) return;
    this.#different += 1;
    if (this.differences.length < 20) this.differences.push(`${what()}: got ${got}, expected ${expected}`);
  }
  /**
   * Own entries (entry, score, rank of each) and top rows of a room, which stands at the version of `rows`.
   */
  room(room: ContestRoom, user: string, board: ModelBoard, when: string): void {
    const { rows } = board;
    const own = board.byUser.get(user) ?? [];
    this.equal(room.entries.length, own.length, () => `${when} ${room.id} own entries of ${user}`);
    for (const row of own) {
      const entry = room.entries.find((one) => one.entry === row.entry);
      this.equal(entry?.score, row.score, () => `${when} ${room.id} score of ${row.entry}`);
      this.equal(entry?.rank, row.rank, () => `${when} ${room.id} rank of ${row.entry}`);
    }
    this.equal(room.board?.total, rows.length, () => `${when} ${room.id} total`);
    this.top(room.board?.top ?? [], rows, `${when} ${room.id}`);
  }
  top(
    top: readonly { rank: number; entry: string; score: number; user: string }[],
    rows: readonly ModelRow[],
    where: string,
  ): void {
    this.equal(top.length, Math.min(20, rows.length), () => `${where} top rows`);
    top.forEach((row, place) => {
      const expected = rows[place];
      this.equal(row.entry, expected?.entry, () => `${where} entry at ${place}`);
      this.equal(row.rank, expected?.rank, () => `${where} rank at ${place}`);
      this.equal(row.score, expected?.score, () => `${where} score at ${place}`);
      this.equal(row.user, expected?.user, () => `${where} user at ${place}`);
    });
  }
  /** One comparison per value of a page's row, in the leaderboard's order. */
  page(
    page: readonly [number, string, number][],
    from: number,
    rows: readonly ModelRow[],
    where: string,
  ): void {
    this.equal(
      page.length,
      Math.max(0, Math.min(500, rows.length - from)),
      () => `${where} rows of page ${from / 500}`,
    );
    page.forEach(([rank, entry, score], place) => {
      const expected = rows[from + place];
      this.equal(entry, expected?.entry, () => `${where} entry at ${from + place}`);
      this.equal(rank, expected?.rank, () => `${where} rank at ${from + place}`);
      this.equal(score, expected?.score, () => `${where} score at ${from + place}`);
    });
  }
  none(): void {
    assert.equal(
      this.#different,
      0,
      `${this.#different} differences, first ones:\n${this.differences.join('\n')}`,
    );
  }
}
