import type { Clock } from '../channels/clock.ts';
import type { LiveOptions } from './live-options.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/**
 * Moves all sockets elsewhere: `move` to every one, in steps, so that this takes no long turn; each client
 * then chooses its own moment within the window. Those still here when it is over are ended with `moved`, in
 * steps again. Once the last one has gone nothing is left to wait for.
 */
export interface Drain {
  /** When the window ends, by the clock. */
  readonly until: number;
  /** Resolves when no socket is left. */
  readonly done: Promise<void>;
  /** To be called when a session has closed. */
  onClosed(): void;
  /** For a socket that came after the drain began. */
  greet(session: Session): void;
  stop(): void;
}

export function startDrain(parts: {
  sessions: Sessions;
  clock: Clock;
  options: LiveOptions;
  windowMs: number;
}): Drain {
  const { sessions, clock, options, windowMs } = parts;
  const until = clock.now() + windowMs;
  let over = false;
  let resolveDone: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    resolveDone = resolve;
  });

  function finish(): void {
    over = true;
    endWindow();
    resolveDone();
  }

  function greet(session: Session): void {
    session.reply({ t: 'move', withinMs: Math.max(0, until - clock.now()) });
  }

  /** Tells the next batch of those who were here at the beginning. */
  function tell(left: Session[]): void {
    if (over) return;
    for (const session of left.splice(0, options.drainBatchSockets)) {
      if (session.phase === 'ready') greet(session);
    }
    if (left.length > 0) clock.after(options.drainStepMs, () => tell(left));
  }

  function endLeft(): void {
    if (over) return;
    const batch = sessions.list.slice(0, options.drainBatchSockets);
    for (const session of batch) session.end('moved', 'This edge is going; reconnect to another.');
    if (sessions.size > 0) clock.after(options.drainStepMs, endLeft);
    else finish();
  }

  function onClosed(): void {
    if (!over && sessions.size === 0) finish();
  }

  const endWindow = clock.after(windowMs, endLeft);
  tell([...sessions.list]);
  onClosed();
  return { until, done, onClosed, greet, stop: finish };
}
