import type { Logger } from 'pino';
import type { Clock } from '../../channels/clock.ts';
import { encodeContestSnapshot } from '../../channels/contest/message-codec.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import type { RankedSets, SetRow } from '../../channels/sets/ranked-sets.ts';
import type { Order, Orders } from './orders.ts';
import { orderRows } from './orders.ts';
import type { Ranking } from './ranking.ts';

/**
 * What a ranker leaves behind for when it cannot be asked: `frame_<contest>` (its snapshot) for every
 * wanted contest that changed, and `top_<contest>` (its first rows) for the large ones; each at most once
 * in an interval.
 */
export interface Keepsakes {
  changed(contest: string): void;
  /**
   * Writes what changed; to be called once in an interval. One round at a time; a slow store makes rounds
   * fewer.
   */
  round(): void;
  /** Writes this contest now, wanted or not. */
  write(contest: string): Promise<void>;
  forget(contest: string): void;
  idle(): Promise<void>;
  close(): void;
}

export interface KeepsakesParts {
  ranking: Ranking;
  orders: Orders;
  lookup: Lookup;
  sets: RankedSets | null;
  clock: Clock;
  logger: Logger;
  expireMs: number;
  topRowsMax: number;
  /** A top that takes longer is left for the next round. */
  topWaitMs: number;
}

/**
 * A longer snapshot (a `scores` contest of very many distinct scores) is not left behind: no store takes
 * it.
 */
const snapshotBytesMax = 4 * 1024 * 1024;
/** After so many failures in a round the store is down; the next round tries again. */
const failuresMax = 8;
/** Snapshots made in one turn of the event loop. */
const together = 8;

export function createKeepsakes(parts: KeepsakesParts): Keepsakes {
  const { ranking, orders, lookup, sets, clock, logger, expireMs, topRowsMax, topWaitMs } = parts;
  const waiting = new Set<string>();
  let running: Promise<void> | null = null;
  let closed = false;

  async function write(contest: string): Promise<void> {
    const snapshot = ranking.snapshotContest(contest);
    if (snapshot === null) return;
    const bytes = encodeContestSnapshot(snapshot);
    if (bytes.byteLength <= snapshotBytesMax) {
      await lookup.put(`frame_${contest}`, snapshot.version, bytes, expireMs);
    }
    if (sets !== null && ranking.contest(contest)?.large === true) await writeTop(sets, contest);
  }

  async function writeTop(into: RankedSets, contest: string): Promise<void> {
    const order = await orders.get(contest, 0, clock.now() + topWaitMs);
    if (typeof order === 'string') return;
    await into.replace(`top_${contest}`, order.version, topRows(order, topRowsMax, ranking.names));
  }

  async function writeAll(): Promise<void> {
    const contests = [...waiting];
    waiting.clear();
    let failures = 0;
    for (let i = 0; i < contests.length && !closed; i += together) {
      const some = contests.slice(i, i + together);
      const results = await Promise.allSettled(some.map(write));
      results.forEach((result, no) => {
        if (result.status === 'fulfilled') return;
        failures += 1;
        waiting.add(some[no]!);
        logger.warn(
          { err: result.reason as unknown, contest: some[no] },
          'a last state could not be left behind',
        );
      });
      if (failures >= failuresMax) {
        for (const contest of contests.slice(i + together)) waiting.add(contest);
        return;
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  return {
    changed(contest) {
      waiting.add(contest);
    },
    round() {
      if (running !== null || waiting.size === 0 || closed) return;
      running = writeAll().finally(() => {
        running = null;
      });
    },
    write,
    forget(contest) {
      waiting.delete(contest);
    },
    idle: () => running ?? Promise.resolve(),
    close() {
      closed = true;
    },
  };
}

const ordinalMax = 0xffff_ffff;

/**
 * Rows for a sorted set that lists equal scores by member, greatest first: the member begins with eight
 * hexadecimal digits that fall as ordinals rise, so that first appearance comes first; the entry follows
 * after a colon.
 */
function topRows(order: Order, rowsMax: number, names: Ranking['names']): SetRow[] {
  const rows = orderRows(order, 0, rowsMax, names);
  return rows.map(([, entry, score], i) => [
    `${(ordinalMax - order.ordinals[i]!).toString(16).padStart(8, '0')}:${entry}`,
    score,
  ]);
}
