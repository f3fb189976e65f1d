import assert from 'node:assert/strict';
import type { ContestModel } from '../channels/contest/contest-model.ts';
import type { TopRow } from '../channels/contest/messages.ts';
import type { BoardFrame, EntriesFrame, PlayersFrame, RanksFrame, ServerFrame } from '../proto/frames.ts';
import type { MemorySocket } from './sockets/sockets.memory.ts';

/** What was true at each version, for those who see it later. */
export class Truth {
  readonly boards = new Map<string, Map<number, TopRow[]>>();
  readonly players = new Map<number, Map<string, number>>();
  readonly #model: ContestModel;

  constructor(model: ContestModel) {
    this.#model = model;
    this.note();
  }

  /** After every record. */
  note(): void {
    const { version } = this.#model;
    for (const id of this.#model.contests.keys()) {
      const versions = this.boards.get(id) ?? new Map<number, TopRow[]>();
      versions.set(version, this.#model.board(id));
      this.boards.set(id, versions);
    }
    this.players.set(
      version,
      new Map(this.#model.match().players.map(([name, steps]) => [name, steps * 0.5])),
    );
  }

  board(contest: string, version: number): TopRow[] {
    const board = this.boards.get(contest)?.get(version);
    assert.ok(board, `contest ${contest} had no version ${version}`);
    return board;
  }
}

interface Seen {
  name: string;
  id: string;
  kind: 'log' | 'state';
  epoch: string;
  /** Version of the board or players, or position of the last message; -1: none. */
  position: number;
  stale: boolean | null;
  /** Own ranks by entry; null: not told yet. */
  entries: string[] | null;
  ranks: Map<string, [score: number, rank: number]>;
  held: boolean;
  /** `entries` has come and its `ranks` have not. */
  expectWhole: number;
  players: Map<string, number>;
  /** The state has come since subscribed, or since a gap. */
  whole: boolean;
}

/**
 * A client that believes nothing: every frame is compared with the rules of the protocol and with what was
 * true.
 */
export class Witness {
  readonly user: string;
  readonly channels = new Map<number, Seen>();
  compared = 0;
  /** Last epoch and position by channel name, for resuming. */
  readonly places = new Map<string, { epoch: string; since: number }>();
  socket: MemorySocket;
  #read = 0;
  readonly #truth: Truth;
  readonly #why: string;

  constructor(user: string, socket: MemorySocket, truth: Truth, why: string) {
    this.user = user;
    this.socket = socket;
    this.#truth = truth;
    this.#why = why;
  }

  /** Goes on with another socket. */
  moveTo(socket: MemorySocket): void {
    this.socket = socket;
    this.#read = 0;
    this.channels.clear();
  }

  look(): void {
    const { frames } = this.socket;
    while (this.#read < frames.length) this.#see(frames[this.#read++]!);
  }

  by(name: string): Seen | undefined {
    return [...this.channels.values()].find((seen) => seen.name === name);
  }

  #see(frame: ServerFrame): void {
    if (frame.t === 'subscribed') {
      const place = this.places.get(frame.channel);
      const resumed = frame.kind === 'log' && place !== undefined && frame.recovered;
      const since = place !== undefined && place.epoch === frame.epoch ? place.since : -1;
      this.channels.set(frame.no, {
        name: frame.channel,
        id: frame.channel.split(':')[1]!,
        kind: frame.kind,
        epoch: frame.epoch,
        position: frame.kind === 'log' ? (resumed ? since : frame.position) : since,
        stale: null,
        entries: null,
        ranks: new Map(),
        held: false,
        expectWhole: 0,
        players: new Map(),
        whole: false,
      });
      return;
    }
    if (frame.t === 'unsubscribed') {
      for (const [no, seen] of this.channels) if (seen.name === frame.channel) this.channels.delete(no);
      return;
    }
    if (!('no' in frame)) return;
    const seen = this.channels.get(frame.no);
    assert.ok(seen, `${frame.t} of a channel that was not subscribed, ${this.#why}`);
    (this as unknown as { log: string[] }).log ??= [];
    (this as unknown as { log: string[] }).log.push(JSON.stringify(frame).slice(0, 300));
    try {
      this.#seeOn(seen, frame);
    } catch (e) {
      console.log((this as unknown as { log: string[] }).log.slice(-14).join('\n'));
      throw e;
    }
    this.places.set(seen.name, { epoch: seen.epoch, since: Math.max(0, seen.position) });
  }

  #seeOn(seen: Seen, frame: Extract<ServerFrame, { no: number }>): void {
    switch (frame.t) {
      case 'board':
        this.#board(seen, frame);
        return;
      case 'players':
        this.#players(seen, frame);
        return;
      case 'entries':
        this.#entries(seen, frame);
        return;
      case 'ranks':
        this.#ranks(seen, frame);
        return;
      case 'hold':
        seen.held = true;
        return;
      case 'message':
        assert.equal(frame.position, seen.position + 1, `${seen.name}: positions rise by one, ${this.#why}`);
        assert.deepEqual(frame.data, { n: frame.position }, this.#why);
        seen.position = frame.position;
        this.compared++;
        return;
      case 'gap':
        Object.assign(seen, { epoch: frame.epoch, position: seen.kind === 'log' ? frame.position : -1 });
        Object.assign(seen, { entries: null, held: false, expectWhole: 0, whole: false, stale: null });
        return;
      case 'behind':
        assert.ok(frame.version < frame.since, this.#why);
        return;
      case 'subscribed':
        return;
      default:
        frame satisfies never;
    }
  }

  #board(seen: Seen, frame: BoardFrame): void {
    const { version } = frame;
    const same = seen.whole && version === seen.position;
    const again = same && (frame.stale !== seen.stale || this.socket.drops > 0);
    const enough = seen.whole ? version > seen.position : version >= seen.position;
    assert.ok(enough || again, `${seen.name}: board ${version} after ${seen.position}, ${this.#why}`);
    const truth = this.#truth.board(seen.id, version);
    assert.deepEqual(frame.top, truth.slice(0, frame.top.length), this.#why);
    assert.ok(frame.top.length >= Math.min(10, truth.length), this.#why);
    assert.equal(frame.total, truth.length, this.#why);
    seen.position = version;
    seen.stale = frame.stale;
    seen.whole = true;
    this.compared += frame.top.length;
    this.#compareOwn(seen, version);
  }

  /** Own ranks are exact, unless they hold or are on the way. */
  #compareOwn(seen: Seen, version: number): void {
    if (seen.entries === null || seen.held) return;
    assert.equal(seen.expectWhole, 0, `${seen.name}: entries without ranks, ${this.#why}`);
    const own = this.#truth.board(seen.id, version).filter((row) => row[3] === this.user);
    const where = `${seen.name} of ${this.user} at ${version}, ${this.#why}`;
    assert.deepEqual([...seen.entries].sort(), own.map((row) => row[1]).sort(), where);
    for (const [rank, entry, score] of own) {
      assert.deepEqual(seen.ranks.get(entry), [score, rank], `${entry}, ${where}`);
      this.compared++;
    }
  }

  #entries(seen: Seen, frame: EntriesFrame): void {
    if (this.socket.drops === 0) assert.equal(seen.expectWhole, 0, this.#why);
    assert.ok(seen.whole || frame.version >= seen.position, this.#why);
    seen.entries = frame.entries.map((entry) => entry[0]);
    seen.ranks.clear();
    seen.held = false;
    seen.expectWhole = frame.entries.length;
    if (frame.entries.length === 0) this.#compareOwn(seen, frame.version);
  }

  #ranks(seen: Seen, frame: RanksFrame): void {
    assert.ok(seen.entries !== null, `${seen.name}: ranks before entries, ${this.#why}`);
    assert.ok(!seen.held, `${seen.name}: ranks while they hold, ${this.#why}`);
    const rows = frame.rows.length / 3;
    if (seen.expectWhole > 0) assert.equal(rows, seen.expectWhole, this.#why);
    else assert.ok(frame.version > seen.position, `${seen.name}: ranks behind their board, ${this.#why}`);
    for (let i = 0; i < rows; i++) {
      const entry = seen.entries[frame.rows[i * 3]!]!;
      const now: [number, number] = [frame.rows[i * 3 + 1]!, frame.rows[i * 3 + 2]!];
      if (seen.expectWhole === 0)
        assert.notDeepEqual(seen.ranks.get(entry), now, `nothing changed, ${this.#why}`);
      seen.ranks.set(entry, now);
    }
    seen.expectWhole = 0;
    this.#compareOwn(seen, frame.version);
  }

  #players(seen: Seen, frame: PlayersFrame): void {
    if (frame.base < 0) {
      const again = this.socket.drops > 0 || !seen.whole;
      assert.ok(again ? frame.version >= seen.position : frame.version > seen.position, this.#why);
      seen.players.clear();
    } else {
      assert.ok(seen.whole && frame.base <= seen.position, `base above what was sent, ${this.#why}`);
      assert.ok(frame.version > seen.position, this.#why);
    }
    for (const [player, points] of frame.players) seen.players.set(player, points);
    seen.position = frame.version;
    seen.whole = true;
    assert.deepEqual(seen.players, this.#truth.players.get(frame.version), this.#why);
    this.compared += seen.players.size;
  }
}
