import type { SmallEntry, Team, TopRow, WhoEntry } from './messages.ts';
import type { PlayerTotals } from './player-totals.ts';

/**
 * The entries of a small contest, ranked here: about a thousand additions of eleven and one sort of
 * integers, made when the first rank is asked for after a change.
 */

/** Entries have places below this, so that a score and a place fit one number that sorts. */
const placesMax = 1_048_576;

interface Held {
  ordinal: number;
  entry: string;
  user: string;
  team: Team;
}

export class SmallContest {
  /** Present entries by ordinal. */
  #held: Held[] = [];
  /** Greatest score first; score and place in one number. Empty until ranked. */
  #order = new Float64Array(0);
  #ranked = false;

  constructor(entries: readonly SmallEntry[]) {
    this.apply(entries);
  }

  get size(): number {
    return this.#held.length;
  }

  /** Each item replaces its entry whole; team null takes it out. */
  apply(entries: readonly SmallEntry[]): void {
    for (const [ordinal, entry, user, team] of entries) {
      const place = this.#placeOf(ordinal);
      const here = this.#held[place]?.ordinal === ordinal;
      if (team === null) {
        if (here) this.#held.splice(place, 1);
      } else {
        this.#held.splice(place, here ? 1 : 0, { ordinal, entry, user, team });
      }
    }
    this.#ranked = false;
  }

  /** Totals have changed. */
  touch(): void {
    this.#ranked = false;
  }

  rankOf(score: number, totals: PlayerTotals): number {
    this.#rank(totals);
    // Entries with a greater score come before the first that has not.
    const bar = (score + 1) * placesMax;
    let from = 0;
    let to = this.#order.length;
    while (from < to) {
      const mid = (from + to) >> 1;
      if (this.#order[mid]! >= bar) from = mid + 1;
      else to = mid;
    }
    return from + 1;
  }

  top(rows: number, totals: PlayerTotals): TopRow[] {
    this.#rank(totals);
    const made: TopRow[] = [];
    let rank = 1;
    let former = Number.NaN;
    for (let i = 0; i < Math.min(rows, this.#order.length); i++) {
      const key = this.#order[i]!;
      const score = Math.floor(key / placesMax);
      if (score !== former) rank = i + 1;
      former = score;
      const held = this.#held[placesMax - 1 - (key - score * placesMax)]!;
      made.push([rank, held.entry, score, held.user]);
    }
    return made;
  }

  /** A user's entries by ordinal, as `who` would answer. */
  entriesOf(user: string, totals: PlayerTotals): WhoEntry[] {
    const own: WhoEntry[] = [];
    for (const held of this.#held) {
      if (held.user === user) own.push([held.entry, held.team, totals.scoreOf(held.team)]);
    }
    return own;
  }

  #rank(totals: PlayerTotals): void {
    if (this.#ranked) return;
    this.#ranked = true;
    const n = this.#held.length;
    if (this.#order.length !== n) this.#order = new Float64Array(n);
    for (let place = 0; place < n; place++) {
      this.#order[place] = totals.scoreOf(this.#held[place]!.team) * placesMax + (placesMax - 1 - place);
    }
    this.#order.sort().reverse();
  }

  /** Index of the first entry whose ordinal is not less. */
  #placeOf(ordinal: number): number {
    let from = 0;
    let to = this.#held.length;
    if (to > 0 && this.#held[to - 1]!.ordinal < ordinal) return to;
    while (from < to) {
      const mid = (from + to) >> 1;
      if (this.#held[mid]!.ordinal < ordinal) from = mid + 1;
      else to = mid;
    }
    return from;
  }
}
