import type { Clock } from '../../channels/clock.ts';
import type { OrderInput, Ranking } from './ranking.ts';

/**
 * Whole orders of contests, for pages: at most one computation of a contest in `intervalMs`, shared by all
 * who ask meanwhile. An order is exact at its own version, which may be up to `intervalMs` old.
 */
export interface Orders {
  /**
   * An order at `minVersion` or later, which the ranking must have reached. `timeout`: not before
   * `deadlineAt`; `unknown`: no such contest.
   */
  get(contest: string, minVersion: number, deadlineAt: number): Promise<Order | 'unknown' | 'timeout'>;
  /** Lets go of orders that nobody asked for lately. */
  sweep(): void;
}
export interface Order {
  contest: string;
  version: number;
  /** Entries present, by score, greatest first, equal scores by first appearance. */
  ordinals: Uint32Array;
  /** Score by ordinal. */
  scores: OrderInput['scores'];
}

export interface OrdersParts {
  ranking: Pick<Ranking, 'version' | 'orderInput'>;
  clock: Clock;
  intervalMs: number;
  keepMs: number;
  /** Sorts, elsewhere where it is much. */
  sort(input: OrderInput): Promise<Order>;
}

interface Slot {
  order: Order | null;
  startedAt: number;
  /** Version of the order being computed. */
  running: { version: number; done: Promise<void> } | null;
  usedAt: number;
}

export function createOrders({ ranking, clock, intervalMs, keepMs, sort }: OrdersParts): Orders {
  const slots = new Map<string, Slot>();

  function usable(slot: Slot, asked: number): Order | null {
    const { order } = slot;
    if (order === null || order.version < asked) return null;
    const young = intervalMs > 0 && clock.now() - slot.startedAt < intervalMs;
    return young || order.version === ranking.version ? order : null;
  }

  /** false: there is no such contest. */
  function start(contest: string, slot: Slot): boolean {
    const input = ranking.orderInput(contest);
    if (input === null) return false;
    slot.startedAt = clock.now();
    const done = sort(input).then(
      (order) => {
        slot.order = order;
        slot.running = null;
      },
      (error: unknown) => {
        slot.running = null;
        throw error;
      },
    );
    slot.running = { version: input.version, done };
    return true;
  }

  /** false: the deadline came first. */
  function within(promise: Promise<void>, deadlineAt: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const cancel = clock.after(Math.max(0, deadlineAt - clock.now()), () => resolve(false));
      promise.then(
        () => {
          cancel();
          resolve(true);
        },
        (error: unknown) => {
          cancel();
          reject(error);
        },
      );
    });
  }

  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));

  return {
    async get(contest, minVersion, deadlineAt) {
      // Always fresh means: nothing older than the moment of the question.
      const asked = intervalMs === 0 ? Math.max(minVersion, ranking.version) : minVersion;
      let slot = slots.get(contest);
      if (slot === undefined) {
        slot = { order: null, startedAt: Number.NEGATIVE_INFINITY, running: null, usedAt: 0 };
        slots.set(contest, slot);
      }
      slot.usedAt = clock.now();
      for (;;) {
        const order = usable(slot, asked);
        if (order !== null) return order;
        const wait = slot.startedAt + intervalMs - clock.now();
        if (slot.running !== null) {
          const { version, done } = slot.running;
          if (!(await within(done, deadlineAt))) return 'timeout';
          // Computed while we waited: new enough whatever its age is by now.
          if (version >= asked && slot.order !== null && slot.order.version >= version) return slot.order;
        } else if (wait > 0) {
          if (!(await within(pause(wait), deadlineAt))) return 'timeout';
        } else if (!start(contest, slot)) {
          slots.delete(contest);
          return 'unknown';
        }
      }
    },
    sweep() {
      const before = clock.now() - keepMs;
      for (const [contest, slot] of slots) {
        if (slot.usedAt < before && slot.running === null) slots.delete(contest);
      }
    },
  };
}

export const pageRowsMax = 500;

export type Row = [rank: number, entry: string, score: number];

/** Rows `start` to `end` of an order; ranks as in competitions (1-2-2-4). */
export function orderRows(order: Order, start: number, end: number, names: Ranking['names']): Row[] {
  const { ordinals, scores } = order;
  const slice = ordinals.subarray(start, end);
  if (slice.length === 0) return [];
  const named = names(order.contest, slice);
  let score = scores[slice[0]!]!;
  let rank = firstOf(order, score) + 1;
  const rows: Row[] = [];
  for (let i = 0; i < slice.length; i += 1) {
    const own = scores[slice[i]!]!;
    if (own !== score) {
      score = own;
      rank = start + i + 1;
    }
    rows.push([rank, named[i]!.entry, own]);
  }
  return rows;
}

/** Entry, score and rank at each of the places. */
export function orderRanks(
  order: Order,
  places: Uint32Array,
  names: Ranking['names'],
): [entry: string, score: number, rank: number][] {
  if (places.length === 0) return [];
  const ordinals = places.map((place) => order.ordinals[place]!);
  return names(order.contest, ordinals).map(({ entry }, i) => {
    const score = order.scores[ordinals[i]!]!;
    return [entry, score, firstOf(order, score) + 1];
  });
}

/** Index of the first entry with that score, by halving: scores fall. */
function firstOf({ ordinals, scores }: Order, score: number): number {
  let low = 0;
  let high = ordinals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (scores[ordinals[middle]!]! > score) low = middle + 1;
    else high = middle;
  }
  return low;
}
