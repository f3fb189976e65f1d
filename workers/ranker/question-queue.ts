import type { Clock } from '../../channels/clock.ts';

/**
 * Answers in the order asked, with a budget: while records are being applied, at most `budgetMs` of each
 * `windowMs` go into answers, so that a storm of questions never holds up the board. One that has waited
 * too long is dropped: whoever asked has given up and asks again.
 */
export interface QuestionQueue {
  /**
   * Runs `answer` when its turn comes. null: dropped (the queue is full, or the turn did not come within
   * `keepMs`). `answer` is synchronous work; what it throws rejects.
   */
  run<T>(answer: () => T, keepMs: number): Promise<T | null>;
  /** Drops all. */
  close(): void;
  readonly size: number;
  readonly dropped: number;
}

export interface QuestionQueueParts {
  clock: Clock;
  /** ms with fractions, for measuring work: `performance.now`. */
  elapsed(): number;
  /** Whether records were applied lately: only then does the budget hold. */
  busy(): boolean;
  windowMs: number;
  budgetMs: number;
  questionsMax: number;
}

interface Waiting {
  expiresAt: number;
  perform(): void;
  drop(): void;
}

export function createQuestionQueue(parts: QuestionQueueParts): QuestionQueue {
  const { clock, elapsed, busy, windowMs, budgetMs, questionsMax } = parts;
  let queue: Waiting[] = [];
  let next = 0;
  let windowEnds = 0;
  let spent = 0;
  let scheduled = false;
  let dropped = 0;
  let cancel: (() => void) | null = null;

  function schedule(ms: number): void {
    if (scheduled) return;
    scheduled = true;
    if (ms <= 0) setImmediate(pump);
    else cancel = clock.after(ms, pump);
  }

  /** One answer a turn of the event loop: what else is due comes in between. */
  function pump(): void {
    scheduled = false;
    const now = clock.now();
    if (now >= windowEnds) {
      windowEnds = now + windowMs;
      spent = 0;
    }
    while (next < queue.length && queue[next]!.expiresAt <= now) {
      dropped += 1;
      queue[next]!.drop();
      next += 1;
    }
    if (next < queue.length) {
      if (busy() && spent >= budgetMs) {
        schedule(windowEnds - now);
        return;
      }
      const started = elapsed();
      queue[next]!.perform();
      spent += elapsed() - started;
      next += 1;
    }
    if (next < queue.length) {
      schedule(0);
      return;
    }
    queue = [];
    next = 0;
  }

  return {
    run<T>(answer: () => T, keepMs: number): Promise<T | null> {
      if (queue.length - next >= questionsMax) {
        dropped += 1;
        return Promise.resolve(null);
      }
      if (next > 1_024) {
        queue = queue.slice(next);
        next = 0;
      }
      return new Promise((resolve, reject) => {
        queue.push({
          expiresAt: clock.now() + keepMs,
          drop: () => resolve(null),
          perform() {
            try {
              resolve(answer());
            } catch (error) {
              reject(error);
            }
          },
        });
        schedule(0);
      });
    },
    close() {
      cancel?.();
      for (let i = next; i < queue.length; i += 1) queue[i]!.drop();
      queue = [];
      next = 0;
    },
    get size() {
      return queue.length - next;
    },
    get dropped() {
      return dropped;
    },
  };
}
