/**
 * A team's ranks over the match as a line: left is the first ball, right the last one of the match, up is
 * better. Drawn in a stretched box, so its strokes keep their width whatever the size.
 */
import { drawing, element, setAttribute, write } from '../element.ts';
import { count } from '../format.ts';
import type { RankPoint } from '../rank-history.ts';

const width = 1_000;
const height = 200;
const edge = 14;

export interface HistoryLine {
  root: HTMLElement;
  show(line: readonly RankPoint[], total: number): void;
}

export interface HistoryFrame {
  /** In the match. */
  balls: number;
  /** Index of the first ball of the second innings. */
  secondInnings: number;
}

export function createHistoryLine(frame: HistoryFrame): HistoryLine {
  const line = drawing('path', { class: 'line' });
  const area = drawing('path', { class: 'area' });
  const now = drawing('path', { class: 'now' });
  const middle = xOf(frame.secondInnings, frame.balls);
  const chart = drawing(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    drawing('path', { class: 'interval', d: `M${middle} 0V${height}` }),
    area,
    line,
    now,
  );
  const high = element('span', { class: 'high' });
  const low = element('span', { class: 'low' });
  const interval = element('span', { class: 'interval-name' }, '2nd innings');
  interval.style.left = `${(100 * middle) / width}%`;
  const plot = element('div', { class: 'plot' }, chart, interval);
  const root = element(
    'figure',
    { class: 'history', role: 'img' },
    plot,
    element('div', { class: 'scale' }, high, low),
  );
  return {
    root,
    show: (points, total) => {
      const { best, worst } = domainOf(points, total);
      const yOf = (rank: number): number => {
        return edge + ((rank - best) / (worst - best)) * (height - 2 * edge);
      };
      const place = ({ ball, rank }: RankPoint): string =>
        `${xOf(ball, frame.balls).toFixed(1)} ${yOf(rank).toFixed(1)}`;
      const first = points[0];
      const last = points.at(-1);
      if (first === undefined || last === undefined) return;
      const path = stepsOf(points, place, (point) => yOf(point.rank).toFixed(1), frame.balls);
      line.setAttribute('d', path);
      const from = xOf(first.ball, frame.balls).toFixed(1);
      area.setAttribute('d', `${path}V${height}H${from}Z`);
      now.setAttribute('d', `M${place(last)}h.01`);
      const ranks = points.map(({ rank }) => rank);
      const [top, bottom] = [Math.min(...ranks), Math.max(...ranks)];
      write(high, count(top));
      write(low, count(bottom));
      high.style.top = `${(100 * yOf(top)) / height}%`;
      low.style.top = `${(100 * yOf(bottom)) / height}%`;
      low.hidden = yOf(bottom) - yOf(top) < height / 6;
      setAttribute(root, 'aria-label', labelOf(first, last, points));
    },
  };
}

/** A rank holds until the next ball that changes it: straight, then up or down. */
function stepsOf(
  points: readonly RankPoint[],
  place: (point: RankPoint) => string,
  yOf: (point: RankPoint) => string,
  balls: number,
): string {
  let path = '';
  for (const point of points) {
    path += path === '' ? `M${place(point)}` : `H${xOf(point.ball, balls).toFixed(1)}V${yOf(point)}`;
  }
  return path;
}

function xOf(ball: number, balls: number): number {
  return edge + ((ball + 1) / Math.max(1, balls)) * (width - 2 * edge);
}

/** Not less than a fiftieth of the field: a handful of places must not look like a fall. */
function domainOf(points: readonly RankPoint[], total: number): { best: number; worst: number } {
  let best = Number.POSITIVE_INFINITY;
  let worst = 0;
  for (const { rank } of points) {
    best = Math.min(best, rank);
    worst = Math.max(worst, rank);
  }
  const lack = Math.max(2, total / 50) - (worst - best);
  return lack > 0 ? { best: best - lack / 2, worst: worst + lack / 2 } : { best, worst };
}

function labelOf(first: RankPoint, last: RankPoint, points: readonly RankPoint[]): string {
  const ranks = points.map(({ rank }) => rank);
  return (
    `Ranks over the match: from ${count(first.rank)} to ${count(last.rank)}, ` +
    `best ${count(Math.min(...ranks))}, worst ${count(Math.max(...ranks))}`
  );
}
