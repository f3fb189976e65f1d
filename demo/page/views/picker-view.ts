/** The dialog in which a team is made: eleven players, a captain, a vice-captain. */

import type { TeamChoice } from '../demo-client.ts';
import { button, byId, element, setAttribute, write } from '../element.ts';
import { points } from '../format.ts';
import type { PageMatch, PagePlayer } from '../page-match.ts';
import { type Change, changed, emptyTeam, lackOf, randomTeam, type TeamDraft } from '../team-draft.ts';

export interface PickerView {
  open(playerPoints: ReadonlyMap<string, number>): void;
}
interface Row {
  root: HTMLElement;
  pick: HTMLInputElement;
  captain: HTMLInputElement;
  vice: HTMLInputElement;
  score: HTMLElement;
}

/** `enter` resolves when the gateway has the team; rejects with a sentence. */
export function createPickerView(match: PageMatch, enter: (team: TeamChoice) => Promise<void>): PickerView {
  const dialog = byId<HTMLDialogElement>('picker');
  const lack = byId('picker-lack');
  const problem = byId('picker-problem');
  const submit = byId<HTMLButtonElement>('picker-enter');
  let draft: TeamDraft = emptyTeam();
  let busy = false;
  const rows = new Map(match.players.map((player) => [player.id, createRow(player, change)]));

  function change(player: string, what: Change): void {
    draft = changed(draft, player, what);
    show();
  }

  function show(): void {
    for (const [id, row] of rows) showRow(row, id, draft);
    const words = lackOf(draft);
    write(byId('picker-count'), String(draft.players.size));
    write(lack, words ?? 'Ready');
    submit.disabled = words !== null || busy;
    write(submit, busy ? 'Entering…' : 'Enter the contest');
    setAttribute(dialog, 'aria-busy', String(busy));
  }

  async function send(): Promise<void> {
    const { players, captain, vice } = draft;
    if (captain === null || vice === null || busy) return;
    busy = true;
    write(problem, '');
    show();
    try {
      await enter({ players: [...players], captain, viceCaptain: vice });
      draft = emptyTeam();
      dialog.close();
    } catch (error) {
      write(problem, (error as Error).message);
    } finally {
      busy = false;
      show();
    }
  }

  byId('picker-teams').replaceChildren(
    ...match.teams.map((team, place) => sideOf(match, team.name, place, rows)),
  );
  const luck = button('Surprise me', { class: 'button', 'data-luck': true }, () => {
    draft = randomTeam(match.players, Math.random);
    show();
  });
  submit.before(luck);
  byId('picker-close').addEventListener('click', () => dialog.close());
  byId('picker-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  return {
    open: (playerPoints) => {
      for (const [id, { score }] of rows) write(score, points(playerPoints.get(id) ?? 0));
      write(problem, '');
      show();
      dialog.showModal();
    },
  };
}

function showRow(row: Row, player: string, { players, captain, vice }: TeamDraft): void {
  const picked = players.has(player);
  row.root.classList.toggle('picked', picked);
  row.pick.checked = picked;
  row.pick.disabled = players.size >= 11 && !picked;
  row.captain.disabled = !picked;
  row.vice.disabled = !picked;
  row.captain.checked = captain === player;
  row.vice.checked = vice === player;
}

function sideOf(match: PageMatch, name: string, place: number, rows: ReadonlyMap<string, Row>): HTMLElement {
  const players = match.players.filter((player) => player.team === place);
  return element(
    'fieldset',
    { class: 'picker-side' },
    element('legend', {}, name),
    element('ul', {}, ...players.map(({ id }) => (rows.get(id) as Row).root)),
  );
}

function createRow({ id, name }: PagePlayer, change: (player: string, what: Change) => void): Row {
  const box = (type: string, group: string, label: string, whatOf: (on: boolean) => Change) => {
    const made = element('input', { type, name: group, value: id, 'aria-label': label });
    made.addEventListener('change', () => change(id, whatOf(made.checked)));
    return made;
  };
  const pick = box('checkbox', 'player', name, (on) => (on ? 'pick' : 'drop'));
  const captain = box('radio', 'captain', `${name} as captain`, () => 'captain');
  const vice = box('radio', 'vice', `${name} as vice-captain`, () => 'vice');
  const score = element('span', { class: 'score' });
  const role = (input: HTMLElement, text: string) =>
    element('label', { class: 'role' }, input, element('span', { 'aria-hidden': 'true' }, text));
  const root = element(
    'li',
    { 'data-pick': id },
    element('label', { class: 'pick' }, pick, element('span', { class: 'name' }, name), score),
    role(captain, 'C'),
    role(vice, 'VC'),
  );
  return { root, pick, captain, vice, score };
}
