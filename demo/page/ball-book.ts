/** Which ball was the last one at which version of the match. */

export interface BallBook {
  /** Index of the newest ball; -1: before the first. */
  readonly last: number;
  /**
   * `ball` is the match's last as of `version`; an index below an earlier one is a correction of the past.
   */
  write(version: number, ball: number): void;
  /** null: not known yet, or from before the page was there. */
  at(version: number): number | null;
}

/** Contest and match are never further apart than a moment. */
const kept = 100;

export function createBallBook(): BallBook {
  const lines: [version: number, ball: number][] = [];
  const last = (): number => lines.at(-1)?.[1] ?? -1;
  return {
    get last() {
      return last();
    },
    write: (version, ball) => {
      lines.push([version, Math.max(last(), ball)]);
      if (lines.length > kept) lines.shift();
    },
    at: (version) => {
      // the match may not have told of this version yet
      if (version > (lines.at(-1)?.[0] ?? -1)) return null;
      return lines.findLast(([from]) => from <= version)?.[1] ?? null;
    },
  };
}
