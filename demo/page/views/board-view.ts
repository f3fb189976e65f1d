/** The first rows of the leaderboard: each keeps its element, and glides to its new place. */
import type { Board, BoardRow } from '../../../client/contest-room.ts';
import { button, byId, element, setAttribute, write } from '../element.ts';
import type { Follows } from '../follows.ts';
import { count, points, userName } from '../format.ts';
import { flash, glideRows } from '../motion.ts';
import { createFollowButton, type FollowButton } from './follow-button.ts';

/** What fits beside the other parts without scrolling on. */
const rowsAtFirst = matchMedia('(min-width: 761px)').matches ? 14 : 10;
const rowsAtMost = 50;

export interface BoardView {
  show(board: Board | null, me: string): void;
}
interface RowParts {
  root: HTMLElement;
  rank: HTMLElement;
  move: HTMLElement;
  score: HTMLElement;
  follow: FollowButton | null;
  /** As shown last. */
  row: BoardRow;
}

export function createBoardView(follows: Follows): BoardView {
  const list = byId('board-rows');
  const parts = new Map<string, RowParts>();
  let limit = rowsAtFirst;
  let shown: Board | null = null;
  let me = '';
  const more = button(
    'Show more rows',
    { class: 'button quiet', hidden: true, 'aria-expanded': 'false' },
    () => {
      limit = limit === rowsAtFirst ? rowsAtMost : rowsAtFirst;
      setAttribute(more, 'aria-expanded', String(limit > rowsAtFirst));
      write(more, limit === rowsAtFirst ? 'Show more rows' : 'Show fewer rows');
      if (shown !== null) draw(shown);
    },
  );
  list.after(more);

  function draw(board: Board): void {
    const rows = board.top.slice(0, limit);
    glideRows(list, () => {
      const wanted = rows.map((row) => partsOf(row, board.scoreStep).root);
      const same =
        wanted.length === list.children.length && wanted.every((root, at) => list.children[at] === root);
      if (!same) list.replaceChildren(...wanted);
    });
    const there = new Set(rows.map(({ entry }) => entry));
    for (const entry of parts.keys()) if (!there.has(entry)) parts.delete(entry);
    more.hidden = board.top.length <= rowsAtFirst;
  }

  function partsOf(row: BoardRow, scoreStep: number): RowParts {
    const known = parts.get(row.entry);
    const its = known ?? createRow(row, row.user === me ? null : createFollowButton(row.user, follows));
    parts.set(row.entry, its);
    setAttribute(its.root, 'data-rank', String(row.rank));
    write(its.rank, count(row.rank));
    write(its.score, points(row.score * scoreStep));
    const moved = its.row.rank - row.rank;
    if (moved !== 0) {
      showMove(its.move, moved);
      flash(its.root, moved > 0 ? 'up' : 'down');
    }
    its.row = row;
    return its;
  }

  return {
    show: (board, user) => {
      me = user;
      for (const { follow } of parts.values()) follow?.show();
      if (board === null || board === shown) return;
      shown = board;
      const prizes = board.prizes > 0 ? `, the first ${count(board.prizes)} win` : '';
      write(byId('board-total'), `${count(board.total)} teams${prizes}`);
      draw(board);
      setAttribute(list, 'data-version', String(board.version));
      setAttribute(list, 'aria-busy', 'false');
    },
  };
}

function createRow(row: BoardRow, follow: FollowButton | null): RowParts {
  const rank = element('span', { class: 'rank' });
  const move = element('span', { class: 'move' });
  const score = element('span', { class: 'score' });
  const root = element(
    'li',
    { class: follow === null ? 'mine' : '', 'data-entry': row.entry },
    rank,
    move,
    element('span', { class: 'name' }, follow === null ? 'You' : userName(row.user)),
    score,
    follow === null ? element('span', { class: 'tag' }, 'yours') : follow.root,
  );
  return { root, rank, move, score, follow, row };
}

function showMove(into: HTMLElement, moved: number): void {
  const up = moved > 0;
  into.className = `move ${up ? 'up' : 'down'}`;
  write(into, `${up ? '▲' : '▼'}${Math.abs(moved)}`);
  setAttribute(into, 'title', `${up ? 'up' : 'down'} ${Math.abs(moved)}`);
}
