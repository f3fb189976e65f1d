/** Many viewers in one process: started at a pace, followed by one another, ended together. */
import { pause } from '../pause.ts';
import { type CrowdHost, CrowdViewer } from './crowd-viewer.ts';

export interface CrowdOptions {
  /** The channels of each viewer; its place in the array is its number. */
  channels: readonly (readonly string[])[];
  userOf(viewer: number): string;
  connectsPerS: number;
  signal: AbortSignal;
}

/** The pace is kept in steps of this. */
const stepMs = 20;
/** Sockets told to end in one step. */
const closeBatch = 500;
/** The other side's close frames are awaited so long. */
const closeTimeoutMs = 2_000;

export interface Crowd {
  /** Started so far, in the order of their numbers. */
  readonly viewers: readonly CrowdViewer[];
  /** Resolves when all have been started, or at the signal. */
  rampUp(): Promise<void>;
  /** Resolves when no socket is left. */
  end(): Promise<void>;
}

export function createCrowd(host: CrowdHost, options: CrowdOptions): Crowd {
  const { channels, userOf, connectsPerS, signal } = options;
  const viewers: CrowdViewer[] = [];

  async function rampUp(): Promise<void> {
    const begun = host.monotonicMs();
    while (viewers.length < channels.length && !signal.aborted) {
      const due = Math.min(
        channels.length,
        Math.floor(((host.monotonicMs() - begun) * connectsPerS) / 1_000) + 1,
      );
      while (viewers.length < due) {
        const viewer = new CrowdViewer(host, userOf(viewers.length), channels[viewers.length] ?? []);
        viewers.push(viewer);
        viewer.start();
      }
      await pause(stepMs, host.clock, signal);
    }
  }

  async function end(): Promise<void> {
    let closing: CrowdViewer[] = [];
    for (let from = 0; from < viewers.length; from += closeBatch) {
      closing.push(...viewers.slice(from, from + closeBatch).filter((viewer) => viewer.stop()));
      await pause(1, host.clock);
    }
    const until = host.monotonicMs() + closeTimeoutMs;
    while (closing.length > 0 && host.monotonicMs() < until) {
      await pause(stepMs, host.clock);
      closing = closing.filter((viewer) => viewer.stop());
    }
    for (const viewer of closing) viewer.terminate();
  }
  return { viewers, rampUp, end };
}
