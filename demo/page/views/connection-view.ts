/** The state of the line: live or not, version, latency; cutting it, and what was missed. */
import type { ConnectionStatus } from '../../../client/connection.ts';
import type { AbsenceReport } from '../absence.ts';
import { button, byId, element, setAttribute, write } from '../element.ts';
import { clockTime, count, plural, userName } from '../format.ts';

export interface ConnectionModel {
  status: ConnectionStatus;
  /** The page cut it. */
  cut: boolean;
  /** Since when it is away; null: it is not. */
  awaySince: number | null;
  live: boolean;
  stale: boolean;
  version: number;
  /** From the ball's record to this screen, typically; null: not known yet. */
  latencyMs: number | null;
  report: AbsenceReport | null;
  teamName(entry: string): string;
}
export interface ConnectionActions {
  cut(): void;
  mend(): void;
  dismiss(): void;
}
export interface ConnectionView {
  show(model: ConnectionModel): void;
}

export function createConnectionView(actions: ConnectionActions): ConnectionView {
  const state = byId('line-state');
  const toggle = byId<HTMLButtonElement>('cut');
  let cut = false;
  toggle.addEventListener('click', () => (cut ? actions.mend() : actions.cut()));
  const banner = createBanner();
  const report = createReport(actions.dismiss);
  byId('line-news').replaceChildren(banner.root, report.root);
  return {
    show: (model) => {
      cut = model.cut;
      const [kind, words] = stateOf(model);
      setAttribute(document.documentElement, 'data-line', kind);
      write(state, words);
      write(toggle, cut ? 'Reconnect' : 'Cut my connection');
      setAttribute(toggle, 'aria-pressed', String(cut));
      toggle.hidden = model.status.state === 'closed';
      write(byId('version'), model.version < 0 ? '–' : count(model.version));
      write(byId('latency'), model.latencyMs === null ? '–' : `${count(model.latencyMs)} ms`);
      banner.show(model);
      report.show(model);
    },
  };
}

function stateOf({ status, cut, live, stale }: ConnectionModel): [kind: string, words: string] {
  if (status.state === 'closed') return ['closed', 'Closed'];
  if (cut) return ['cut', 'Cut off'];
  if (status.state === 'waiting') return ['waiting', 'Reconnecting'];
  if (status.state === 'connecting') return ['waiting', 'Connecting'];
  if (!live) return ['waiting', 'Joining'];
  return stale ? ['waiting', 'Ranks are paused'] : ['live', 'Live'];
}

function createBanner() {
  const words = element('p', {});
  const reload = button('Load the page again', { class: 'button' }, () => location.reload());
  const root = element('div', { class: 'banner', role: 'status', hidden: true }, words, reload);
  const show = ({ status, cut, awaySince }: ConnectionModel): void => {
    const closed = status.state === 'closed';
    root.hidden = !closed && awaySince === null;
    reload.hidden = !closed;
    if (closed) write(words, status.reason ?? 'The gateway closed this connection for good.');
    else if (awaySince !== null) {
      const time = clockTime(Date.now() - awaySince);
      write(
        words,
        cut
          ? `You are cut off for ${time}. The match goes on without you; what is shown stands still.`
          : `The connection is away for ${time}; the page comes back by itself.`,
      );
    }
  };
  return { root, show };
}

function createReport(dismiss: () => void) {
  const list = element('ul', {});
  const title = element('p', { class: 'report-title' });
  const close = button('Got it', { class: 'button small' }, dismiss);
  const root = element('div', { class: 'report', role: 'status', hidden: true }, title, list, close);
  let shown = '';
  const show = ({ report, teamName }: ConnectionModel): void => {
    root.hidden = report === null;
    const key = JSON.stringify(report);
    if (report === null || key === shown) return;
    shown = key;
    write(title, `You were away for ${clockTime(report.awayMs)}. Caught up:`);
    list.replaceChildren(...linesOf(report, teamName).map((line) => element('li', {}, ...line)));
    setAttribute(root, 'data-versions', String(report.versions ?? ''));
    setAttribute(root, 'data-followers', String(report.followers.length));
  };
  return { root, show };
}

function linesOf(report: AbsenceReport, teamName: (entry: string) => string): (Node | string)[][] {
  const strong = (text: string): Node => element('strong', {}, text);
  const lines: (Node | string)[][] = [];
  if (report.versions === null) lines.push(['The contest began anew, so versions cannot be counted']);
  else lines.push([strong(plural(report.versions, 'version')), ' passed']);
  for (const { entry, from, to } of report.moves) {
    const way = to < from ? `▲ ${count(from - to)}` : `▼ ${count(to - from)}`;
    lines.push([`${teamName(entry)}: `, strong(count(from)), ' to ', strong(count(to)), ` (${way})`]);
  }
  if (report.moves.length === 0) lines.push(['No rank of yours moved']);
  const { followers } = report;
  if (followers.length === 0) lines.push(['No new follower']);
  else lines.push([strong(plural(followers.length, 'new follower')), `: ${namesOf(followers)}`]);
  lines.push([report.gap ?? 'Nothing was lost']);
  return lines;
}

function namesOf(users: readonly string[]): string {
  const shown = users.slice(0, 3).map(userName).join(', ');
  return users.length > 3 ? `${shown} and ${users.length - 3} more` : shown;
}
