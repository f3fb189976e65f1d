import type { Logger } from 'pino';
import type { Clock } from '../../channels/clock.ts';
import { encodePageAnswer } from '../../channels/contest/message-codec.ts';
import { smallContestEntriesMax } from '../../channels/contest/messages.ts';
import type { Pages } from '../../channels/pages/pages.ts';
import { ServiceError } from '../../proto/codes.ts';
import type { Archive } from '../archive/archive.ts';
import { archiveRanks } from '../archive/archive-ranks.ts';
import { archiveBoard } from '../archive/archive-worker.ts';
import type { FinalState } from './finals.ts';
import { type Order, type Orders, orderRanks, orderRows, pageRowsMax } from './orders.ts';
import type { Ranking } from './ranking.ts';

/** Puts leaderboards into the archive: final ones whole, large ones now and then with their first pages. */
export interface Boards {
  /** All boards of what is final. One that the archive has already is left alone. */
  archiveFinal(final: FinalState): Promise<void>;
  /** Large contests that changed since the last round. */
  round(): void;
  idle(): Promise<void>;
  close(): void;
}

export interface BoardsParts {
  ranking: Ranking;
  orders: Orders;
  archive: Archive;
  clock: Clock;
  logger: Logger;
  intervalPages: number;
  /** Where the pages of what is final stay for readers; null: nowhere. */
  pages: Pages | null;
  finalPagesMax: number;
  pageExpireMs: number;
  onArchived(): void;
}

/** Waiting for an order: sorting ten million takes a few seconds where the machine is busy. */
const orderWaitMs = 60_000;

export function createBoards(parts: BoardsParts): Boards {
  const { ranking, orders, archive, clock, logger, intervalPages, pages, onArchived } = parts;
  const archivedAt = new Map<string, number>();
  let running: Promise<void> | null = null;
  let closed = false;

  async function save(contest: string, minVersion: number, final: boolean): Promise<void> {
    const order = await orders.get(contest, minVersion, clock.now() + orderWaitMs);
    const info = ranking.contest(contest);
    if (order === 'unknown' || info === null) return;
    if (order === 'timeout') throw new ServiceError(`the order of contest ${contest} took too long`, true);
    const at = ranking.snapshotContest(contest)?.at ?? 0;
    const board = {
      contest,
      // What is final does not change: the same version whenever it is archived.
      version: final ? minVersion : order.version,
      at,
      total: order.ordinals.length,
      scoreStep: info.scoreStep,
      final,
      rows(start: number, end: number) {
        // A board of millions takes a while: what is being closed does not wait for it.
        if (closed) throw new ServiceError('closed', true);
        return orderRows(order, start, end, ranking.names);
      },
      ranks: (places: Uint32Array) => orderRanks(order, places, ranking.names),
    };
    if (final) {
      await leaveBehind(order, minVersion, info.epoch, info.scoreStep);
      await archiveRanks(archive, board);
    }
    await archiveBoard(archive, board, final ? Number.POSITIVE_INFINITY : intervalPages);
    archivedAt.set(contest, at);
    onArchived();
  }

  /** Readers go on reading a board that has left memory: its first pages stay beside it. */
  async function leaveBehind(order: Order, version: number, epoch: string, scoreStep: number): Promise<void> {
    if (pages === null) return;
    const { contest, ordinals } = order;
    const total = ordinals.length;
    const count = Math.min(parts.finalPagesMax, Math.max(1, Math.ceil(total / pageRowsMax)));
    for (let page = 0; page < count; page += 1) {
      const start = page * pageRowsMax;
      const rows = orderRows(order, start, start + pageRowsMax, ranking.names);
      const bytes = encodePageAnswer({ outcome: 'ok', version, total, scoreStep, rows });
      await pages.put(contest, page, epoch, version, bytes, parts.pageExpireMs);
    }
  }

  async function saveLarge(): Promise<void> {
    const large = [...ranking.contests()].filter(
      (info) => !info.final && info.total > smallContestEntriesMax,
    );
    for (const { contest } of large) {
      if (closed) return;
      const at = ranking.snapshotContest(contest)?.at;
      if (at === undefined || archivedAt.get(contest) === at) continue;
      try {
        await save(contest, 0, false);
      } catch (error) {
        logger.warn({ err: error, contest }, 'a board could not be archived; the next round tries again');
      }
    }
  }

  return {
    async archiveFinal({ kind, id, version }) {
      const contests = kind === 'match' ? [...(ranking.match(id)?.contests ?? [])] : [id];
      for (const contest of contests) {
        if (closed) throw new ServiceError('closed', true);
        const [newest] = await archive.versions(contest, 1);
        if (newest?.final !== true) await save(contest, version, true);
        archivedAt.delete(contest);
      }
    },
    round() {
      if (running !== null || closed) return;
      running = saveLarge().finally(() => {
        running = null;
      });
    },
    idle: () => running ?? Promise.resolve(),
    close() {
      closed = true;
    },
  };
}
