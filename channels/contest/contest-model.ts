import type {
  ContestFrame,
  ContestSnapshot,
  MatchFrame,
  MatchSnapshot,
  SmallEntry,
  Team,
  TopRow,
  WhoAnswer,
} from './messages.ts';

/**
 * The obvious model of one partition with one match, for tests: everything in maps, every answer by sorting
 * all of it, frames from a list of what each version touched. It knows nothing of mirrors, tables or
 * bitmaps.
 */
interface ModelContest {
  kind: 'fantasy' | 'scores';
  large: boolean;
  prizes: number;
  final: boolean;
  /** Ordinal by entry, in order of first appearance; never removed. */
  ordinals: Map<string, number>;
  present: Set<string>;
}
interface Touch {
  version: number;
  players: number[];
  roster: boolean;
  label: string | null;
  /** By contest: entries whose membership, team or score changed, and the scores that lost or gained. */
  entries: Map<string, Set<string>>;
  scores: Map<string, Set<number>>;
}

export class ContestModel {
  version = 0;
  at = 0;
  /** Raised: everything has another epoch, as if the log had been made anew. */
  generation = 0;
  readonly players: { name: string; steps: number }[] = [];
  readonly contests = new Map<string, ModelContest>();
  readonly users = new Map<string, string>();
  readonly teams = new Map<string, Team>();
  readonly scores = new Map<string, number>();
  readonly #touches: Touch[] = [];

