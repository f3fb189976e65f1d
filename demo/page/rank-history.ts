/** Where each of my teams stood after each ball: for lines, arrows and bests. */

export interface RankPoint {
  /** Index of the ball; -1: before the first. */
  ball: number;
  rank: number;
}
export interface RankHistory {
  note(entry: string, ball: number, rank: number): void;
  /** In the order of balls. */
  of(entry: string): readonly RankPoint[];
  best(entry: string): number | null;
  /** Places won (above 0) or lost by the last ball that moved it; 0: it has not moved. */
  lastMove(entry: string): number;
  toJson(): string;
}

/** `kept`: what `toJson` gave before the page was loaded again. */
export function createRankHistory(kept: string | null): RankHistory {
  const lines = new Map<string, RankPoint[]>(read(kept));
  const of = (entry: string): RankPoint[] => lines.get(entry) ?? [];
  return {
    of,
    note: (entry, ball, rank) => {
      const line = lines.get(entry);
      if (line === undefined) {
        lines.set(entry, [{ ball, rank }]);
        return;
      }
      const last = line.at(-1);
      // a ball may come in several versions, and be corrected: the last word stands
      if (last !== undefined && last.ball === ball) last.rank = rank;
      else if (last === undefined || last.ball < ball) line.push({ ball, rank });
    },
    best: (entry) => of(entry).reduce<number | null>((best, { rank }) => Math.min(best ?? rank, rank), null),
    lastMove: (entry) => {
      const line = of(entry);
      const now = line.at(-1)?.rank;
      const before = line.findLast(({ rank }) => rank !== now)?.rank;
      return now === undefined || before === undefined ? 0 : before - now;
    },
    toJson: () => JSON.stringify([...lines]),
  };
}

function read(kept: string | null): [string, RankPoint[]][] {
  if (kept === null) return [];
  try {
    return JSON.parse(kept) as [string, RankPoint[]][];
  } catch {
    return [];
  }
}
