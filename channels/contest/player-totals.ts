import type { Team } from './messages.ts';

/** Players of a match in index order, and each one's total in steps. Begins at 0; the list only grows. */
export class PlayerTotals {
  readonly names: string[] = [];
  readonly steps: number[] = [];

  constructor(players: readonly [player: string, steps: number][]) {
    for (const [name, steps] of players) {
      this.names.push(name);
      this.steps.push(steps);
    }
  }

  apply(roster: readonly string[] | null, players: readonly [index: number, steps: number][]): void {
    if (roster !== null) {
      for (let i = this.names.length; i < roster.length; i++) {
        this.names.push(roster[i]!);
        this.steps.push(0);
      }
    }
    for (const [index, steps] of players) this.steps[index] = steps;
  }

  /** Score in half steps: 2 for each step of a player, 3 of the vice-captain, 4 of the captain. */
  scoreOf(team: Team): number {
    return scoreAt(this.steps, team, 0, team.length);
  }
}

/**
 * The same for a team that stands in a longer list: `length` indexes from `start`, captain and vice-captain
 * first.
 */
export function scoreAt(
  steps: readonly number[],
  indexes: ArrayLike<number>,
  start: number,
  length: number,
): number {
  let sum = 0;
  for (let i = start; i < start + length; i++) sum += steps[indexes[i]!]!;
  return 2 * sum + 2 * steps[indexes[start]!]! + steps[indexes[start + 1]!]!;
}