  addPlayers(names: readonly string[]): void {
    this.#record((touch) => {
      for (const name of names) this.players.push({ name, steps: 0 });
      touch.roster = true;
    });
  }

  addContest(id: string, kind: 'fantasy' | 'scores', large: boolean): void {
    this.#record(() => {
      this.contests.set(id, {
        kind,
        large,
        prizes: 0,
        final: false,
        ordinals: new Map(),
        present: new Set(),
      });
    });
  }

  setPrizes(id: string, prizes: number): void {
    this.#record((touch) => {
      this.contests.get(id)!.prizes = prizes;
      touch.entries.set(id, new Set());
    });
  }

  setPoints(player: number, steps: number, label: string | null = null): void {
    this.#record((touch) => {
      this.players[player]!.steps = steps;
      touch.players.push(player);
      touch.label = label;
    });
  }

  /** `contests: []` withdraws the entry. */
  setEntry(entry: string, user: string, contests: readonly string[], team: Team): void {
    this.#record((touch) => {
      this.users.set(entry, user);
      this.teams.set(entry, team);
      for (const [id, contest] of this.contests) {
        const was = contest.present.has(entry);
        const is = contests.includes(id);
        if (!was && !is) continue;
        if (is && !contest.ordinals.has(entry)) contest.ordinals.set(entry, contest.ordinals.size);
        if (is) contest.present.add(entry);
        else contest.present.delete(entry);
        touch.entries.set(id, new Set([entry]));
      }
    });
  }

  setScore(contest: string, entry: string, score: number): void {
    this.#record((touch) => {
      this.scores.set(entry, score);
      touch.entries.set(contest, new Set([entry]));
    });
  }

  /** Of a contest; '': of the match. */
  epochOf(id: string): string {
    const own = id === '' ? 'em' : `e-${id}`;
    return this.generation === 0 ? own : `${own}-${this.generation}`;
  }

  scoreOf(id: string, entry: string): number {
    if (this.contests.get(id)!.kind === 'scores') return this.scores.get(entry) ?? 0;
    return this.teams.get(entry)!.reduce((sum, index, i) => {
      const steps = this.players[index]!.steps;
      return sum + (i === 0 ? 4 : i === 1 ? 3 : 2) * steps;
    }, 0);
  }

  /** Every row of the leaderboard. */
  board(id: string): TopRow[] {
    const contest = this.contests.get(id)!;
    const rows = [...contest.present]
      .map((entry) => ({ entry, score: this.scoreOf(id, entry), ordinal: contest.ordinals.get(entry)! }))
      .sort((a, b) => b.score - a.score || a.ordinal - b.ordinal);
    return rows.map((row) => {
      const rank = rows.findIndex((other) => other.score === row.score) + 1;
      return [rank, row.entry, row.score, this.users.get(row.entry)!];
    });
  }

  match(): MatchSnapshot {
    return {
      match: 'm1',
      epoch: this.epochOf(''),
      version: this.version,
      at: this.at,
      pointStep: 0.5,
      startsAt: 1_000,
      final: false,
      players: this.players.map((p) => [p.name, p.steps]),
      label: this.#touches.reduce<string | null>((label, touch) => touch.label ?? label, null),
    };
  }

  snapshot(id: string): ContestSnapshot {
    const contest = this.contests.get(id)!;
    const small = contest.kind === 'fantasy' && !contest.large;
    const scores = [...this.#counts(id)].sort((a, b) => a[0] - b[0]);
    return {
      contest: id,
      kind: contest.kind,
      match: contest.kind === 'fantasy' ? 'm1' : null,
      epoch: this.epochOf(id),
      version: this.version,
      at: this.at,
      scoreStep: contest.kind === 'fantasy' ? 0.25 : 1,
      prizes: contest.prizes,
      final: contest.final,
      total: contest.present.size,
      entries: small ? this.#smallEntries(id, [...contest.present]) : null,
      counts: small ? null : { scores: scores.map((r) => r[0]), counts: scores.map((r) => r[1]) },
      top: small ? [] : this.board(id).slice(0, 10),
      matchState: contest.kind === 'fantasy' ? this.match() : null,
    };
  }

  contestFrame(id: string, base: number): ContestFrame {
    const contest = this.contests.get(id)!;
    const touched = this.#touches.filter((touch) => touch.version > base);
    const counts = this.#counts(id);
    const scores = new Set(touched.flatMap((touch) => [...(touch.scores.get(id) ?? [])]));
    const entries = new Set(touched.flatMap((touch) => [...(touch.entries.get(id) ?? [])]));
    const ascending = [...scores].sort((a, b) => a - b);
    const fantasy = contest.kind === 'fantasy';
    return {
      contest: id,
      epoch: this.epochOf(id),
      base,
      version: this.version,
      at: this.at,
      total: contest.present.size,
      prizes: contest.prizes,
      final: contest.final,
      players: fantasy ? this.#touchedPlayers(touched) : [],
      roster: fantasy ? this.#roster(touched) : null,
      counts: { scores: ascending, counts: ascending.map((score) => counts.get(score) ?? 0) },
      whole: false,
      top: this.board(id).slice(0, 10),
      changedUsers: fantasy ? [...new Set([...entries].map((entry) => this.users.get(entry)!))] : null,
      changedScores: fantasy
        ? null
        : [...entries].map((entry) => [
            entry,
            this.users.get(entry)!,
            contest.present.has(entry) ? this.scoreOf(id, entry) : null,
          ]),
    };
  }

  matchFrame(base: number): MatchFrame {
    const touched = this.#touches.filter((touch) => touch.version > base);
    const contests: MatchFrame['contests'] = [];
    for (const [id, contest] of this.contests) {
      if (contest.kind !== 'fantasy' || contest.large) continue;
      if (!touched.some((touch) => touch.entries.has(id))) continue;
      const entries = new Set(touched.flatMap((touch) => [...(touch.entries.get(id) ?? [])]));
      contests.push({
        contest: id,
        total: contest.present.size,
        prizes: contest.prizes,
        final: contest.final,
        entries: this.#smallEntries(id, [...entries]),
      });
    }
    return {
      match: 'm1',
      epoch: this.epochOf(''),
      base,
      version: this.version,
      at: this.at,
      startsAt: 1_000,
      final: false,
      players: this.#touchedPlayers(touched),
      roster: this.#roster(touched),
      label: touched.reduce<string | null>((label, touch) => touch.label ?? label, null),
      contests,
    };
  }

  who(id: string, users: readonly string[]): WhoAnswer {
    const contest = this.contests.get(id)!;
    const byOrdinal = [...contest.ordinals.keys()].filter((entry) => contest.present.has(entry));
    return {
      version: this.version,
      touched:
        this.#touches.findLast(({ entries, scores }) => entries.has(id) || scores.has(id))?.version ?? 0,
      epoch: this.epochOf(id),
      users: users.map((user) =>
        byOrdinal
          .filter((entry) => this.users.get(entry) === user)
          .map((entry) => [
            entry,
            contest.kind === 'fantasy' ? this.teams.get(entry)! : null,
            this.scoreOf(id, entry),
          ]),
      ),
    };
  }

  #record(change: (touch: Touch) => void): void {
    const before = this.#allCounts();
    this.version++;
    this.at += 10;
    const touch: Touch = {
      version: this.version,
      players: [],
      roster: false,
      label: null,
      entries: new Map(),
      scores: new Map(),
    };
    change(touch);
    for (const [id, after] of this.#allCounts()) {
      const former = before.get(id) ?? new Map<number, number>();
      const differing = [...after.keys(), ...former.keys()].filter((s) => after.get(s) !== former.get(s));
      // An entry that moves where another leaves changes no count and yet touches both scores.
      touch.scores.set(id, new Set(differing));
    }
    this.#touches.push(touch);
  }

  #allCounts(): Map<string, Map<number, number>> {
    return new Map([...this.contests.keys()].map((id) => [id, this.#counts(id)]));
  }

  #counts(id: string): Map<number, number> {
    const counts = new Map<number, number>();
    for (const entry of this.contests.get(id)!.present) {
      const score = this.scoreOf(id, entry);
      counts.set(score, (counts.get(score) ?? 0) + 1);
    }
    return counts;
  }

  #smallEntries(id: string, entries: readonly string[]): SmallEntry[] {
    const contest = this.contests.get(id)!;
    return entries
      .map((entry): SmallEntry => {
        const team = contest.present.has(entry) ? this.teams.get(entry)! : null;
        return [contest.ordinals.get(entry)!, entry, this.users.get(entry)!, team];
      })
      .sort((a, b) => a[0] - b[0]);
  }

  #touchedPlayers(touched: readonly Touch[]): [number, number][] {
    const indexes = new Set(touched.flatMap((touch) => touch.players));
    return [...indexes].map((index) => [index, this.players[index]!.steps]);
  }

  #roster(touched: readonly Touch[]): string[] | null {
    return touched.some((touch) => touch.roster) ? this.players.map((p) => p.name) : null;
  }
}
