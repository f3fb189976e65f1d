/** What happened while the connection was away: noted when it goes, told when ranks are exact again. */
import type { Entry } from '../../client/contest-room.ts';

export interface Standing {
  version: number;
  entries: readonly Pick<Entry, 'entry' | 'rank'>[];
}
export interface AbsenceReport {
  awayMs: number;
  /** null: the contest's positions began anew, so they cannot be counted. */
  versions: number | null;
  moves: { entry: string; from: number; to: number }[];
  /** Users who followed me meanwhile. */
  followers: string[];
  /** Something was lost for good: the SDK's sentence. */
  gap: string | null;
}

export class Absence {
  report: AbsenceReport | null = null;
  #left: { at: number; version: number; ranks: Map<string, number> } | null = null;
  #backAt: number | null = null;
  /** Followers and a gap may be told before ranks are exact again. */
  #followers: string[] = [];
  #gap: string | null = null;

  get away(): boolean {
    return this.#left !== null;
  }

  leave(now: number, standing: Standing): void {
    // a connection that fails again on its way back is the same absence
    if (this.#left !== null) return;
    const ranks = new Map<string, number>();
    for (const { entry, rank } of standing.entries) if (rank !== null) ranks.set(entry, rank);
    this.#left = { at: now, version: standing.version, ranks };
    this.#backAt = null;
    this.#followers = [];
    this.#gap = null;
    this.report = null;
  }

  /** The connection is there again; what it missed is on its way. */
  connect(now: number): void {
    if (this.#left !== null) this.#backAt = now;
  }

  /** Ranks are exact again. */
  catchUp(standing: Standing): void {
    if (this.#left === null || this.#backAt === null) return;
    const { at, version, ranks } = this.#left;
    const moves = standing.entries.flatMap(({ entry, rank }) => {
      const from = ranks.get(entry);
      return from === undefined || rank === null || from === rank ? [] : [{ entry, from, to: rank }];
    });
    const versions = standing.version < version ? null : standing.version - version;
    this.report = {
      awayMs: this.#backAt - at,
      versions,
      moves,
      followers: this.#followers,
      gap: this.#gap,
    };
    this.#left = null;
  }

  /** `at` by the same clock as the other times. True: it came while away. */
  follower(user: string, at: number): boolean {
    if (this.#backAt === null || at > this.#backAt) return false;
    if (!this.#followers.includes(user)) this.#followers.push(user);
    return true;
  }

  gap(sentence: string): void {
    this.#gap = sentence;
    if (this.report !== null) this.report.gap = sentence;
  }

  dismiss(): void {
    this.report = null;
  }
}
