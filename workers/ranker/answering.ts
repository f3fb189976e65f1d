import type { Logger } from 'pino';
import type { Clock } from '../../channels/clock.ts';
import {
  decodeQuestion,
  encodePageAnswer,
  encodeRanksAnswer,
  encodeWantAnswer,
  encodeWhoAnswer,
} from '../../channels/contest/message-codec.ts';
import type { PageAnswer, PageQuestion, Question, RanksQuestion } from '../../channels/contest/messages.ts';
import type { Pages } from '../../channels/pages/pages.ts';
import { type Order, type Orders, orderRows, pageRowsMax } from './orders.ts';
import type { QuestionQueue } from './question-queue.ts';
import type { RankerMetrics } from './ranker-metrics.ts';
import type { Ranking } from './ranking.ts';
import type { Waiters } from './waiters.ts';
import type { Wants } from './wants.ts';

/** What questions may hold; one that holds more is not answered. */
const namesPerWantMax = 1_000;
const usersPerWhoMax = 256;
const entriesPerRanksMax = 500;

/** Answers questions about one partition; null leaves a question to others (or to be asked again). */
export type Answer = (question: Uint8Array) => Promise<Uint8Array | null>;

export interface AnsweringParts {
  ranking: Ranking;
  wants: Wants;
  orders: Orders;
  queue: QuestionQueue;
  waiters: Waiters;
  pages: Pages | null;
  clock: Clock;
  logger: Logger;
  metrics: Pick<RankerMetrics, 'questions' | 'answerSeconds'>;
  /** Until the partition has caught up, its answers would be old. */
  ready(): boolean;
  keepMs: number;
  waitMsMax: number;
  pageExpireMs: number;
}

export function createAnswering(parts: AnsweringParts): Answer {
  const { ranking, wants, queue, waiters, clock, logger, metrics, keepMs, waitMsMax } = parts;
  const page = createPageAnswers(parts);

  async function ranks(question: RanksQuestion): Promise<Uint8Array | null> {
    if (!(await waiters.wait(question.minVersion, Math.min(question.waitMs, waitMsMax)))) {
      const { version } = ranking;
      return encodeRanksAnswer({
        outcome: 'timeout',
        version,
        appliedVersion: version,
        scoreStep: 1,
        ranks: [],
      });
    }
    return queue.run(() => encodeRanksAnswer(ranking.ranks(question.contest, question.entries)), keepMs);
  }

  async function answer(question: Question): Promise<Uint8Array | null> {
    switch (question.q) {
      case 'want':
        return queue.run(() => {
          const answered = wants.answer(question);
          return answered === null ? null : encodeWantAnswer(answered);
        }, keepMs);
      case 'who':
        return queue.run(() => encodeWhoAnswer(ranking.who(question.contest, question.users)), keepMs);
      case 'ranks':
        return ranks(question);
      case 'page':
        return page(question);
      default:
        return question satisfies never;
    }
  }

  return async (bytes) => {
    if (!parts.ready()) return null;
    const started = clock.now();
    let name = 'unknown';
    try {
      const question = decodeQuestion(bytes);
      name = question.q;
      checkBounds(question);
      const answered = await answer(question);
      metrics.questions.inc({ question: name, outcome: answered === null ? 'dropped' : 'answered' });
      metrics.answerSeconds.observe({ question: name }, (clock.now() - started) / 1_000);
      return answered;
    } catch (error) {
      metrics.questions.inc({ question: name, outcome: 'failed' });
      logger.warn({ err: error, question: name }, 'a question could not be answered');
      return null;
    }
  };
}

function checkBounds(question: Question): void {
  const check = (count: number, max: number, what: string): void => {
    if (count > max)
      throw new RangeError(`a ${question.q} question of ${count} ${what}; at most ${max} are taken`);
  };
  if (question.q === 'want')
    check(question.contests.length + question.matches.length, namesPerWantMax, 'names');
  else if (question.q === 'who') check(question.users.length, usersPerWhoMax, 'users');
  else if (question.q === 'ranks') check(question.entries.length, entriesPerRanksMax, 'entries');
  else if (!Number.isSafeInteger(question.page) || question.page < 0) {
    throw new RangeError(`a page question for page ${question.page}`);
  }
}

/** Pages; each one made is also left behind for when no ranker can be asked. */
function createPageAnswers(parts: AnsweringParts): (question: PageQuestion) => Promise<Uint8Array | null> {
  const { ranking, orders, queue, waiters, pages, clock, logger, keepMs, waitMsMax, pageExpireMs } = parts;
  const without = (outcome: 'unknown' | 'timeout'): Uint8Array =>
    encodePageAnswer({ outcome, version: ranking.version, total: 0, scoreStep: 1, rows: [] });
  let leaving = 0;

  /** A slow store gets fewer pages, not a queue. */
  function leaveBehind(
    contest: string,
    page: number,
    epoch: string,
    version: number,
    bytes: Uint8Array,
  ): void {
    if (pages === null || leaving >= 16) return;
    leaving += 1;
    pages
      .put(contest, page, epoch, version, bytes, pageExpireMs)
      .catch((error: unknown) =>
        logger.warn({ err: error, contest, page }, 'a page could not be left behind'),
      )
      .finally(() => {
        leaving -= 1;
      });
  }

  function make(question: PageQuestion, order: Order): Uint8Array {
    const info = ranking.contest(question.contest);
    if (info === null) return without('unknown');
    const start = question.page * pageRowsMax;
    const answer: PageAnswer = {
      outcome: 'ok',
      version: order.version,
      total: order.ordinals.length,
      scoreStep: info.scoreStep,
      rows: orderRows(order, start, start + pageRowsMax, ranking.names),
    };
    const bytes = encodePageAnswer(answer);
    if (answer.rows.length > 0)
      leaveBehind(question.contest, question.page, info.epoch, order.version, bytes);
    return bytes;
  }

  return async (question) => {
    const wait = Math.min(question.waitMs, waitMsMax);
    // Without a version to wait for, an order still has to be computed.
    const deadlineAt = clock.now() + Math.max(wait, keepMs);
    if (!(await waiters.wait(question.minVersion, wait))) return without('timeout');
    const order = await queue.run(
      () => orders.get(question.contest, question.minVersion, deadlineAt),
      keepMs,
    );
    if (order === null) return null;
    if (typeof order === 'string') return without(order);
    return queue.run(() => make(question, order), keepMs);
  };
}
