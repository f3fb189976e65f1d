import type { ContestMirror } from '../../channels/contest/contest-mirror.ts';
import type { FollowFailure } from '../../channels/contest/followed.ts';
import type {
  ContestChange,
  ContestListener,
  FollowedContest,
} from '../../channels/contest/followed-contest.ts';
import type { WhoAnswer } from '../../channels/contest/messages.ts';
import { takeOut, withItem } from '../../channels/exact-list.ts';
import type { Codec } from '../../proto/codec.ts';
import type { LiveCore } from '../live-core.ts';
import type { StateSubscription } from '../subscription.ts';
import { StateChannel, sendToEach } from './state-channel.ts';
import { UserView } from './user-view.ts';
import { type WhoAsker, WhoLine } from './who-queue.ts';

/** Numbers of one user's `ranks` while they are made: read before the next user's. */
const rows: number[] = [];

/**
 * A contest on this edge: its board to everybody, and to each user the own ranks.
 *
 * Where the contest is small the mirror has everybody's entries. Else the ranker is asked (`who`), and its
 * answer, the same at every version from t (when the contest was last touched) to w, meets a mirror at v:
 *
 * [VIEW-9] An answer is used once the mirror has reached t, if no frame above w has named the user
 * (fantasy); in `scores` contests what frames above w named is applied to it. A mirror that does not come
 * to t by itself asks for a snapshot. Otherwise the user is asked for again. So own ranks are exact at
 * every version they are sent for.
 * [VIEW-10] Users who become known at the same moment share questions of up to `whoUsersMax`; a contest has
 * one under way at a time, the edge at most `whoQuestionsMax`. What fails is asked again after a pause that
 * doubles; but not where the contest is final and the ranker has let go of it.
 * [VIEW-11] A frame that says null for what changed holds every view of the contest, until it has been
 * asked for again.
 * [VIEW-12] Of a version only entries are sent whose score or rank differs from what was sent before; a
 * changed list of entries whole. They go out before the board of the version.
 * [VIEW-13] A board is encoded once for each encoding, and only where a socket uses it.
 * [VIEW-14] Versions that come within `publishGapMs` of a publication are published as one.
 * [VIEW-15] A small contest is silent where a frame of its match names neither players nor the contest.
 */
export class ContestChannel extends StateChannel implements ContestListener, WhoAsker {
  readonly who = new WhoLine();
  readonly #followed: FollowedContest;
  readonly #views = new Map<string, UserView>();
  /** Views whose answer is of a version that the mirror has not reached. */
  readonly #ahead = new Set<UserView>();
  /** What the board published last said of itself. */
  #publishedVersion = -1;
  #publishedStale = false;
  /** Encoded boards of `#boardVersion`. */
  #boardBinary: Uint8Array | null = null;
  #boardText: Uint8Array | null = null;

  constructor(id: string, core: LiveCore) {
    super('contest', id, core);
    this.#followed = core.demand.contest(id, this);
  }

  get views(): number {
    return this.#views.size;
  }

  state(): ContestMirror | null {
    return this.#followed.mirror;
  }

