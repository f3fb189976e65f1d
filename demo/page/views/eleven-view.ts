/** The eleven of a team and what each brings: doubled for the captain, half as much again for his vice. */
import type { Entry } from '../../../client/contest-room.ts';
import { element, write } from '../element.ts';
import { points } from '../format.ts';
import type { PageMatch } from '../page-match.ts';

export interface ElevenView {
  root: HTMLElement;
  show(playerPoints: ReadonlyMap<string, number>): void;
}

export function createElevenView(match: PageMatch, entry: Entry): ElevenView {
  const values = new Map<string, { into: HTMLElement; times: number }>();
  const order = [...(entry.players ?? [])].sort((a, b) => weightOf(entry, b) - weightOf(entry, a));
  const rows = order.map((id) => {
    const player = match.players.find((one) => one.id === id);
    const times = weightOf(entry, id);
    const into = element('span', { class: 'score' });
    values.set(id, { into, times });
    return element(
      'li',
      {},
      element('span', { class: 'name' }, player?.name ?? id),
      times === 1 ? null : badge(times),
      element('span', { class: 'side' }, match.teams[player?.team ?? 0]?.short ?? ''),
      into,
    );
  });
  const root = element(
    'details',
    { class: 'eleven' },
    element('summary', {}, 'The eleven'),
    element('ul', {}, ...rows),
  );
  return {
    root,
    show: (playerPoints) => {
      if (!root.open && root.dataset['drawn'] === 'true') return;
      root.dataset['drawn'] = 'true';
      for (const [id, { into, times }] of values) write(into, points(times * (playerPoints.get(id) ?? 0)));
    },
  };
}

export function badge(times: number): HTMLElement {
  return times === 2
    ? element('span', { class: 'badge captain', title: 'captain: points count twice' }, 'C')
    : element(
        'span',
        { class: 'badge vice', title: 'vice-captain: points count one and a half times' },
        'VC',
      );
}

export function weightOf(
  { captain, viceCaptain }: Pick<Entry, 'captain' | 'viceCaptain'>,
  player: string,
): number {
  if (player === captain) return 2;
  return player === viceCaptain ? 1.5 : 1;
}
