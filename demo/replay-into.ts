/** Posts a replay into a gateway, delivery by delivery, at a speed. */
import type { Clock } from '../client/clock.ts';
import type { ContestEvent } from '../proto/records.ts';
import { pause } from './pause.ts';
import type { Replay } from './replay.ts';

/**
 * Writes records to the log, in order; rejects when they are not (all) taken. Called again only after it
 * resolved.
 */
export type Post = (records: ContestEvent[]) => Promise<void>;

export interface ReplayIntoOptions {
  post: Post;
  replay: Replay;
  clock: Clock;
  /** Deliveries per second; 0: as fast as they are taken. */
  speed: number;
  /** The first delivery to post, from 0; above 0, the match and its start are taken as posted before. */
  from?: number;
  /** Whether the match is ended by a `final` record. */
  final?: boolean;
  /** Ends the replay before the next delivery. */
  signal?: AbortSignal;
  /** After delivery k was taken. */
  onDelivery?: (k: number, label: string) => void;
}

/** The slowest speed that makes sense: a delivery a minute. */
export const replaySpeedMin = 1 / 60;
/** Faster than any machine takes them: use 0. */
export const replaySpeedMax = 1_000;

/**
 * Resolves with the number of deliveries posted once all are taken (or the signal came); rejects as `post`
 * does. Times of records rise strictly, also where the clock stands still or goes back.
 */
export async function replayInto(options: ReplayIntoOptions): Promise<number> {
  const { post, replay, clock, speed, signal } = options;
  if (!(speed === 0 || (speed >= replaySpeedMin && speed <= replaySpeedMax))) {
    throw new RangeError(
      `speed: ${speed} is not 0 (as fast as possible) or 1/60 to ${replaySpeedMax} deliveries a second`,
    );
  }
  const from = options.from ?? 0;
  if (!Number.isInteger(from) || from < 0 || from > replay.deliveries) {
    throw new RangeError(`from: ${from} is not a delivery from 0 to ${replay.deliveries}`);
  }
  let last = 0;
  const stamp = (): number => {
    last = Math.max(clock.now(), last + 1);
    return last;
  };
  if (from === 0) {
    const start = stamp();
    await post([replay.matchRecord(start, start), ...replay.opening(stamp())]);
  }
  const begun = clock.now();
  let posted = 0;
  for (let k = from; k < replay.deliveries; k++) {
    if (speed > 0) await pause(begun + (k - from + 1) * (1_000 / speed) - clock.now(), clock, signal);
    if (signal?.aborted) return posted;
    await post(replay.delivery(k, stamp()));
    posted += 1;
    options.onDelivery?.(k, replay.label(k));
  }
  if (options.final ?? true) await post([replay.final(stamp())]);
  return posted;
}
