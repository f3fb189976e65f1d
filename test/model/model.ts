import type { CodeName } from '../../proto/codes.ts';
import type {
  ContestEvent,
  ContestRecord,
  EntriesRecord,
  EntryItem,
  MatchRecord,
} from '../../proto/records.ts';

/**
 * docs/rules.md written down as directly as can be: maps and arrays, every score added up anew each time it
 * is asked for. Nothing is shared with the ranker; it is slow, and meant to be plainly right.
 */

export interface ModelLimits {
  smallContestEntriesMax: number;
  playersPerMatchMax: number;
  entriesPerMatchMax: number;
  entriesPerContestMax: number;
  entriesPerUserMax: number;
  contestsPerEntryMax: number;
  contestsPerMatchMax: number;
}
export interface ModelRefusal {
  code: CodeName;
  item: number | null;
}
type Stamp = readonly [at: number, id: string];

export interface ModelTeam {
  players: string[];
  captain: string;
  viceCaptain: string;
}
export interface ModelEntry {
  entry: string;
  user: string;
  stamp: Stamp;
  contests: Set<string>;
  /** null: withdrawn, or of a `scores` contest. */
  team: ModelTeam | null;
  score: number;
  scoreStamp: Stamp;
}
export interface ModelMatch {
  id: string;
  pointStep: number;
  startsAt: number;
  startsAtStamp: Stamp;
  players: string[];
  totals: Map<string, { steps: number; stamp: Stamp }>;
  entries: Map<string, ModelEntry>;
  contests: string[];
  final: Stamp | null;
  label: string | null;
  labelStamp: Stamp;
  at: number;
}
export interface ModelContest {
  id: string;
  kind: 'fantasy' | 'scores';
  match: string | null;
  prizes: number;
  prizesStamp: Stamp;
  /** Entries in order of first appearance, also those that left. */
  appeared: string[];
  inside: Set<string>;
  /** It once had more entries than a small contest may. */
  large: boolean;
  /** Of a `scores` contest; those of a fantasy contest are its match's. */
  entries: Map<string, ModelEntry>;
  final: Stamp | null;
  at: number;
}

const never: Stamp = [Number.NEGATIVE_INFINITY, ''];
export const isNewer = (a: Stamp, b: Stamp): boolean => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
const same = (a: Stamp, b: Stamp): boolean => a[0] === b[0] && a[1] === b[1];

export class Model {
  version = 0;
  readonly matches = new Map<string, ModelMatch>();
  readonly contests = new Map<string, ModelContest>();
  /** Version at which a record last named it. */
  readonly matchNamed = new Map<string, number>();
  readonly contestNamed = new Map<string, number>();
  private readonly limits: ModelLimits;

  constructor(limits: ModelLimits) {
    this.limits = limits;
  }

  skip(offset: number): void {
    this.version = offset + 1;
  }

  apply(offset: number, record: ContestEvent): ModelRefusal[] {
    this.version = offset + 1;
    const refusals = this.change(record);
    this.note(record);
    return refusals.map((refusal) => (typeof refusal === 'string' ? { code: refusal, item: null } : refusal));
  }

  /** [RK-3] */
  private note(record: ContestEvent): void {
    const contest = 'contest' in record && record.contest !== undefined ? record.contest : null;
    const match = 'match' in record && record.match !== undefined ? record.match : null;
    if (match !== null) this.matchNamed.set(match, this.version);
    if (contest !== null) this.nameContest(contest);
  }

  private nameContest(contest: string): void {
    this.contestNamed.set(contest, this.version);
    const match = this.contests.get(contest)?.match ?? null;
    if (match !== null) this.matchNamed.set(match, this.version);
  }

