/** Short sentences at the edge of the screen; heard by those who do not see them. */
import { byId, element } from './element.ts';

const shownMs = 5_000;

/** Tells once; `kind` is a colour only, the sentence says all. */
export function notify(sentence: string, kind: 'good' | 'bad' | 'plain' = 'plain'): void {
  const list = byId('notices');
  const notice = element('p', { class: `notice ${kind}` }, sentence);
  list.append(notice);
  while (list.children.length > 3) list.firstElementChild?.remove();
  setTimeout(() => notice.remove(), shownMs);
}

export function notifyError(error: unknown): void {
  notify(error instanceof Error ? error.message : String(error), 'bad');
}
