import type { FollowFailure } from '../../channels/contest/followed.ts';
import type { FollowedMatch, MatchListener } from '../../channels/contest/followed-match.ts';
import type { MatchMirror } from '../../channels/contest/match-mirror.ts';
import type { MatchFrame } from '../../channels/contest/messages.ts';
import type { Codec } from '../../proto/codec.ts';
import type { PlayersFrame } from '../../proto/frames.ts';
import type { LiveCore } from '../live-core.ts';
import type { StateSubscription } from '../subscription.ts';
import { StateChannel } from './state-channel.ts';

/**
 * A match on this edge: players' points, whole to one that joins, then what changed since the last
 * publication.
 */
export class MatchChannel extends StateChannel implements MatchListener {
  readonly #followed: FollowedMatch;
  /** Version published last; -1: the next publication is whole. */
  #published = -1;
  /** Indexes of players that changed since. */
  readonly #changed = new Set<number>();

  constructor(id: string, core: LiveCore) {
    super('match', id, core);
    this.#followed = core.demand.match(id, this);
  }

  state(): MatchMirror | null {
    return this.#followed.mirror;
  }

  override close(): void {
    super.close();
    this.core.demand.release(this.#followed);
  }

  onSnapshot(mirror: MatchMirror): void {
    const anew = this.epoch !== '' && this.epoch !== mirror.epoch;
    this.epoch = mirror.epoch;
    if (anew) this.publish('gap', (codec) => codec.encode(this.gapFrame(mirror.version)));
    this.#published = -1;
    this.#changed.clear();
    this.advance();
  }

  onFrame(mirror: MatchMirror, frame: MatchFrame, playersBefore: number): void {
    for (const [index] of frame.players) this.#changed.add(index);
    for (let i = playersBefore; i < mirror.totals.names.length; i++) this.#changed.add(i);
    this.advance();
  }

  /** Points carry no mark: they are what they were. */
  onStale(): void {}

  onFailed(why: FollowFailure): void {
    if (why === 'unknown') this.core.forget(this);
    this.failWaiting(why);
  }

  protected onLive(): void {}
  protected onGone(): void {}

  protected sendState(sub: StateSubscription): void {
    const { codec } = sub.session;
    sub.session.send('players', codec.encode(this.#frame(-1)));
  }

  protected publishState(): void {
    const frame = this.#frame(this.#published);
    this.#published = frame.version;
    this.#changed.clear();
    this.publish('players', (codec: Codec) => codec.encode(frame));
  }

  #frame(base: number): PlayersFrame {
    const mirror = this.state()!;
    const { names, steps } = mirror.totals;
    const indexes = base < 0 ? names.keys() : this.#changed;
    const players: [string, number][] = [];
    for (const i of indexes) players.push([names[i]!, steps[i]! * mirror.pointStep]);
    const { version, at, pointStep, final, label } = mirror;
    const frame: PlayersFrame = { t: 'players', no: this.no, base, version, at, pointStep, final, players };
    if (label !== null) frame.label = label;
    return frame;
  }
}