  private change(record: ContestEvent): (CodeName | ModelRefusal)[] {
    const stamp: Stamp = [record.at, record.id];
    switch (record.type) {
      case 'match':
        return this.match(record, stamp);
      case 'contest':
        return this.contest(record, stamp);
      case 'entries':
        return record.match !== undefined ? this.teams(record, stamp) : this.players(record, stamp);
      case 'points': {
        const match = this.matches.get(record.match);
        if (match === undefined) return ['no_such_match'];
        if (match.final !== null) return ['is_final'];
        const total = match.totals.get(record.player);
        if (total === undefined) return ['no_such_player'];
        const steps = record.points / match.pointStep;
        if (!Number.isInteger(steps) || steps < -10_000 || steps > 10_000) return ['off_step'];
        match.at = Math.max(match.at, record.at);
        if (isNewer(stamp, total.stamp)) match.totals.set(record.player, { steps, stamp });
        if (record.label !== undefined && isNewer(stamp, match.labelStamp)) {
          match.label = record.label;
          match.labelStamp = stamp;
        }
        return [];
      }
      case 'score': {
        const contest = this.contests.get(record.contest);
        if (contest === undefined) return ['no_such_contest'];
        if (contest.kind !== 'scores') return ['wrong_kind'];
        if (contest.final !== null) return ['is_final'];
        const entry = contest.entries.get(record.entry);
        if (entry === undefined) return ['no_such_entry'];
        contest.at = Math.max(contest.at, record.at);
        if (!isNewer(stamp, entry.scoreStamp)) return [];
        entry.score = record.score;
        entry.scoreStamp = stamp;
        return [];
      }
      case 'final': {
        const of =
          record.match !== undefined ? this.matches.get(record.match) : this.contests.get(record.contest!);
        if (of === undefined) return [record.match !== undefined ? 'no_such_match' : 'no_such_contest'];
        if ('kind' in of && of.kind === 'fantasy') return ['wrong_kind'];
        if (of.final !== null) return same(of.final, stamp) ? [] : ['is_final'];
        of.final = stamp;
        of.at = Math.max(of.at, record.at);
        return [];
      }
    }
  }

  /** [RK-4] */
  private match(record: MatchRecord, stamp: Stamp): CodeName[] {
    const { match: id, pointStep, startsAt } = record;
    const known = this.matches.get(id);
    if (known !== undefined && known.final !== null) return ['is_final'];
    if (known !== undefined && known.pointStep !== pointStep) return ['fixed_field'];
    const players = known === undefined ? [] : [...known.players];
    for (const player of record.players) if (!players.includes(player)) players.push(player);
    if (players.length > this.limits.playersPerMatchMax) return ['contest_full'];
    const match = known ?? {
      id,
      pointStep,
      startsAt,
      startsAtStamp: stamp,
      players: [],
      totals: new Map(),
      entries: new Map(),
      contests: [],
      final: null,
      label: null,
      labelStamp: never,
      at: 0,
    };
    this.matches.set(id, match);
    match.players = players;
    for (const player of players) {
      if (!match.totals.has(player)) match.totals.set(player, { steps: 0, stamp: never });
    }
    if (isNewer(stamp, match.startsAtStamp)) {
      match.startsAt = startsAt;
      match.startsAtStamp = stamp;
    }
    match.at = Math.max(match.at, record.at);
    return [];
  }

  /** [RK-5] */
  private contest(record: ContestRecord, stamp: Stamp): CodeName[] {
    const { contest: id, kind } = record;
    const matchId = kind === 'fantasy' ? record.match! : null;
    let contest = this.contests.get(id);
    if (contest !== undefined) {
      const match = contest.match === null ? null : this.matches.get(contest.match)!;
      if ((match ?? contest).final !== null) return ['is_final'];
      if (contest.kind !== kind || contest.match !== matchId) return ['fixed_field'];
    } else {
      const match = matchId === null ? null : this.matches.get(matchId);
      if (match === undefined) return ['no_such_match'];
      if (match !== null && match.final !== null) return ['is_final'];
      if (match !== null && match.contests.length >= this.limits.contestsPerMatchMax) return ['contest_full'];
      contest = {
        id,
        kind,
        match: matchId,
        prizes: 0,
        prizesStamp: never,
        appeared: [],
        inside: new Set(),
        large: false,
        entries: match === null ? new Map() : match.entries,
        final: null,
        at: 0,
      };
      this.contests.set(id, contest);
      match?.contests.push(id);
    }
    if (record.prizes !== undefined && isNewer(stamp, contest.prizesStamp)) {
      contest.prizes = record.prizes;
      contest.prizesStamp = stamp;
    }
    const timed = contest.match === null ? contest : this.matches.get(contest.match)!;
    timed.at = Math.max(timed.at, record.at);
    return [];
  }

  /** [RK-7] to [RK-11] */
  private teams(record: EntriesRecord, stamp: Stamp): (CodeName | ModelRefusal)[] {
    const match = this.matches.get(record.match!);
    if (match === undefined) return ['no_such_match'];
    if (match.final !== null) return ['is_final'];
    match.at = Math.max(match.at, record.at);
    const refusals: ModelRefusal[] = [];
    record.entries.forEach((item, i) => {
      for (const name of item.contests)
        if (this.contests.get(name)?.match === match.id) this.nameContest(name);
      const entry = match.entries.get(item.entry);
      if (entry !== undefined && !isNewer(stamp, entry.stamp)) return;
      const code = this.teamFault(match, item, entry, record.at >= match.startsAt);
      if (code !== null) refusals.push({ code, item: i });
      else this.put(match.entries, item, stamp);
    });
    return refusals;
  }

