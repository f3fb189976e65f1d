import assert from 'node:assert/strict';
import type { ContestFrame, ContestSnapshot, MatchSnapshot } from '../../channels/contest/messages.ts';
import type { ContestEvent } from '../../proto/records.ts';
import { createRanking, restoreRanking } from '../../workers/ranker/create-ranking.ts';
import { orderSlots } from '../../workers/ranker/order.ts';
import type { Ranking } from '../../workers/ranker/ranking.ts';
import { changedEntries, entriesByOwner, type Held } from './held.ts';
import { mirrorContest, mirrorMatch, mirrorSmall } from './mirror.ts';
import { Model } from './model.ts';
import { contestSnapshotOf, matchSnapshotOf, ranksOf, rowsOf, whoOf } from './model-views.ts';
import type { Random } from './random.ts';
import { World } from './world.ts';

/**
 * One world through the ranker and through the model at once. Frames are taken at random and given to states
 * that were saved at every version since the last (RK-19); the ranker is put away and restored at random
 * (RK-20).
 */
export class Trial {
  comparisons = 0;
  records = 0;
  private readonly random: Random;
  private readonly world: World;
  private readonly model: Model;
  private ranking: Ranking;
  private offset = 0;
  /** States at versions since the last frames, to be brought to the newest by the next. */
  private heldContests: Held[] = [];
  private heldMatches: MatchSnapshot[] = [];
  /** Mirrors that have followed every frame since they were made. */
  private readonly followers = new Map<string, Held>();
  private readonly forgotten = new Set<string>();
  private segments: Uint8Array[] = [];
  private head: Uint8Array;
  private sinceCheckpoint: { offset: number; record: ContestEvent | null; forget: string | null }[] = [];
  private readonly watched = new Set<string>();
  /**
   * Version of the last frame of a match or of a contest with frames of its own, or of the begin of watching
   * it.
   */
  private readonly bases = new Map<string, number>();
  /** Contests that must be asked for again with the next frame of their match. */
  private readonly stale = new Set<string>();
  /** Entries that records named since the last frames. */
  private readonly changed = new Set<string>();

  constructor(random: Random) {
    this.random = random;
    this.world = new World(random);
    this.model = new Model(this.world.limits);
    this.ranking = createRanking(this.options());
    this.head = this.ranking.checkpoint().head;
  }

  private options() {
    return { ...this.world.limits, segmentBytesMax: this.world.limits.topRows === 1 ? 300 : 1_000_000 };
  }

  step(): void {
    const { random } = this;
    this.offset += random.chance(0.05) ? random.between(1, 3) : 0;
    const { offset } = this;
    if (random.chance(0.02)) this.skip(offset);
    else this.apply(offset, this.world.next());
    this.offset += 1;
    this.records += 1;
    if (random.chance(0.03)) this.changeWatches();
    if (random.chance(0.2)) this.hold();
    if (random.chance(0.1)) this.takeFrames();
    if (random.chance(0.04)) this.compareOne();
    if (random.chance(0.005)) this.checkpoint();
    if (random.chance(0.002)) this.restore();
    if (random.chance(0.002)) this.forget();
  }

  finish(): void {
    this.takeFrames();
    for (const contest of this.model.contests.keys()) this.compareContest(contest);
    this.restore();
    for (const contest of this.model.contests.keys()) this.compareContest(contest);
    for (const match of this.model.matches.keys()) this.compareMatch(match);
  }

  private skip(offset: number): void {
    this.ranking.skip(offset);
    this.model.skip(offset);
    this.sinceCheckpoint.push({ offset, record: null, forget: null });
  }

