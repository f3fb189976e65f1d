import type { Logger } from 'pino';
import type { Clock } from '../../channels/clock.ts';
import type { WhoAnswer } from '../../channels/contest/messages.ts';
import type { LiveOptions } from '../live-options.ts';
import type { LiveStats } from '../live-stats.ts';
import type { UserView } from './user-view.ts';

/**
 * Asks whose entries are whose: views that ask within `whoDelayMs` share a question of up to `whoUsersMax`
 * users; a contest has one question under way at a time, the edge at most `whoQuestionsMax`. What fails is
 * asked again.
 */
export interface WhoQueue {
  ask(contest: WhoAsker, view: UserView): void;
}

/** A contest's side of it. */
export interface WhoAsker {
  readonly who: WhoLine;
  askWho(users: string[]): Promise<WhoAnswer>;
  /** Takes the answer for views that still want it; those left in the line are asked for again. */
  onWho(views: readonly UserView[], answer: WhoAnswer): void;
  /** Whether anybody is on the contest still. */
  readonly used: boolean;
}

/** Views of one contest that wait for their turn. */
export class WhoLine {
  views: UserView[] = [];
  /** In the queue, under way, or waiting for a pause to end. */
  busy = false;
  failures = 0;
}

export interface WhoParts {
  clock: Clock;
  options: LiveOptions;
  stats: LiveStats;
  logger: Logger;
}

export function createWhoQueue(parts: WhoParts): WhoQueue {
  const { clock, options, stats, logger } = parts;
  const ready: WhoAsker[] = [];
  let underWay = 0;

  function queueAfter(ms: number, contest: WhoAsker): void {
    clock.after(ms, () => {
      ready.push(contest);
      pump();
    });
  }

  function pump(): void {
    while (underWay < options.whoQuestionsMax && ready.length > 0) {
      underWay++;
      void run(ready.shift()!);
    }
  }

  async function run(contest: WhoAsker): Promise<void> {
    const { who } = contest;
    const batch = take(who);
    let pauseMs = 0;
    if (batch.length > 0 && contest.used) {
      stats.whoQuestions++;
      stats.whoUsers += batch.length;
      try {
        const answer = await contest.askWho(batch.map((view) => view.user));
        who.failures = 0;
        const before = who.views.length;
        contest.onWho(batch, answer);
        if (who.views.length > before) pauseMs = options.whoAgainMs;
      } catch (error) {
        stats.whoFailures++;
        who.views = batch.concat(who.views);
        pauseMs = Math.min(options.whoRetryMaxMs, options.whoAgainMs * 2 ** Math.min(10, who.failures++));
        logger.warn({ err: error, users: batch.length, pauseMs }, 'who could not be answered');
      }
    }
    underWay--;
    if (who.views.length > 0 && contest.used) queueAfter(pauseMs, contest);
    else who.busy = false;
    pump();
  }

  /** The next batch; views whose user has left are let go. */
  function take(who: WhoLine): UserView[] {
    const batch: UserView[] = [];
    let at = 0;
    while (at < who.views.length && batch.length < options.whoUsersMax) {
      const view = who.views[at++]!;
      if (view.subs.length > 0) batch.push(view);
      else view.asking = false;
    }
    who.views = who.views.slice(at);
    return batch;
  }

  return {
    ask(contest, view) {
      if (view.asking) return;
      view.asking = true;
      contest.who.views.push(view);
      if (contest.who.busy) return;
      contest.who.busy = true;
      queueAfter(options.whoDelayMs, contest);
    },
  };
}
