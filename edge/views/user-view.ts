import type { ContestMirror } from '../../channels/contest/contest-mirror.ts';
import type { WhoEntry } from '../../channels/contest/messages.ts';
import { scoreAt } from '../../channels/contest/player-totals.ts';
import { emptyList } from '../../channels/exact-list.ts';
import type { OwnEntry } from '../../proto/frames.ts';
import { limits } from '../../proto/limits.ts';
import type { StateSubscription } from '../subscription.ts';

const noNames: string[] = emptyList();
const noNumbers: number[] = emptyList();

/** Numbers kept for an entry: score and rank as last sent; then the team, or the present score. */
const teamLength: number = limits.playersPerTeam;
const fantasyStride = 2 + teamLength;
const scoresStride = 3;

/**
 * What one user sees of a contest beside the board: the own entries, and each one's score and rank as last
 * sent. Shared by the user's sockets. Fixed fields and flat numbers: there is one for each viewer.
 *
 * State: 'unknown': the entries are not known yet. 'held': they were, and have changed. 'fresh': they are
 * known, and go out whole. 'exact': score and rank of every entry are as sent.
 */
export class UserView {
  readonly user: string;
  subs: StateSubscription[] = emptyList();
  names: string[] = noNames;
  numbers: number[] = noNumbers;
  state: 'unknown' | 'held' | 'fresh' | 'exact' = 'unknown';
  /** An `entries` frame has gone out. */
  told = false;
  /** A `hold` has gone out since. */
  holdTold = false;
  /** Version at which scores and ranks were sent last. */
  exactAt = 0;
  /** `who` is under way or waits for its turn, or its answer waits for the mirror. */
  asking = false;
  /** An answer of a lower version cannot be used. */
  floor: number;
  /** An answer of a version that the mirror has not reached. */
  answer: { version: number; touched: number; entries: WhoEntry[] } | null = null;
  /** Changed scores in frames taken while `who` is under way. */
  changes: { version: number; entry: string; score: number | null }[] | null = null;

  constructor(user: string, floor: number) {
    this.user = user;
    this.floor = floor;
  }

  /** Takes over the entries; `fresh` from now on. */
  install(entries: readonly WhoEntry[]): void {
    this.names = entries.length === 0 ? noNames : entries.map((entry) => entry[0]);
    const numbers: number[] = [];
    for (const [, team, score] of entries) {
      if (team === null) numbers.push(0, 0, score);
      else numbers.push(0, 0, ...team);
    }
    // A copy has no spare room.
    this.numbers = entries.length === 0 ? noNumbers : numbers.slice();
    this.state = 'fresh';
    this.answer = null;
    this.changes = null;
  }

  /** Whether these are the entries it has, in this order and with these teams. */
  has(entries: readonly WhoEntry[]): boolean {
    if (entries.length !== this.names.length) return false;
    return entries.every(([name, team], i) => {
      if (this.names[i] !== name || team === null) return false;
      return team.every((player, k) => this.numbers[i * fantasyStride + 2 + k] === player);
    });
  }

  /**
   * `scores` contests: the entry's score now, or null: it has left. Answers whether the list of entries
   * changed.
   */
  change(entry: string, score: number | null): boolean {
    const index = this.names.indexOf(entry);
    if (index >= 0 && score !== null) {
      this.numbers[index * scoresStride + 2] = score;
      return false;
    }
    if (index < 0 && score === null) return false;
    if (this.names === noNames) {
      this.names = [];
      this.numbers = [];
    }
    if (index >= 0) {
      this.names.splice(index, 1);
      this.numbers.splice(index * scoresStride, scoresStride);
    } else {
      this.names.push(entry);
      this.numbers.push(0, 0, score!);
    }
    return true;
  }

  /**
   * Brings scores and ranks up to the mirror. Writes index, score, rank of those that changed (or of all)
   * into `rows` and answers how many numbers these are.
   */
  update(mirror: ContestMirror, all: boolean, rows: number[]): number {
    const { numbers } = this;
    const fantasy = mirror.kind === 'fantasy';
    const stride = fantasy ? fantasyStride : scoresStride;
    const { steps } = mirror.totals;
    let length = 0;
    for (let i = 0, at = 0; at < numbers.length; i++, at += stride) {
      const score = fantasy ? scoreAt(steps, numbers, at + 2, teamLength) : numbers[at + 2]!;
      const rank = mirror.rankOf(score);
      if (!all && score === numbers[at] && rank === numbers[at + 1]) continue;
      numbers[at] = score;
      numbers[at + 1] = rank;
      rows[length++] = i;
      rows[length++] = score;
      rows[length++] = rank;
    }
    return length;
  }

  /** For an `entries` frame. */
  entries(mirror: ContestMirror): OwnEntry[] {
    if (mirror.kind === 'scores') return this.names.map((name) => [name]);
    const players = mirror.totals.names;
    return this.names.map((name, i) => {
      const at = i * fantasyStride + 2;
      const team = this.numbers.slice(at, at + teamLength).map((index) => players[index]!);
      return [name, team, team[0]!, team[1]!];
    });
  }
}
