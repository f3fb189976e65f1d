/** My teams: rank of how many, arrow, percentile, points, the line of the match, the eleven. */
import type { Entry } from '../../../client/contest-room.ts';
import { button, byId, element, setAttribute, write } from '../element.ts';
import { count, percent, points } from '../format.ts';
import { flash, movesLess } from '../motion.ts';
import type { PageMatch } from '../page-match.ts';
import type { RankHistory } from '../rank-history.ts';
import { createElevenView, type ElevenView } from './eleven-view.ts';
import { createHistoryLine, type HistoryFrame, type HistoryLine } from './history-line.ts';

export interface TeamsModel {
  /** null: not told yet. */
  entries: readonly Entry[] | null;
  total: number;
  /** How many ranks win something; 0: not stated. */
  prizes: number;
  scoreStep: number;
  held: boolean;
  ranksVersion: number;
  final: boolean;
  playerPoints: ReadonlyMap<string, number>;
}
export interface TeamsView {
  show(model: TeamsModel): void;
}
interface Card {
  root: HTMLElement;
  standing: HTMLElement;
  rank: HTMLElement;
  total: HTMLElement;
  move: HTMLElement;
  facts: Record<'points' | 'percentile' | 'best' | 'prize', HTMLElement>;
  marker: HTMLElement;
  history: HistoryLine;
  eleven: ElevenView;
  shownRank: number | null;
}

export function createTeamsView(match: PageMatch, history: RankHistory, pick: () => void): TeamsView {
  const list = byId('team-cards');
  const add = byId<HTMLButtonElement>('add-team');
  const empty = emptyCard(pick);
  const cards = new Map<string, Card>();
  const frame: HistoryFrame = {
    balls: match.balls.length,
    secondInnings: match.balls.findIndex(({ innings }) => innings === 2),
  };
  add.addEventListener('click', pick);
  return {
    show: (model) => {
      const { entries } = model;
      setAttribute(list, 'aria-busy', String(entries === null));
      if (entries === null) return;
      add.hidden = entries.length === 0 || model.final;
      empty.show(model.final);
      const roots = entries.map((entry, place) => {
        const known = cards.get(entry.entry);
        const card = known ?? createCard(match, entry, place, frame);
        cards.set(entry.entry, card);
        showCard(card, entry, model, history);
        return card.root;
      });
      const wanted = roots.length === 0 ? [empty.root] : roots;
      const same =
        wanted.length === list.children.length && wanted.every((root, at) => list.children[at] === root);
      if (!same) list.replaceChildren(...wanted);
      setAttribute(list, 'data-version', String(model.ranksVersion));
      setAttribute(list, 'data-held', String(model.held));
    },
  };
}

function emptyCard(pick: () => void) {
  const words = element('p', {}, '');
  const press = button('Pick your eleven', { class: 'button primary', 'data-pick': true }, pick);
  const root = element(
    'div',
    { class: 'card empty' },
    element('p', { class: 'empty-title' }, 'You have no team in this match yet'),
    words,
    press,
  );
  const show = (final: boolean): void => {
    press.hidden = final;
    write(
      words,
      final
        ? 'The match is over: no more teams are taken.'
        : 'Pick eleven players, a captain and a vice-captain. Your exact rank among everyone appears ' +
            'at once, and moves with every ball.',
    );
  };
  return { root, show };
}

function createCard(match: PageMatch, entry: Entry, place: number, frame: HistoryFrame): Card {
  const rank = element('span', { class: 'rank' }, '–');
  const total = element('span', { class: 'of' });
  const move = element('span', { class: 'move' });
  const marker = element('span', { class: 'marker' });
  const fact = (name: string) => {
    const value = element('dd', {}, '–');
    return { value, root: element('div', {}, element('dt', {}, name), value) };
  };
  const its = {
    points: fact('Points'),
    percentile: fact('Percentile'),
    best: fact('Best rank'),
    prize: fact('To a prize'),
  };
  const history = createHistoryLine(frame);
  const eleven = createElevenView(match, entry);
  const captain = match.players.find(({ id }) => id === entry.captain)?.name ?? '';
  const vice = match.players.find(({ id }) => id === entry.viceCaptain)?.name ?? '';
  const standing = element(
    'p',
    { class: 'standing' },
    rank,
    element('span', { class: 'beside' }, move, total),
  );
  const root = element(
    'article',
    { class: 'card team', 'data-entry': entry.entry, tabindex: '-1', 'aria-label': `Team ${place + 1}` },
    element(
      'header',
      {},
      element('h3', {}, `Team ${place + 1}`),
      element('p', { class: 'leaders' }, `${captain} (C), ${vice} (VC)`),
    ),
    standing,
    element('div', { class: 'field', 'aria-hidden': 'true' }, marker),
    element('dl', { class: 'facts' }, ...Object.values(its).map((one) => one.root)),
    history.root,
    eleven.root,
  );
  const facts = {
    points: its.points.value,
    percentile: its.percentile.value,
    best: its.best.value,
    prize: its.prize.value,
  };
  return { root, standing, rank, total, move, facts, marker, history, eleven, shownRank: null };
}

function showCard(card: Card, entry: Entry, model: TeamsModel, history: RankHistory): void {
  const { rank, score, percentile } = entry;
  card.root.classList.toggle('held', model.held);
  card.eleven.show(model.playerPoints);
  if (rank === null || score === null) return;
  setAttribute(card.root, 'data-rank', String(rank));
  setAttribute(card.root, 'data-score', String(score));
  write(card.total, `of ${count(model.total)}`);
  write(card.facts.points, points(score * model.scoreStep));
  write(card.facts.percentile, percentile === null ? '–' : percent(percentile));
  write(card.facts.prize, prizeText(rank, model.prizes));
  write(card.facts.best, count(history.best(entry.entry) ?? rank));
  card.marker.style.left = `${percentile ?? 0}%`;
  showMove(card.move, history.lastMove(entry.entry));
  card.history.show(history.of(entry.entry), model.total);
  if (rank === card.shownRank) return;
  if (card.shownRank !== null) flash(card.standing, rank < card.shownRank ? 'up' : 'down');
  countTo(card.rank, card.shownRank, rank);
  card.shownRank = rank;
}

/** How many places are missing. */
function prizeText(rank: number, prizes: number): string {
  if (prizes === 0) return '–';
  return rank <= prizes ? 'in it' : `${count(rank - prizes)} places`;
}

function showMove(into: HTMLElement, moved: number): void {
  into.className = `move ${moved > 0 ? 'up' : moved < 0 ? 'down' : ''}`;
  write(into, moved === 0 ? '' : `${moved > 0 ? '▲' : '▼'} ${count(Math.abs(moved))}`);
  setAttribute(
    into,
    'aria-label',
    moved === 0 ? '' : `${moved > 0 ? 'up' : 'down'} ${count(Math.abs(moved))} places`,
  );
}

const countingMs = 450;
const counting = new WeakMap<HTMLElement, number>();

/** The number runs to its new value, so that the eye sees which way it went. */
function countTo(into: HTMLElement, from: number | null, to: number): void {
  const run = (counting.get(into) ?? 0) + 1;
  counting.set(into, run);
  if (from === null || movesLess() || document.hidden) {
    write(into, count(to));
    return;
  }
  const begun = performance.now();
  const step = (now: number): void => {
    if (counting.get(into) !== run) return;
    const part = Math.min(1, Math.max(0, (now - begun) / countingMs));
    const eased = 1 - (1 - part) ** 3;
    write(into, count(Math.round(from + (to - from) * eased)));
    if (part < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}
