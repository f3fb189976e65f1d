import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import type { DemandOptions } from './demand-options.ts';
import { decodeWantAnswer, encodeQuestion } from './message-codec.ts';
import { type ContestSnapshot, type MatchSnapshot, rankerSubject, type WantQuestion } from './messages.ts';

/**
 * Questions for snapshots and leases. Per partition one question is under way at a time, with up to
 * `wantNamesMax` names; what is asked meanwhile goes with the next. So a thousand names asked for at once
 * pace themselves.
 */
export interface WantQueue {
  contest(partition: number, id: string): Promise<Wanted<ContestSnapshot>>;
  match(partition: number, id: string): Promise<Wanted<MatchSnapshot>>;
  /** Renews leases; resolves with the time until which they are granted. */
  renew(partition: number, contests: string[], matches: string[]): Promise<number>;
}
export interface Wanted<S> {
  /** `null`: the ranker does not know the name. */
  snapshot: S | null;
  /** The lease lasts until then, counted from before the question was asked. */
  leaseUntil: number;
}

interface Asked<S> {
  id: string;
  resolve: (wanted: Wanted<S>) => void;
  reject: (error: unknown) => void;
}
interface Line {
  contests: Asked<ContestSnapshot>[];
  matches: Asked<MatchSnapshot>[];
  busy: boolean;
  timer: (() => void) | null;
}

export interface WantParts {
  bus: Bus;
  clock: Clock;
  options: DemandOptions;
  logger: Logger;
  /** Name of this edge, the same in all its questions. */
  edge: string;
}

export function createWantQueue(parts: WantParts): WantQueue {
  const { bus, clock, options, edge } = parts;
  const lines = new Map<number, Line>();

  function lineOf(partition: number): Line {
    let line = lines.get(partition);
    if (line === undefined) {
      line = { contests: [], matches: [], busy: false, timer: null };
      lines.set(partition, line);
    }
    return line;
  }

  function put<S>(partition: number, pick: (line: Line) => Asked<S>[], id: string): Promise<Wanted<S>> {
    const line = lineOf(partition);
    return new Promise((resolve, reject) => {
      pick(line).push({ id, resolve, reject });
      if (!line.busy) line.timer ??= clock.after(options.wantDelayMs, () => void run(partition, line));
    });
  }

  async function run(partition: number, line: Line): Promise<void> {
    line.timer = null;
    line.busy = true;
    while (line.contests.length + line.matches.length > 0) {
      const matches = line.matches.splice(0, options.wantNamesMax);
      const contests = line.contests.splice(0, options.wantNamesMax - matches.length);
      await askFor(partition, contests, matches);
    }
    line.busy = false;
  }

  async function askFor(
    partition: number,
    contests: Asked<ContestSnapshot>[],
    matches: Asked<MatchSnapshot>[],
  ): Promise<void> {
    try {
      const { leaseUntil, answer } = await ask(partition, {
        contests: contests.map((one) => one.id),
        matches: matches.map((one) => one.id),
      });
      contests.forEach((one, i) => {
        one.resolve({ snapshot: answer.contests[i] ?? null, leaseUntil });
      });
      matches.forEach((one, i) => {
        one.resolve({ snapshot: answer.matches[i] ?? null, leaseUntil });
      });
    } catch (error) {
      for (const one of [...contests, ...matches]) one.reject(error);
    }
  }

  async function ask(partition: number, names: Partial<WantQuestion>) {
    const leaseUntil = clock.now() + options.leaseMs;
    const question: WantQuestion = {
      q: 'want',
      edge,
      leaseMs: options.leaseMs,
      contests: [],
      matches: [],
      renewContests: [],
      renewMatches: [],
      ...names,
    };
    const bytes = await bus.ask(rankerSubject(partition), encodeQuestion(question), options.askDeadlineMs);
    return { leaseUntil, answer: decodeWantAnswer(bytes) };
  }

  return {
    contest: (partition, id) => put(partition, (line) => line.contests, id),
    match: (partition, id) => put(partition, (line) => line.matches, id),
    async renew(partition, renewContests, renewMatches) {
      return (await ask(partition, { renewContests, renewMatches })).leaseUntil;
    },
  };
}