  override close(): void {
    super.close();
    this.core.demand.release(this.#followed);
  }

  onSnapshot(mirror: ContestMirror): void {
    this.#forgetBoards();
    const anew = this.epoch !== '' && this.epoch !== mirror.epoch;
    this.epoch = mirror.epoch;
    if (anew) this.publish('gap', (codec) => codec.encode(this.gapFrame(mirror.version)));
    for (const view of this.#views.values()) {
      if (anew) this.#beginAnew(view);
      this.#changed(view, mirror);
    }
    this.advance();
  }

  onFrame(mirror: ContestMirror, change: ContestChange): void {
    this.#forgetBoards();
    if (change.users === null) for (const view of this.#views.values()) this.#changed(view, mirror);
    else {
      for (const user of change.users) {
        const view = this.#views.get(user);
        if (view !== undefined) this.#changed(view, mirror);
      }
      for (const [entry, user, score] of change.scores) {
        const view = this.#views.get(user);
        if (view !== undefined) this.#scored(view, mirror.version, entry, score);
      }
    }
    if (this.#ahead.size > 0) for (const view of [...this.#ahead]) this.#settle(view, mirror, false);
    if (change.touched) this.advance();
    else this.admitWaiting();
  }

  onStale(): void {
    this.#forgetBoards();
    this.advance();
  }

  onFailed(why: FollowFailure): void {
    if (why === 'unknown') this.core.forget(this);
    this.failWaiting(why);
  }

  askWho(users: string[]): Promise<WhoAnswer> {
    return this.core.demand.who(this.#followed, users);
  }

  onWho(views: readonly UserView[], answer: WhoAnswer): void {
    const mirror = this.state()!;
    if (answer.users === null) {
      if (!mirror.final) throw new Error(`The ranker does not know contest ${this.id}.`);
      // Final, and gone from the ranker's memory: it will never know. The board stays as it is.
      for (const view of views) view.asking = false;
      return;
    }
    views.forEach((view, i) => {
      // Off the contest, or known by other means (the contest is small now).
      if (!view.asking) return;
      if (view.subs.length === 0) view.asking = false;
      else if (answer.epoch !== mirror.epoch) this.who.views.push(view);
      else {
        view.answer = {
          version: answer.version,
          touched: answer.touched,
          entries: answer.users![i] ?? [],
        };
        this.#settle(view, mirror, true);
      }
    });
    // What has become known goes out at once, at the version that is published.
    this.flush();
    for (const view of views) if (view.state === 'fresh') this.#sendWholeView(view, mirror);
  }

  protected onLive(sub: StateSubscription): void {
    const mirror = this.state()!;
    const { user } = sub.session;
    let view = this.#views.get(user);
    if (view === undefined) {
      view = new UserView(user, mirror.version);
      this.#views.set(user, view);
      const own = mirror.entriesOf(user);
      if (own !== null) {
        view.install(own);
        view.update(mirror, true, rows);
        view.state = 'exact';
      } else this.core.who.ask(this, view);
    }
    view.subs = withItem(view.subs, sub);
    sub.view = view;
    if (view.state === 'unknown' || view.state === 'held') this.core.who.ask(this, view);
  }

  protected onGone(sub: StateSubscription): void {
    const view = sub.view!;
    sub.view = null;
    takeOut(view.subs, sub);
    if (view.subs.length > 0) return;
    this.#views.delete(view.user);
    this.#ahead.delete(view);
  }

  protected sendState(sub: StateSubscription, joins: boolean): void {
    const { session } = sub;
    const view = sub.view!;
    if (joins) session.send('board', this.#board(session.codec));
    if (view.state === 'exact') this.#sendView(view, [sub]);
    else if (view.state === 'held' && view.told && sub.open) {
      session.send('hold', session.codec.encode({ t: 'hold', no: this.no, version: view.exactAt }));
    }
    if (!joins && sub.open) session.send('board', this.#board(session.codec));
  }

  protected publishState(): void {
    const mirror = this.state()!;
    for (const view of this.#views.values()) {
      if (view.state === 'exact') this.#sendChanged(view, mirror);
      else if (view.state === 'fresh') this.#sendWholeView(view, mirror);
      else if (view.told && !view.holdTold) this.#sendHold(view);
    }
    const { stale } = this.#followed;
    if (mirror.version === this.#publishedVersion && stale === this.#publishedStale) return;
    this.#publishedVersion = mirror.version;
    this.#publishedStale = stale;
    this.publish('board', (codec) => this.#board(codec));
  }

  /** The client has been told to forget everything. */
  #beginAnew(view: UserView): void {
    view.told = false;
    view.state = 'unknown';
    for (const sub of view.subs) if (sub.open) sub.epoch = this.epoch;
    this.#publishedVersion = -1;
  }

  /** Anything may have changed in the user's entries up to the mirror's version. */
  #changed(view: UserView, mirror: ContestMirror): void {
    view.floor = mirror.version;
    const own = mirror.entriesOf(view.user);
    if (own === null) {
      if (view.state !== 'unknown') view.state = 'held';
      view.changes = null;
      this.#askAgain(view);
    } else {
      view.asking = false;
      if (view.state !== 'exact' || !view.has(own)) view.install(own);
    }
  }

  /** One that is under way may answer too early: then it is asked for again when that has come. */
  #askAgain(view: UserView): void {
    view.answer = null;
    if (this.#ahead.delete(view)) view.asking = false;
    this.core.who.ask(this, view);
  }

  /** `scores` contests: a frame up to `version` says what the entry's score is. */
  #scored(view: UserView, version: number, entry: string, score: number | null): void {
    if (view.state === 'exact' || view.state === 'fresh') {
      if (view.change(entry, score)) view.state = 'fresh';
      return;
    }
    view.changes ??= [];
    view.changes.push({ version, entry, score });
    if (view.changes.length <= this.core.options.ownChangesMax) return;
    view.changes = null;
    view.floor = version;
    this.#askAgain(view);
  }

  /** Uses the view's answer if the mirror has reached it, keeps it if not, asks again if it is too old. */
  #settle(view: UserView, mirror: ContestMirror, inBatch: boolean): void {
    const { answer } = view;
    this.#ahead.delete(view);
    if (answer === null || answer.version < view.floor) {
      view.answer = null;
      if (inBatch) this.who.views.push(view);
      else {
        view.asking = false;
        this.core.who.ask(this, view);
      }
      return;
    }
    if (answer.touched > mirror.version) {
      this.#ahead.add(view);
      this.#followed.headIs(answer.touched);
      return;
    }
    const later = view.changes?.filter((change) => change.version > answer.version) ?? [];
    view.asking = false;
    view.install(answer.entries);
    for (const { entry, score } of later) view.change(entry, score);
  }

  #sendWholeView(view: UserView, mirror: ContestMirror): void {
    if (view.told && !view.holdTold) this.#sendHold(view);
    view.update(mirror, true, rows);
    view.state = 'exact';
    this.#sendView(view, view.subs);
  }

  /** Entries and ranks as they stand in the view, which is exact at the mirror's version. */
  #sendView(view: UserView, subs: readonly StateSubscription[]): void {
    const mirror = this.state()!;
    const { version } = mirror;
    view.told = true;
    view.holdTold = false;
    view.exactAt = version;
    sendToEach(subs, { t: 'entries', no: this.no, version, entries: view.entries(mirror) });
    if (view.names.length === 0) return;
    const length = view.update(mirror, true, rows);
    this.#sendRows(subs, version, length);
  }

  #sendChanged(view: UserView, mirror: ContestMirror): void {
    const length = view.update(mirror, false, rows);
    view.exactAt = mirror.version;
    if (length > 0) this.#sendRows(view.subs, mirror.version, length);
  }

  #sendRows(subs: readonly StateSubscription[], version: number, length: number): void {
    // Backwards, for a socket that is ended while it is sent to leaves the list.
    for (let i = subs.length - 1; i >= 0; i--) {
      const { open, session } = subs[i]!;
      if (!open) continue;
      session.send('ranks', this.core.ranks.write(session.codec, this.no, version, rows, length));
    }
  }

  #sendHold(view: UserView): void {
    view.holdTold = true;
    sendToEach(view.subs, { t: 'hold', no: this.no, version: view.exactAt });
  }

  #board(codec: Codec): Uint8Array {
    const kept = codec.binary ? this.#boardBinary : this.#boardText;
    if (kept !== null) return kept;
    const mirror = this.state()!;
    const made = codec.encode({
      t: 'board',
      no: this.no,
      version: mirror.version,
      at: mirror.at,
      total: mirror.total,
      scoreStep: mirror.scoreStep,
      prizes: mirror.prizes,
      final: mirror.final,
      stale: this.#followed.stale,
      top: mirror.top(this.core.options.boardRowsMax),
    });
    if (codec.binary) this.#boardBinary = made;
    else this.#boardText = made;
    return made;
  }

  #forgetBoards(): void {
    this.#boardBinary = null;
    this.#boardText = null;
  }
}