  private apply(offset: number, record: ContestEvent): void {
    const refusals = this.ranking.apply(offset, record);
    const before = this.watchedLarge();
    const expected = this.model.apply(offset, record);
    for (const contest of this.watchedLarge()) if (!before.includes(contest)) this.grow(contest);
    if (record.type === 'entries') for (const { entry } of record.entries) this.changed.add(entry);
    if (record.type === 'score') this.changed.add(record.entry);
    this.sinceCheckpoint.push({ offset, record, forget: null });
    this.same(
      refusals.map(({ code, item }) => ({ code, item })),
      expected,
      `refusals of ${JSON.stringify(record)}`,
    );
    for (const { message } of refusals) assert.ok(message.length > 10);
    this.same(this.ranking.version, this.model.version, 'version');
  }

  /** Watched contests with frames of their own. */
  private watchedLarge(): string[] {
    return [...this.watched].filter((name) => {
      const contest = this.model.contests.get(name);
      return contest !== undefined && (contest.kind === 'scores' || contest.large);
    });
  }

  private grow(contest: string): void {
    this.bases.set(contest, this.model.version);
    this.stale.add(contest);
  }

  /** Watches and stops watching whatever there is. */
  private changeWatches(): void {
    const { random, ranking } = this;
    const isContest = random.chance(0.8);
    const name = isContest
      ? random.pick([...this.model.contests.keys(), 'c0'])
      : random.pick(this.world.matches);
    const match = isContest ? (this.model.contests.get(name)?.match ?? null) : name;
    if (isContest ? ranking.contest(name) === null : ranking.match(name) === null) return;
    if (random.chance(0.3)) this.unwatch(name, isContest);
    else if (!this.watched.has(name)) {
      if (match !== null && !this.isMatchWatched(match)) this.bases.set(match, ranking.version);
      if (match !== null && (this.model.contestNamed.get(name) ?? 0) > this.bases.get(match)!)
        this.stale.add(name);
      this.watched.add(name);
      if (!isContest) ranking.watchMatch(name);
      else {
        this.bases.set(name, ranking.version);
        ranking.watchContest(name);
        this.followers.set(name, this.heldOf(name));
      }
    }
  }

  private unwatch(name: string, isContest: boolean): void {
    if (isContest) this.ranking.unwatchContest(name);
    else this.ranking.unwatchMatch(name);
    this.watched.delete(name);
    this.followers.delete(name);
    this.stale.delete(name);
    this.heldContests = this.heldContests.filter(
      ({ state }) => state.contest !== name && (state.match === null || this.isMatchWatched(state.match)),
    );
    this.heldMatches = this.heldMatches.filter(({ match }) => this.isMatchWatched(match));
  }

  private isMatchWatched(match: string): boolean {
    for (const name of this.watched) {
      if (name === match || this.model.contests.get(name)?.match === match) return true;
    }
    return false;
  }

  /** Of watched channels, and of small contests that may yet be watched before their match's next frame. */
  private hold(): void {
    const { random } = this;
    if (this.watched.size === 0 || this.heldContests.length > 12) return;
    const name = random.pick([...this.watched]);
    const match = this.ranking.match(name);
    if (match === null) {
      this.heldContests.push(this.heldOf(name));
      return;
    }
    this.heldMatches.push(this.ranking.snapshotMatch(name)!);
    if (match.contests.length > 0) this.heldContests.push(this.heldOf(random.pick(match.contests)));
  }

  private heldOf(name: string): Held {
    const state = this.ranking.snapshotContest(name)!;
    return { state, entries: state.counts === null ? new Map() : this.entriesOf(name) };
  }

  private takeFrames(): void {
    const { ranking } = this;
    const touched = ranking.touched();
    this.checkTouched(touched);
    for (const match of touched.matches) {
      const frame = ranking.takeMatchFrame(match);
      this.checkBase(match, frame);
      const now = this.modelMatch(match);
      for (const held of this.heldMatches) {
        if (held.match !== match || held.version === frame.version) continue;
        this.same(mirrorMatch(held, frame), now, `match ${match} from ${held.version}`);
      }
      const isMeant = (state: ContestSnapshot): boolean => state.match === match && state.counts === null;
      this.advance(isMeant, frame.version, ({ state }) => mirrorSmall(state, frame));
    }
    for (const name of touched.contests) {
      const frame = ranking.takeContestFrame(name);
      this.checkBase(name, frame);
      const { matchState } = ranking.snapshotContest(name)!;
      const isMeant = (state: ContestSnapshot): boolean =>
        state.contest === name && state.counts !== null && state.version >= frame.base;
      this.advance(isMeant, frame.version, (held) => {
        this.checkChanged(held, frame);
        return mirrorContest(held.state, frame, matchState);
      });
    }
    this.heldContests = [];
    this.heldMatches = [];
    this.changed.clear();
    this.stale.clear();
  }

