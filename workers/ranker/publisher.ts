import type { Clock } from '../../channels/clock.ts';
import { encodeContestFrame, encodeMatchFrame } from '../../channels/contest/message-codec.ts';
import { contestTopic, matchTopic } from '../../channels/contest/messages.ts';
import type { Ranking } from './ranking.ts';

/**
 * When frames are made: the first record after quiet makes one at once, what comes within `tickMs` after it
 * goes together into the next. A channel has at most one frame in `tickMs`, and no new one is begun before
 * the bus has taken the last: a slow bus makes frames fewer, not a queue longer.
 */
export interface Publisher {
  /** To be called whenever records were applied. */
  tick(): void;
  /** The channel is not wanted any more. */
  forget(channel: string): void;
  close(): void;
}

export interface PublisherParts {
  ranking: Pick<Ranking, 'touched' | 'takeContestFrame' | 'takeMatchFrame'>;
  clock: Clock;
  tickMs: number;
  /** Hands a frame on; resolves when the bus has it or has refused it. */
  say(channel: string, version: number, bytes: Uint8Array): Promise<void>;
  /** Measures a tick, ms. */
  elapsed(): number;
  onTick(ms: number): void;
}

export function createPublisher(parts: PublisherParts): Publisher {
  const { ranking, clock, tickMs, say, elapsed, onTick } = parts;
  const lastAt = new Map<string, number>();
  let underWay = false;
  let again = false;
  let closed = false;
  let armedFor = Number.POSITIVE_INFINITY;
  let disarm: (() => void) | null = null;

  function arm(at: number, now: number): void {
    if (at >= armedFor) return;
    disarm?.();
    armedFor = at;
    disarm = clock.after(at - now, () => {
      armedFor = Number.POSITIVE_INFINITY;
      disarm = null;
      tick();
    });
  }

  /** 0: publish now; else when. */
  function due(channel: string, now: number): number {
    const last = lastAt.get(channel);
    if (last !== undefined && now - last < tickMs) return last + tickMs;
    lastAt.set(channel, now);
    return 0;
  }

  function tick(): void {
    if (closed) return;
    if (underWay) {
      again = true;
      return;
    }
    const started = elapsed();
    const now = clock.now();
    const touched = ranking.touched();
    const said: Promise<void>[] = [];
    let later = Number.POSITIVE_INFINITY;
    for (const contest of touched.contests) {
      const channel = contestTopic(contest);
      const at = due(channel, now);
      if (at > 0) later = Math.min(later, at);
      else {
        const frame = ranking.takeContestFrame(contest);
        said.push(say(channel, frame.version, encodeContestFrame(frame)));
      }
    }
    for (const match of touched.matches) {
      const channel = matchTopic(match);
      const at = due(channel, now);
      if (at > 0) later = Math.min(later, at);
      else {
        const frame = ranking.takeMatchFrame(match);
        said.push(say(channel, frame.version, encodeMatchFrame(frame)));
      }
    }
    if (later < Number.POSITIVE_INFINITY) arm(later, now);
    if (said.length === 0) return;
    onTick(elapsed() - started);
    underWay = true;
    void Promise.allSettled(said).then(() => {
      underWay = false;
      if (!again) return;
      again = false;
      tick();
    });
  }

  return {
    tick,
    forget(channel) {
      lastAt.delete(channel);
    },
    close() {
      closed = true;
      disarm?.();
    },
  };
}