  private teamFault(
    match: ModelMatch,
    item: EntryItem,
    entry: ModelEntry | undefined,
    started: boolean,
  ): CodeName | null {
    if (entry !== undefined && entry.user !== item.user) return 'wrong_user_of_entry';
    if (entry !== undefined && started) return 'match_started';
    if (item.contests.length > 0) {
      const { players, captain, viceCaptain } = item;
      if (players === undefined || captain === undefined || viceCaptain === undefined) return 'bad_team';
      if (players.length !== 11 || new Set(players).size !== 11) return 'bad_team';
      if (!players.includes(captain) || !players.includes(viceCaptain)) return 'bad_team';
      if (captain === viceCaptain) return 'bad_team';
      if (!players.every((player) => match.players.includes(player))) return 'no_such_player';
      for (const name of item.contests) {
        const contest = this.contests.get(name);
        if (contest === undefined) return 'no_such_contest';
        if (contest.kind !== 'fantasy') return 'wrong_kind';
        if (contest.match !== match.id) return 'wrong_match';
      }
      const names = [...new Set(item.contests)];
      if (names.length > this.limits.contestsPerEntryMax) return 'contest_full';
      for (const name of names) {
        const { appeared } = this.contests.get(name)!;
        if (!appeared.includes(item.entry) && appeared.length >= this.limits.entriesPerContestMax)
          return 'contest_full';
      }
    }
    return entry === undefined
      ? this.roomFault(match.entries, item.user, this.limits.entriesPerMatchMax)
      : null;
  }

  private roomFault(entries: Map<string, ModelEntry>, user: string, max: number): CodeName | null {
    if (entries.size >= max) return 'contest_full';
    const own = [...entries.values()].filter((entry) => entry.user === user).length;
    return own >= this.limits.entriesPerUserMax ? 'contest_full' : null;
  }

  /** [RK-12] */
  private players(record: EntriesRecord, stamp: Stamp): (CodeName | ModelRefusal)[] {
    const contest = this.contests.get(record.contest!);
    if (contest === undefined) return ['no_such_contest'];
    if (contest.kind !== 'scores') return ['wrong_kind'];
    if (contest.final !== null) return ['is_final'];
    contest.at = Math.max(contest.at, record.at);
    const refusals: ModelRefusal[] = [];
    record.entries.forEach((item, i) => {
      const entry = contest.entries.get(item.entry);
      if (entry !== undefined && !isNewer(stamp, entry.stamp)) return;
      const code = this.scoresFault(contest, item, entry);
      if (code !== null) refusals.push({ code, item: i });
      else this.put(contest.entries, item, stamp);
    });
    return refusals;
  }

  private scoresFault(
    contest: ModelContest,
    item: EntryItem,
    entry: ModelEntry | undefined,
  ): CodeName | null {
    if (entry !== undefined && entry.user !== item.user) return 'wrong_user_of_entry';
    if (item.players !== undefined || item.captain !== undefined || item.viceCaptain !== undefined)
      return 'bad_team';
    for (const name of item.contests) {
      if (name === contest.id) continue;
      const other = this.contests.get(name);
      if (other === undefined) return 'no_such_contest';
      return other.kind === 'fantasy' ? 'wrong_kind' : 'wrong_match';
    }
    if (entry !== undefined) return null;
    return this.roomFault(contest.entries, item.user, this.limits.entriesPerContestMax);
  }

  /** [RK-9], [RK-11] */
  private put(entries: Map<string, ModelEntry>, item: EntryItem, stamp: Stamp): void {
    const known = entries.get(item.entry);
    const entry = known ?? {
      entry: item.entry,
      user: item.user,
      stamp,
      contests: new Set<string>(),
      team: null,
      score: 0,
      scoreStamp: never,
    };
    entries.set(item.entry, entry);
    entry.stamp = stamp;
    entry.team =
      item.contests.length === 0 || item.players === undefined
        ? null
        : { players: item.players, captain: item.captain!, viceCaptain: item.viceCaptain! };
    for (const name of entry.contests) {
      if (item.contests.includes(name)) continue;
      this.contests.get(name)!.inside.delete(item.entry);
      this.nameContest(name);
    }
    entry.contests = new Set(item.contests);
    for (const name of entry.contests) {
      const contest = this.contests.get(name)!;
      contest.inside.add(item.entry);
      if (!contest.appeared.includes(item.entry)) contest.appeared.push(item.entry);
      if (contest.inside.size > this.limits.smallContestEntriesMax) contest.large = true;
      this.nameContest(name);
    }
  }
}