  /** Brings held states and followers to the present by a frame, and compares them with the model. */
  private advance(
    isMeant: (state: ContestSnapshot) => boolean,
    version: number,
    mirror: (held: Held) => ContestSnapshot | null,
  ): void {
    for (const held of [...this.heldContests, ...this.followers.values()]) {
      const name = held.state.contest;
      if (!isMeant(held.state) || held.state.version === version || !this.watched.has(name)) continue;
      const mirrored = mirror(held);
      const isFollower = this.followers.get(name) === held;
      if (mirrored !== null) {
        this.same(mirrored, this.modelContest(name), `contest ${name} from ${held.state.version}`);
        if (isFollower) this.followers.set(name, { state: mirrored, entries: this.entriesOf(name) });
        continue;
      }
      const isNeeded = this.stale.has(name) || this.changed.size > this.world.limits.changedUsersMax;
      assert.ok(isNeeded, `contest ${name} must be asked for again without need`);
      if (isFollower) this.followers.set(name, this.heldOf(name));
    }
  }

  /** [RK-3]: exactly the watched channels that a record named. */
  private checkTouched(touched: { contests: string[]; matches: string[] }): void {
    const { model } = this;
    const contests = this.watchedLarge().filter((name) => {
      const match = model.contests.get(name)!.match;
      const named = Math.max(model.contestNamed.get(name) ?? 0, model.matchNamed.get(match ?? '') ?? 0);
      return named > this.bases.get(name)!;
    });
    const matches = this.world.matches.filter(
      (name) => this.isMatchWatched(name) && (model.matchNamed.get(name) ?? 0) > this.bases.get(name)!,
    );
    this.same(touched.contests.toSorted(), contests.sort(), 'contests touched');
    this.same(touched.matches.toSorted(), matches.sort(), 'matches touched');
  }

  private checkBase(name: string, frame: { base: number; version: number }): void {
    this.same(
      [frame.base, frame.version],
      [this.bases.get(name), this.model.version],
      `range of the frame of ${name}`,
    );
    this.bases.set(name, frame.version);
  }

  /** Whoever is not named has what it had. */
  private checkChanged(held: Held, frame: ContestFrame): void {
    const { changedUsersMax, changedScoresMax } = this.world.limits;
    const max = held.state.kind === 'fantasy' ? changedUsersMax : changedScoresMax;
    const now = this.entriesOf(held.state.contest);
    const expected = changedEntries(held.state.kind, held.entries, now, frame);
    if (expected === null) assert.ok(this.changed.size > max, 'too many changes are said without need');
    else this.same([...expected].sort(), [...now].sort(), `entries in ${held.state.contest}`);
  }

  private entriesOf(name: string): Map<string, string> {
    return entriesByOwner(this.model, this.model.contests.get(name)!, this.world.users);
  }

  private compareOne(): void {
    const contests = [...this.model.contests.keys()];
    if (contests.length > 0) this.compareContest(this.random.pick(contests));
    if (this.random.chance(0.3)) this.compareMatch(this.random.pick(this.world.matches));
  }

  private compareMatch(name: string): void {
    const match = this.model.matches.get(name);
    if (match === undefined || this.forgotten.has(name)) {
      assert.equal(this.ranking.snapshotMatch(name), null);
      assert.equal(this.ranking.match(name), null);
      return;
    }
    this.same(this.ranking.snapshotMatch(name), this.modelMatch(name), `match ${name}`);
    this.same(this.ranking.match(name)!.contests, match.contests, `contests of ${name}`);
  }

