import type { GraphChange, GraphCommand } from '../../proto/records.ts';
import type { PairState } from './graph.ts';
import { decide, type Outcome, type Pair } from './pair-rules.ts';

/** A command and the log's timestamp of it. */
export interface LoggedCommand {
  readonly command: GraphCommand;
  readonly loggedAt: number;
}

/** What a run of commands does, each finding what those before it left. */
export interface Folded {
  /** Of each command, in order. */
  outcomes: Outcome[];
  /** Directed pairs that are not as they were read. */
  states: PairState[];
  /** Of all applied commands, in order. */
  changes: GraphChange[];
}

/** The pairs that the commands are about, each once: what to read before folding. */
export function pairsOf(commands: readonly LoggedCommand[]): [string, string][] {
  const pairs = new Map<string, [string, string]>();
  for (const { command } of commands) {
    const key = pairKey(command);
    if (!pairs.has(key)) pairs.set(key, [command.from, command.to]);
  }
  return [...pairs.values()];
}

/** `read`: what a Graph read for `pairsOf(commands)`. */
export function foldCommands(commands: readonly LoggedCommand[], read: readonly Pair[]): Folded {
  const before = new Map(read.map((pair) => [pairKey(pair[0]), pair]));
  const now = new Map(before);
  const outcomes: Outcome[] = [];
  const changes: GraphChange[] = [];
  for (const { command, loggedAt } of commands) {
    const key = pairKey(command);
    const pair = now.get(key)!;
    const isTurned = pair[0].from !== command.from;
    const decision = decide(isTurned ? [pair[1], pair[0]] : pair, command, loggedAt);
    const [there, back] = decision.pair;
    now.set(key, isTurned ? [back, there] : [there, back]);
    outcomes.push(decision.outcome);
    for (const change of decision.changes) changes.push(change);
  }
  const states: PairState[] = [];
  for (const [key, pair] of now) {
    const was = before.get(key)!;
    if (pair[0] !== was[0]) states.push(pair[0]);
    if (pair[1] !== was[1]) states.push(pair[1]);
  }
  return { outcomes, states, changes };
}

/** Both directions share it; ':' is not part of an id. */
function pairKey({ from, to }: { from: string; to: string }): string {
  return from < to ? `${from}:${to}` : `${to}:${from}`;
}
