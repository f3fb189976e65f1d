import type { Logger } from 'pino';
import { ServiceError } from '../../proto/codes.ts';
import type { Bus, Unsubscribe } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import type { Lookup } from '../lookup/lookup.ts';
import type { DemandOptions } from './demand-options.ts';
import type { FollowParts } from './followed.ts';
import { type ContestListener, FollowedContest } from './followed-contest.ts';
import { FollowedMatch, type MatchListener } from './followed-match.ts';
import { createFrameTopics } from './frame-topics.ts';
import { decodeHeads, decodeWhoAnswer, encodeQuestion } from './message-codec.ts';
import { type Heads, headsTopic, newcomerTopic, rankerSubject, type WhoAnswer } from './messages.ts';
import { createPlaceFinder } from './place-finder.ts';
import { createWantQueue, type WantQueue } from './want-queue.ts';

/**
 * Which contests and matches this edge wants: leases on their frames, and mirrors of their state.
 *
 * A name is followed from `contest` or `match` until `release`; one listener each. Leases are renewed in
 * batches; an edge that stops renewing is forgotten by the rankers.
 */
export interface Demand {
  /**
   * Throws ServiceError when as many are followed as may be. The listener is called later, never from here.
   */
  contest(id: string, listener: ContestListener): FollowedContest;
  match(id: string, listener: MatchListener): FollowedMatch;
  release(followed: FollowedContest | FollowedMatch): void;
  /**
   * Users' entries in a contest that is followed. At most 256 users. Rejects when no ranker answers in time.
   */
  who(followed: FollowedContest, users: string[]): Promise<WhoAnswer>;
  counts(): { contests: number; matches: number; stale: number };
  /**
   * The longest that the ranker of something followed has been silent: neither heads nor an answer; 0 where
   * nothing is followed.
   */
  rankerSilenceMs(): number;
  close(): void;
}

export interface DemandParts {
  bus: Bus;
  lookup: Lookup;
  clock: Clock;
  options: DemandOptions;
  logger: Logger;
  edge: string;
  random: () => number;
}

export function createDemand(parts: DemandParts): Demand {
  return new LeasedDemand(parts);
}

type AnyFollowed = FollowedContest | FollowedMatch;
interface Partition {
  heard: Promise<Unsubscribe>;
  /** When heads, or an answer, came last. */
  headsAt: number;
  renewing: boolean;
  /** Ends the listening to rankers that come. */
  newcomers: Promise<Unsubscribe>;
  /** A ranker has come that does not know what is wanted. */
  newcomer: boolean;
}

class LeasedDemand implements Demand {
  readonly #parts: DemandParts;
  readonly #followParts: FollowParts;
  readonly #wants: WantQueue;
  readonly #contests = new Map<string, FollowedContest>();
  readonly #matches = new Map<string, FollowedMatch>();
  readonly #partitions = new Map<number, Partition>();
  readonly #stopResets: Unsubscribe;
  #renewedAt: number;
  #cancelTimer: () => void;