  private compareContest(name: string): void {
    const { ranking, random } = this;
    const contest = this.model.contests.get(name)!;
    if (this.forgotten.has(contest.match ?? name)) {
      assert.equal(ranking.snapshotContest(name), null);
      assert.equal(ranking.orderInput(name), null);
      assert.equal(ranking.ranks(name, ['e1']).outcome, 'unknown');
      assert.equal(ranking.who(name, ['u1']).users, null);
      return;
    }
    this.same(ranking.snapshotContest(name), this.modelContest(name), `contest ${name}`);
    const rows = rowsOf(this.model, contest);
    const input = ranking.orderInput(name)!;
    const ordinals = orderSlots(input);
    this.same(
      [...ordinals],
      rows.map(({ ordinal }) => ordinal),
      `order of ${name}`,
    );
    this.same(
      ranking.names(name, ordinals),
      rows.map(({ entry, user }) => ({ entry, user })),
      `names of ${name}`,
    );
    this.same(
      rows.map(({ ordinal }) => input.scores[ordinal]),
      rows.map(({ score }) => score),
      `scores of ${name}`,
    );
    const asked = [...random.some(this.world.entries, 5), 'e99'];
    this.same(ranking.ranks(name, asked).ranks, ranksOf(rows, asked), `ranks in ${name}`);
    const users = [...random.some(this.world.users, 3), 'u99'];
    this.same(
      ranking.who(name, users).users,
      users.map((user) => whoOf(this.model, contest, user)),
      `who in ${name}`,
    );
    assert.equal(ranking.contest(name)!.total, rows.length);
  }

  private checkpoint(): void {
    const { segment, head, whole } = this.ranking.checkpoint(this.random.chance(0.1));
    if (whole) this.segments = [];
    this.segments.push(segment);
    this.head = head;
    this.sinceCheckpoint = [];
  }

  private restore(): void {
    const ranking = restoreRanking(this.segments, this.head, this.options());
    for (const { offset, record, forget } of this.sinceCheckpoint) {
      if (forget !== null) ranking.forget(forget);
      else if (record === null) ranking.skip(offset);
      else ranking.apply(offset, record);
    }
    this.ranking = ranking;
    this.watched.clear();
    this.followers.clear();
    this.heldContests = [];
    this.heldMatches = [];
  }

  private forget(): void {
    const { model, ranking } = this;
    const name = this.random.pick([...this.world.matches, ...this.world.scoresContests]);
    const of = model.matches.get(name) ?? model.contests.get(name);
    if (of === undefined || this.forgotten.has(name)) return;
    if (of.final === null) {
      assert.throws(() => ranking.forget(name), /not final|no match/);
      return;
    }
    this.takeFrames();
    for (const contest of this.watched) {
      if (contest === name || model.contests.get(contest)?.match === name)
        this.unwatch(contest, model.contests.has(contest));
    }
    ranking.forget(name);
    this.forgotten.add(name);
    this.sinceCheckpoint.push({ offset: -1, record: null, forget: name });
  }

  private modelMatch(name: string): MatchSnapshot {
    return matchSnapshotOf(this.model, this.model.matches.get(name)!, this.ranking.match(name)!.epoch);
  }

  private modelContest(name: string): ContestSnapshot {
    const contest = this.model.contests.get(name)!;
    const matchEpoch = contest.match === null ? '' : this.ranking.match(contest.match)!.epoch;
    const { epoch } = this.ranking.contest(name)!;
    return contestSnapshotOf(this.model, contest, epoch, matchEpoch, this.world.limits.topRows);
  }

  /** Text is compared first: it is many times faster than comparing objects. */
  private same(actual: unknown, expected: unknown, about: string): void {
    this.comparisons += 1;
    if (JSON.stringify(actual) === JSON.stringify(expected)) return;
    assert.deepEqual(actual, expected, `${about} at version ${this.model.version}`);
    throw new Error(`${about} at version ${this.model.version}: the same but for the order of fields`);
  }
}
