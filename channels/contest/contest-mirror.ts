import { RankTable } from '../rank-table.ts';
import { type Taken, verdict } from './match-mirror.ts';
import type { ContestFrame, ContestSnapshot, MatchFrame, Team, TopRow, WhoEntry } from './messages.ts';
import { PlayerTotals } from './player-totals.ts';
import { SmallContest } from './small-contest.ts';

/**
 * A contest as an edge has it: its state at one version, moved on by frames.
 *
 * Three ways to the rank of a score, one surface. A small fantasy contest is ranked here from its entries
 * and the players' totals, and follows the frames of its match. A large one has the count at each score and
 * follows frames of its own. A `scores` contest likewise, with any number of distinct scores.
 *
 * Laws:
 * [VIEW-1] A mirror at version v takes a frame if and only if the epoch is its own and base <= v < version.
 *   A frame of its epoch with version <= v is old and ignored; every other is a gap. Neither changes
 *   anything.
 * [VIEW-2] A mirror made from a snapshot that takes frames in order equals one made from a snapshot at the
 *   last frame's version, whatever replica made the frames and wherever their bases lie.
 * [VIEW-3] The rank of a score is one more than the number of entries of the contest with a greater score at
 *   the mirror's version; its top rows go by score, equal scores by first appearance.
 * [VIEW-4] A frame that says null for a small contest's entries is a gap for that contest alone.
 */
export class ContestMirror {
  readonly contest: string;
  readonly kind: 'fantasy' | 'scores';
  readonly match: string | null;
  readonly epoch: string;
  readonly scoreStep: number;
  version: number;
  at: number;
  total: number;
  prizes: number;
  final: boolean;
  /** Empty in `scores` contests. */
  readonly totals: PlayerTotals;
  readonly #matchEpoch: string;
  readonly #small: SmallContest | null;
  readonly #table: RankTable | null;
  #top: TopRow[];

  constructor(snapshot: ContestSnapshot) {
    this.contest = snapshot.contest;
    this.kind = snapshot.kind;
    this.match = snapshot.match;
    this.epoch = snapshot.epoch;
    this.scoreStep = snapshot.scoreStep;
    this.version = snapshot.version;
    this.at = snapshot.at;
    this.total = snapshot.total;
    this.prizes = snapshot.prizes;
    this.final = snapshot.final;
    this.totals = new PlayerTotals(snapshot.matchState?.players ?? []);
    this.#matchEpoch = snapshot.matchState?.epoch ?? '';
    this.#small = snapshot.entries === null ? null : new SmallContest(snapshot.entries);
    this.#table = this.#small === null ? new RankTable(snapshot.counts ?? { scores: [], counts: [] }) : null;
    this.#top = snapshot.top;
  }

  /** Small: every entry is here, and frames come with the match's. */
  get small(): boolean {
    return this.#small !== null;
  }
  /** Distinct scores, for metrics; 0 in small contests. */
  get distinctScores(): number {
    return this.#table?.distinct ?? 0;
  }

  /**
   * A frame of the contest's own. Small contests have none: to see one means that the contest has become
   * large.
   */
  take(frame: ContestFrame): Taken {
    const taken = verdict(this, frame);
    if (taken !== 'taken') return taken;
    if (this.#table === null) return 'gap';
    this.#advance(frame, frame);
    this.totals.apply(frame.roster, frame.players);
    if (frame.whole) this.#table.replace(frame.counts);
    else this.#table.applyCounts(frame.counts);
    this.#top = frame.top;
    return taken;
  }

  /** A frame of the match, with what it says of this contest (`null`: nothing). Small contests only. */
  takeMatch(frame: MatchFrame, own: MatchFrame['contests'][number] | null): Taken {
    const taken = verdict({ epoch: this.#matchEpoch, version: this.version }, frame);
    if (taken !== 'taken') return taken;
    if (this.#small === null || own?.entries === null) return 'gap';
    this.#advance(frame, own ?? { total: this.total, prizes: this.prizes, final: this.final });
    if (frame.final) this.final = true;
    this.totals.apply(frame.roster, frame.players);
    if (own?.entries) this.#small.apply(own.entries);
    this.#small.touch();
    return taken;
  }

  rankOf(score: number): number {
    return this.#small?.rankOf(score, this.totals) ?? this.#table!.rankOf(score);
  }

  scoreOf(team: Team): number {
    return this.totals.scoreOf(team);
  }

  /** The first `rows` rows of the leaderboard (a large contest: at most as many as its ranker sends). */
  top(rows: number): TopRow[] {
    if (this.#small !== null) return this.#small.top(rows, this.totals);
    return this.#top.length <= rows ? this.#top : this.#top.slice(0, rows);
  }

  /** A user's own entries at this version; `null` in contests that are not small (ask `who`). */
  entriesOf(user: string): WhoEntry[] | null {
    return this.#small?.entriesOf(user, this.totals) ?? null;
  }

  #advance(
    frame: { version: number; at: number },
    own: { total: number; prizes: number; final: boolean },
  ): void {
    this.version = frame.version;
    this.at = frame.at;
    this.total = own.total;
    this.prizes = own.prizes;
    this.final = own.final;
  }
}
