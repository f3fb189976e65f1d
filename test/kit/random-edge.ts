/**
 * An edge that keeps to the protocol while everything that may happen does: it cuts sockets, skips versions,
 * changes a user's entries, forgets old messages and begins new epochs. It remembers the truth of every
 * version.
 */
import type { ClientFrame, OwnEntry, ServerFrame, SubscribeFrame } from '../../proto/frames.ts';
import type { FakeSocket } from './fake-edge.ts';

export interface Truth {
  /** [entry, score, rank] */
  own: [string, number, number][];
}
interface Session {
  feed: boolean;
  contest: boolean;
  /** Version of the ranks last told; -1: the next telling is of all, behind `entries`. */
  told: number;
  /** Frames of the client already answered. */
  read: number;
}

const keptMessages = 12;

export class RandomEdge {
  version = 1;
  head = 0;
  epoch = 1;
  logEpoch = 1;
  readonly truths = new Map<string, Truth>();
  readonly #random: () => number;
  readonly #sessions = new Map<FakeSocket, Session>();
  #names = ['a', 'b'];
  #entries = 2;

  constructor(random: () => number) {
    this.#random = random;
    this.#remember(new Map());
  }

  truthAt(epoch: string, version: number): Truth | undefined {
    return this.truths.get(`${epoch} ${version}`);
  }

  /** Answers what the client has asked on the socket since the last call. */
  answer(socket: FakeSocket): void {
    const session = this.#sessions.get(socket) ?? { feed: false, contest: false, told: -1, read: 0 };
    this.#sessions.set(socket, session);
    const asked: ClientFrame[] = socket.sent.slice(session.read);
    session.read = socket.sent.length;
    for (const frame of asked) {
      if (frame.t === 'ping') socket.say({ t: 'pong', id: frame.id, serverTime: 0 });
      if (frame.t !== 'subscribe') continue;
      if (frame.channel.startsWith('feed:')) this.#joinFeed(socket, session, frame);
      else this.#joinContest(socket, session, frame);
    }
  }

  /** One message more. */
  publish(socket: FakeSocket): void {
    this.head += 1;
    if (this.#sessions.get(socket)?.feed) socket.say(this.#message(this.head));
  }

  /** The feed's store lost its memory. */
  forget(socket: FakeSocket): void {
    this.logEpoch += 1;
    this.head = 0;
    const gap = { code: 113, message: 'anew' };
    if (this.#sessions.get(socket)?.feed) {
      socket.say({ t: 'gap', no: 1, epoch: `l${this.logEpoch}`, position: 0, ...gap });
    }
  }

  /** The contest goes on by some versions; sometimes this user's entries change. */
  advance(socket: FakeSocket): void {
    this.version += 1 + Math.floor(this.#random() * 3);
    const session = this.#sessions.get(socket);
    const changes = this.#random() < 0.15;
    const before = this.#own();
    if (changes) this.#changeNames();
    this.#remember(before);
    if (session === undefined || !session.contest) return;
    if (changes && session.told !== -1) {
      socket.say({ t: 'hold', no: 2, version: session.told });
      session.told = -1;
    }
    if (session.told !== -1) this.#tellRanks(socket, session);
    this.#tellBoard(socket);
  }

  /** What the edge has to find out comes in. */
  tellEntries(socket: FakeSocket): void {
    const session = this.#sessions.get(socket);
    if (session === undefined || !session.contest || session.told !== -1) return;
    const own = this.#truth().own;
    const entries = own.map(([entry]): OwnEntry => [entry]);
    socket.say({ t: 'entries', no: 2, version: this.version, entries });
    const rows = own.flatMap(([, score, rank], index) => [index, score, rank]);
    if (own.length > 0) socket.say({ t: 'ranks', no: 2, version: this.version, rows });
    session.told = this.version;
  }

  #joinFeed(socket: FakeSocket, session: Session, { id, channel, epoch, since }: SubscribeFrame): void {
    session.feed = true;
    const now = `l${this.logEpoch}`;
    const first = Math.max(1, this.head - keptMessages + 1);
    const recovered = since === undefined || (epoch === now && since >= first - 1);
    const position = this.head;
    socket.say({ t: 'subscribed', id, no: 1, channel, kind: 'log', epoch: now, position, recovered });
    if (since === undefined || !recovered) return;
    for (let at = since + 1; at <= this.head; at++) socket.say(this.#message(at));
  }

  #joinContest(socket: FakeSocket, session: Session, { id, channel, epoch }: SubscribeFrame): void {
    session.contest = true;
    session.told = -1;
    const now = `e${this.epoch}`;
    const recovered = epoch === undefined || epoch === now;
    const position = this.version;
    socket.say({ t: 'subscribed', id, no: 2, channel, kind: 'state', epoch: now, position, recovered });
    this.#tellBoard(socket);
  }

  #tellRanks(socket: FakeSocket, session: Session): void {
    const former = this.truthAt(`e${this.epoch}`, session.told)?.own ?? [];
    const rows = this.#truth().own.flatMap(([, score, rank], index) => {
      const [, oldScore, oldRank] = former[index] ?? [];
      return score === oldScore && rank === oldRank ? [] : [index, score, rank];
    });
    if (rows.length > 0) socket.say({ t: 'ranks', no: 2, version: this.version, rows });
    session.told = this.version;
  }

  #tellBoard(socket: FakeSocket): void {
    const fixed = { scoreStep: 1, prizes: 0, final: false, stale: false, top: [] };
    socket.say({ t: 'board', no: 2, version: this.version, at: 0, total: 100, ...fixed });
  }

  #message(position: number): ServerFrame {
    return {
      t: 'message',
      no: 1,
      position,
      at: 0,
      id: `m${position}`,
      data: `l${this.logEpoch}-${position}`,
    };
  }

  #changeNames(): void {
    this.#entries += 1;
    if (this.#random() < 0.4) this.#names = this.#names.slice(1);
    else this.#names = [...this.#names, `n${this.#entries}`];
  }

  #own(): Map<string, [number, number]> {
    return new Map(this.#truth().own.map(([entry, score, rank]) => [entry, [score, rank]]));
  }

  #truth(): Truth {
    return this.truthAt(`e${this.epoch}`, this.version) ?? { own: [] };
  }

  #remember(before: Map<string, [number, number]>): void {
    const own = this.#names.map((entry): [string, number, number] => {
      const [score, rank] = before.get(entry) ?? [0, 1];
      if (this.#random() < 0.5) return [entry, score, rank];
      return [entry, Math.floor(this.#random() * 50) - 5, 1 + Math.floor(this.#random() * 100)];
    });
    this.truths.set(`e${this.epoch} ${this.version}`, { own });
  }
}
