/** What a bench is, and the few measures that all share. */

export interface Row {
  what: string;
  /** With its unit. */
  measured: string;
  /** The peer or the limit measured in the same run; empty: none. */
  beside: string;
  /** From the design; empty: none. */
  target: string;
}

export interface Bench {
  readonly name: string;
  /** One sentence for the head of its table. */
  readonly about: string;
  /** Runs in a process of its own, with `gc` exposed. */
  run(add: (row: Row) => void): Promise<void>;
}

/**
 * Times of one action. Where the machine does other things meanwhile, wall time says little: the processor
 * time of the process (all its threads) is kept beside it.
 */
export interface Times {
  wall: number[];
  cpu: number[];
}

export const noTimes = (): Times => ({ wall: [], cpu: [] });

/** Runs the action and adds its ms to each of `times`. */
export function timed(action: () => void, ...times: Times[]): void {
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  action();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  for (const one of times) {
    one.wall.push(wall);
    one.cpu.push((user + system) / 1_000);
  }
}

/** The value that `share` of unsorted ones do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

/** p50 / p99 of ms. */
export function quantiles(values: readonly number[]): string {
  return `${quantile(values, 0.5).toFixed(2)} / ${quantile(values, 0.99).toFixed(2)} ms`;
}

/** The columns of a row that times fill. */
export function timesOf(times: Times): Pick<Row, 'measured' | 'beside'> {
  return { measured: quantiles(times.wall), beside: `processor ${quantiles(times.cpu)}` };
}

export function collectGarbage(): void {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('benches run with --expose-gc');
  gc();
  gc();
}

/** Bytes of the heap and of typed arrays in use, after collecting garbage. */
export function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
