/** Fans that notice who has entered a team: a handful follow within a minute, so that a new feed has news. */
import type { Clock } from '../client/clock.ts';
import { pause } from './pause.ts';
import type { Random } from './random.ts';

export interface AdmirersOptions {
  /** Of the follow graph. */
  fans: readonly string[];
  random: Random;
  clock: Clock;
  signal: AbortSignal;
  follow(from: string, to: string): Promise<void>;
  onError(error: unknown): void;
}

/** Of one user at most, however many teams. */
const admirersMax = 8;
/** The first comes soon, the others take their time. */
const waitMs = { first: 2_500, least: 4_000, most: 14_000 } as const;

/** Begins to notice a user; once for each. */
export function createAdmirers(options: AdmirersOptions): (user: string) => void {
  const noticed = new Set<string>();
  return (user) => {
    if (noticed.has(user)) return;
    noticed.add(user);
    void admire(options, user);
  };
}

async function admire({ fans, random, clock, signal, follow, onError }: AdmirersOptions, user: string) {
  for (let n = 0; n < admirersMax; n++) {
    const wait = waitMs.least + random() * (waitMs.most - waitMs.least);
    await pause(n === 0 ? waitMs.first : wait, clock, signal);
    const fan = fans[Math.floor(random() * fans.length)];
    if (signal.aborted || fan === undefined) return;
    try {
      await follow(fan, user);
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
  }
}
