/** Both sides' players and their points: the best first, mine marked, what the last ball brought beside. */
import type { Entry } from '../../../client/contest-room.ts';
import { byId, element, setAttribute, write } from '../element.ts';
import { points } from '../format.ts';
import { flash, glideRows, movesLess } from '../motion.ts';
import type { PageMatch, PagePlayer } from '../page-match.ts';
import { badge, weightOf } from './eleven-view.ts';

export interface PlayersView {
  show(playerPoints: ReadonlyMap<string, number>, entries: readonly Entry[]): void;
}
interface Row {
  root: HTMLElement;
  marks: HTMLElement;
  gain: HTMLElement;
  score: HTMLElement;
  bar: HTMLElement;
  shown: number | null;
}

export function createPlayersView(match: PageMatch): PlayersView {
  const rows = new Map(match.players.map((player) => [player.id, createRow(player)]));
  const sides = match.teams.map((team, place) => {
    const list = element('ol', { class: 'players' });
    const players = match.players.filter((player) => player.team === place);
    list.append(...players.map(({ id }) => (rows.get(id) as Row).root));
    return { list, players, root: element('div', {}, element('h3', {}, team.name), list) };
  });
  byId('player-lists').replaceChildren(...sides.map(({ root }) => root));
  let marked = '';
  return {
    show: (playerPoints, entries) => {
      const marks = JSON.stringify(entries);
      if (marks !== marked) {
        marked = marks;
        for (const [id, row] of rows) showMarks(row, id, entries);
      }
      if (playerPoints.size === 0) return;
      const most = Math.max(1, ...playerPoints.values());
      const changed = [...rows].filter(([id, row]) => row.shown !== (playerPoints.get(id) ?? 0));
      if (changed.length === 0) return;
      for (const [id, row] of rows) {
        row.bar.style.transform = `scaleX(${Math.max(0, (playerPoints.get(id) ?? 0) / most)})`;
      }
      for (const [id, row] of changed) showPoints(row, playerPoints.get(id) ?? 0);
      for (const { list, players } of sides) sortRows(list, players, playerPoints, rows);
    },
  };
}

function createRow(player: PagePlayer): Row {
  const marks = element('span', { class: 'marks' });
  const gain = element('span', { class: 'gain', 'aria-hidden': 'true' });
  const score = element('span', { class: 'score' }, '–');
  const bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
  const name = element('span', { class: 'name' }, player.name);
  const root = element('li', { 'data-player': player.id }, name, marks, gain, score, bar);
  return { root, marks, gain, score, bar, shown: null };
}

function showMarks(row: Row, player: string, entries: readonly Entry[]): void {
  const its = entries.filter(({ players }) => players?.includes(player));
  const best = its.reduce((most, entry) => Math.max(most, weightOf(entry, player)), 0);
  row.root.classList.toggle('mine', best > 0);
  const own = element('span', { class: 'badge own', title: 'in your team' }, '✓');
  row.marks.replaceChildren(...(best === 0 ? [] : [best === 1 ? own : badge(best)]));
}

function showPoints(row: Row, now: number): void {
  const gained = row.shown === null ? 0 : now - row.shown;
  row.shown = now;
  write(row.score, points(now));
  setAttribute(row.root, 'data-points', String(now));
  if (gained === 0) return;
  write(row.gain, `${gained > 0 ? '+' : '−'}${points(Math.abs(gained))}`);
  row.gain.className = `gain ${gained > 0 ? 'up' : 'down'}`;
  flash(row.root, gained > 0 ? 'up' : 'down');
  // it stands for a while, then goes: at once, where fading is not wanted
  row.gain.animate([{ opacity: 1 }, { opacity: 1, offset: 0.95 }, { opacity: 0 }], {
    duration: 4_000,
    easing: movesLess() ? 'steps(1)' : 'linear',
    fill: 'forwards',
  });
}

function sortRows(
  list: HTMLElement,
  players: readonly PagePlayer[],
  playerPoints: ReadonlyMap<string, number>,
  rows: ReadonlyMap<string, Row>,
): void {
  const pointsOf = ({ id }: PagePlayer): number => playerPoints.get(id) ?? 0;
  const wanted = [...players]
    .sort((a, b) => pointsOf(b) - pointsOf(a))
    .map(({ id }) => (rows.get(id) as Row).root);
  if (wanted.every((root, at) => list.children[at] === root)) return;
  glideRows(list, () => list.replaceChildren(...wanted));
}