  constructor(parts: DemandParts) {
    const { bus, lookup, clock, options, logger, random } = parts;
    this.#parts = parts;
    this.#wants = createWantQueue(parts);
    this.#followParts = {
      places: createPlaceFinder(lookup, clock, options),
      topics: createFrameTopics(bus, logger),
      wants: this.#wants,
      lookup,
      clock,
      options,
      logger,
      random,
    };
    this.#stopResets = bus.onReset(() => {
      for (const followed of this.#all()) followed.ask();
    });
    this.#renewedAt = clock.now();
    this.#cancelTimer = clock.after(1_000, () => this.#tick());
  }

  contest(id: string, listener: ContestListener): FollowedContest {
    this.#checkRoom();
    const followed = new FollowedContest(id, this.#followParts, listener);
    this.#contests.set(id, followed);
    followed.start();
    return followed;
  }

  match(id: string, listener: MatchListener): FollowedMatch {
    this.#checkRoom();
    const followed = new FollowedMatch(id, this.#followParts, listener);
    this.#matches.set(id, followed);
    followed.start();
    return followed;
  }

  release(followed: AnyFollowed): void {
    followed.close();
    if (this.#contests.get(followed.id) === followed) this.#contests.delete(followed.id);
    if (this.#matches.get(followed.id) === followed) this.#matches.delete(followed.id);
  }

  async who(followed: FollowedContest, users: string[]): Promise<WhoAnswer> {
    const { bus, options } = this.#parts;
    const question = encodeQuestion({ q: 'who', contest: followed.id, users });
    const subject = rankerSubject(followed.place!.partition);
    return decodeWhoAnswer(await bus.ask(subject, question, options.askDeadlineMs));
  }

  counts(): { contests: number; matches: number; stale: number } {
    let stale = 0;
    for (const followed of this.#all()) if (followed.stale) stale++;
    return { contests: this.#contests.size, matches: this.#matches.size, stale };
  }

  rankerSilenceMs(): number {
    const now = this.#parts.clock.now();
    let longest = 0;
    for (const { place } of this.#all()) {
      const partition = place === null ? undefined : this.#partitions.get(place.partition);
      if (partition !== undefined) longest = Math.max(longest, now - partition.headsAt);
    }
    return longest;
  }

  close(): void {
    this.#stopResets();
    this.#cancelTimer();
    for (const followed of [...this.#all()]) this.release(followed);
    for (const partition of this.#partitions.values()) {
      for (const listening of [partition.heard, partition.newcomers]) {
        listening.then(
          (unsubscribe) => unsubscribe(),
          () => {},
        );
      }
    }
    this.#partitions.clear();
  }

  *#all(): Iterable<AnyFollowed> {
    yield* this.#contests.values();
    yield* this.#matches.values();
  }

  #checkRoom(): void {
    const { wantedMax } = this.#parts.options;
    if (this.#contests.size + this.#matches.size < wantedMax) return;
    throw new ServiceError(`This edge follows ${wantedMax} contests and matches, as many as it may.`, true);
  }

  /**
   * Each second: hears the heads of new partitions; renews when it is time, or when a ranker has gone
   * silent.
   */
  #tick(): void {
    const { clock, options } = this.#parts;
    this.#cancelTimer = clock.after(1_000, () => this.#tick());
    const now = clock.now();
    const due = now - this.#renewedAt >= options.renewEveryMs;
    if (due) this.#renewedAt = now;
    const byPartition = new Map<number, AnyFollowed[]>();
    for (const followed of this.#all()) {
      if (followed.place === null) continue;
      const list = byPartition.get(followed.place.partition);
      if (list === undefined) byPartition.set(followed.place.partition, [followed]);
      else list.push(followed);
    }
    for (const [no, followed] of byPartition) {
      const partition = this.#partitionOf(no);
      const silent = now - partition.headsAt > options.headsSilenceMs;
      if (due || silent || partition.newcomer) void this.#renew(no, partition, followed);
    }
  }

  #partitionOf(no: number): Partition {
    const known = this.#partitions.get(no);
    if (known !== undefined) return known;
    const { clock, logger } = this.#parts;
    const heard = this.#followParts.topics.listen(headsTopic(no), decodeHeads, (heads) =>
      this.#onHeads(heads),
    );
    const newcomers = this.#followParts.topics.listen(
      newcomerTopic(no),
      () => null,
      () => {
        const partition = this.#partitions.get(no);
        if (partition !== undefined) partition.newcomer = true;
      },
    );
    const partition = { heard, headsAt: clock.now(), renewing: false, newcomers, newcomer: false };
    this.#partitions.set(no, partition);
    Promise.all([heard, newcomers]).catch((error: unknown) => {
      logger.warn({ err: error, partition: no }, 'heads of a partition cannot be heard');
      this.#partitions.delete(no);
    });
    return partition;
  }

  async #renew(no: number, partition: Partition, followed: AnyFollowed[]): Promise<void> {
    if (partition.renewing) return;
    partition.renewing = true;
    partition.newcomer = false;
    const { clock, options, logger } = this.#parts;
    // A lease that has run out is not renewed: what it missed needs a snapshot.
    for (const one of followed) if (one.phase === 'live' && one.leaseUntil < clock.now()) one.ask();
    const live = followed.filter((one) => one.phase === 'live');
    for (let i = 0; i < live.length; i += options.renewNamesMax) {
      const batch = live.slice(i, i + options.renewNamesMax);
      const contests = batch.filter((one) => one.kind === 'contest').map((one) => one.id);
      const matches = batch.filter((one) => one.kind === 'match').map((one) => one.id);
      try {
        const until = await this.#wants.renew(no, contests, matches);
        for (const one of batch) one.renewed(until);
        partition.headsAt = clock.now();
      } catch (error) {
        logger.warn({ err: error, partition: no }, 'leases could not be renewed');
        for (const one of live) one.renewalFailed();
        break;
      }
    }
    partition.renewing = false;
  }

  #onHeads(heads: Heads): void {
    const partition = this.#partitions.get(heads.partition);
    if (partition !== undefined) partition.headsAt = this.#parts.clock.now();
    for (const [id, version] of heads.contests) this.#contests.get(id)?.headIs(version);
    if (heads.matches.length === 0) return;
    const matches = new Map(heads.matches);
    for (const [id, version] of matches) this.#matches.get(id)?.headIs(version);
    for (const contest of this.#contests.values()) {
      const match = contest.followsMatch;
      const version = match === null ? undefined : matches.get(match);
      if (version !== undefined) contest.headIs(version);
    }
  }
}
