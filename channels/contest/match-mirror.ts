import type { MatchFrame, MatchSnapshot } from './messages.ts';
import { PlayerTotals } from './player-totals.ts';

/**
 * What became of a frame: taken; old (the mirror has it already); gap (something before it is missing, or
 * the epoch is another: nothing was changed, ask for a snapshot).
 */
export type Taken = 'taken' | 'old' | 'gap';

/** Whether a state at `version` of `epoch` may take a frame of (base, version]. */
export function verdict(
  state: { epoch: string; version: number },
  frame: { epoch: string; base: number; version: number },
): Taken {
  if (frame.epoch !== state.epoch) return 'gap';
  if (frame.version <= state.version) return 'old';
  return frame.base <= state.version ? 'taken' : 'gap';
}

/** A match's players and their points, as of `version`. Laws: see contest-mirror.ts. */
export class MatchMirror {
  readonly match: string;
  readonly epoch: string;
  readonly pointStep: number;
  version: number;
  at: number;
  startsAt: number;
  final: boolean;
  label: string | null;
  readonly totals: PlayerTotals;

  constructor(snapshot: MatchSnapshot) {
    this.match = snapshot.match;
    this.epoch = snapshot.epoch;
    this.pointStep = snapshot.pointStep;
    this.version = snapshot.version;
    this.at = snapshot.at;
    this.startsAt = snapshot.startsAt;
    this.final = snapshot.final;
    this.label = snapshot.label;
    this.totals = new PlayerTotals(snapshot.players);
  }

  take(frame: MatchFrame): Taken {
    const taken = verdict(this, frame);
    if (taken !== 'taken') return taken;
    this.version = frame.version;
    this.at = frame.at;
    this.startsAt = frame.startsAt;
    this.final = frame.final;
    if (frame.label !== null) this.label = frame.label;
    this.totals.apply(frame.roster, frame.players);
    return taken;
  }

  /** [player, points] of all players, in index order. */
  points(): [string, number][] {
    return this.totals.names.map((name, index) => [name, this.totals.steps[index]! * this.pointStep]);
  }

  /** [player, points] of the players a frame names, and of those it adds to the list. */
  changedPoints(frame: MatchFrame, playersBefore: number): [string, number][] {
    const indexes = new Set(frame.players.map((row) => row[0]));
    for (let i = playersBefore; i < this.totals.names.length; i++) indexes.add(i);
    return [...indexes].map((i) => [this.totals.names[i]!, this.totals.steps[i]! * this.pointStep]);
  }
}
