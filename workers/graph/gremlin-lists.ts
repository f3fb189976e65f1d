import type { GraphEdge, PairState } from './graph.ts';

type List = 'followers' | 'following';

/**
 * What was read of a list and not yet asked for. A page costs a look at all follows of the user, so many are
 * read at once, and whoever pages on gets them from here: for a short time, and not once a write through this
 * graph touched the user.
 */
export interface ListWindows {
  /** The page behind `after`, where the one before ended there. */
  take(user: string, list: List, after: string | null, limit: number): GraphEdge[] | null;
  /** Keeps what is behind the first page, and answers that. `isAll`: nothing comes behind `rows`. */
  keep(user: string, list: List, rows: readonly GraphEdge[], limit: number, isAll: boolean): GraphEdge[];
  forget(states: readonly PairState[]): void;
}

interface Window {
  user: string;
  list: List;
  rows: readonly GraphEdge[];
  /** Where the next page begins. */
  next: number;
  isAll: boolean;
  until: number;
}

/** `now` in ms, of any beginning. */
export function createListWindows(windowMs: number, now: () => number): ListWindows {
  // One: repair goes through one list at a time.
  let window: Window | null = null;

  function page(from: Window, limit: number): GraphEdge[] {
    const rows = from.rows.slice(from.next, from.next + limit);
    from.next += rows.length;
    return rows;
  }

  return {
    take(user, list, after, limit) {
      if (window === null || window.user !== user || window.list !== list || now() > window.until)
        return null;
      const { rows, next, isAll } = window;
      if (after === null || rows[next - 1]?.other !== after) return null;
      if (!isAll && next + limit > rows.length) return null;
      return page(window, limit);
    },
    keep(user, list, rows, limit, isAll) {
      window = { user, list, rows, next: 0, isAll, until: now() + windowMs };
      return page(window, limit);
    },
    forget(states) {
      if (window === null) return;
      const { user } = window;
      if (states.some(({ from, to }) => from === user || to === user)) window = null;
    },
  };
}
