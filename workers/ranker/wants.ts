import type { Clock } from '../../channels/clock.ts';
import {
  contestTopic,
  matchTopic,
  type WantAnswer,
  type WantQuestion,
} from '../../channels/contest/messages.ts';
import type { HeadsBook } from './heads-book.ts';
import { createLeases } from './leases.ts';
import type { Ranking } from './ranking.ts';

/**
 * What edges want: leases, and from them what the ranking watches. A wanted fantasy contest makes its
 * match's channel wanted too, for small contests have no frames of their own.
 */
export interface Wants {
  /** null: beyond what one edge may want (renewals in the question are granted all the same). */
  answer(question: WantQuestion): WantAnswer | null;
  /** Ends what has run out. */
  expire(): void;
  /** A contest or match leaves memory. */
  drop(kind: 'contest' | 'match', id: string): void;
  contests(): Iterable<string>;
  /** Wanted contests of a match. */
  contestsOf(match: string): Iterable<string>;
  /** Whether anybody listens to the match's channel: for the match itself, or for a small contest of it. */
  hearsMatch(match: string): boolean;
  readonly size: number;
}

export interface WantsParts {
  ranking: Ranking;
  clock: Clock;
  heads: HeadsBook;
  wantedPerEdgeMax: number;
  leaseMsMax: number;
  /** Nobody wanted the contest until now. */
  onWanted(contest: string): void;
  /** Nobody wants the channel's frames any more. */
  onFreed(channel: string): void;
}

const none: ReadonlySet<string> = new Set();

export function createWants(parts: WantsParts): Wants {
  const { ranking, clock, heads, wantedPerEdgeMax, leaseMsMax, onWanted, onFreed } = parts;
  const leases = createLeases(wantedPerEdgeMax);
  const contestMatch = new Map<string, string | null>();
  const byMatch = new Map<string, Set<string>>();
  const heard = new Set<string>();
  /**
   * Edges may hold leases that a former life granted, and take this one's frames by them. Until those have
   * run out frames name what nobody asked this life for; null: this life has not answered yet.
   */
  let formerLeasesEnd: number | null = null;

  function watchContest(contest: string): void {
    const info = ranking.contest(contest)!;
    ranking.watchContest(contest);
    onWanted(contest);
    contestMatch.set(contest, info.match);
    const now = clock.now();
    if (info.large || info.kind === 'scores') heads.began('contest', contest, ranking.version, now);
    if (info.match === null) return;
    const siblings = byMatch.get(info.match);
    if (siblings !== undefined) siblings.add(contest);
    else byMatch.set(info.match, new Set([contest]));
    if (!info.large) beginMatch(info.match, now);
  }

  function beginMatch(match: string, now: number): void {
    heard.add(match);
    heads.began('match', match, ranking.version, now);
  }

  function endContest(contest: string): void {
    ranking.unwatchContest(contest);
    heads.forget('contest', contest);
    onFreed(contestTopic(contest));
    const match = contestMatch.get(contest);
    contestMatch.delete(contest);
    if (match === undefined || match === null) return;
    const siblings = byMatch.get(match);
    siblings?.delete(contest);
    if (siblings?.size !== 0) return;
    byMatch.delete(match);
    if (!leases.wanted(matchTopic(match))) endMatchChannel(match);
  }
  function endMatchChannel(match: string): void {
    heard.delete(match);
    heads.forget('match', match);
    onFreed(matchTopic(match));
  }
  function endMatch(match: string): void {
    ranking.unwatchMatch(match);
    if (!byMatch.has(match)) endMatchChannel(match);
  }
  function end(channel: string): void {
    if (channel.startsWith('c:')) endContest(channel.slice(2));
    else endMatch(channel.slice(2));
  }

  /** false: nothing of that name, or beyond the bound. */
  function grantContest(edge: string, contest: string, until: number): boolean {
    if (ranking.contest(contest) === null) return false;
    const granted = leases.grant(edge, contestTopic(contest), until);
    if (granted === 'new') watchContest(contest);
    return granted !== 'full';
  }
  function grantMatch(edge: string, match: string, until: number): boolean {
    if (ranking.match(match) === null) return false;
    const granted = leases.grant(edge, matchTopic(match), until);
    if (granted === 'new') {
      ranking.watchMatch(match);
      beginMatch(match, clock.now());
    }
    return granted !== 'full';
  }

  return {
    answer(question) {
      const { edge, contests, matches } = question;
      if (formerLeasesEnd === null) {
        formerLeasesEnd = clock.now() + leaseMsMax;
        ranking.nameUnwatched(true);
      }
      const until = clock.now() + Math.min(question.leaseMs, leaseMsMax);
      for (const contest of question.renewContests) grantContest(edge, contest, until);
      for (const match of question.renewMatches) grantMatch(edge, match, until);
      let room = leases.room(edge);
      for (const contest of contests) {
        if (!leases.holds(edge, contestTopic(contest)) && ranking.contest(contest) !== null) room -= 1;
      }
      for (const match of matches) {
        if (!leases.holds(edge, matchTopic(match)) && ranking.match(match) !== null) room -= 1;
      }
      if (room < 0) return null;
      for (const contest of contests) grantContest(edge, contest, until);
      for (const match of matches) grantMatch(edge, match, until);
      return {
        version: ranking.version,
        contests: contests.map((contest) => ranking.snapshotContest(contest)),
        matches: matches.map((match) => ranking.snapshotMatch(match)),
      };
    },
    expire() {
      if (formerLeasesEnd !== null && clock.now() > formerLeasesEnd) ranking.nameUnwatched(false);
      for (const channel of leases.expire(clock.now())) end(channel);
    },
    drop(kind, id) {
      const channel = kind === 'contest' ? contestTopic(id) : matchTopic(id);
      if (!leases.wanted(channel)) return;
      leases.drop(channel);
      end(channel);
    },
    contests: () => contestMatch.keys(),
    contestsOf: (match) => byMatch.get(match) ?? none,
    hearsMatch: (match) => heard.has(match),
    get size() {
      return leases.size;
    },
  };
}
