import type { ContestFrame, ContestSnapshot } from '../../channels/contest/messages.ts';
import type { Model, ModelContest } from './model.ts';
import { rowsOf, whoOf } from './model-views.ts';

/** A state saved at a version, and who had what in it: frames say whose entries changed since. */
export interface Held {
  state: ContestSnapshot;
  /** Contests with frames of their own: the entries by user (fantasy), the score by entry (`scores`). */
  entries: Map<string, string>;
}

/** Of the model: what changed users and changed scores are about. */
export function entriesByOwner(
  model: Model,
  contest: ModelContest,
  users: readonly string[],
): Map<string, string> {
  const entries = new Map<string, string>();
  if (contest.kind === 'scores') {
    for (const { entry, user, score } of rowsOf(model, contest))
      entries.set(`${entry} of ${user}`, `${score}`);
    return entries;
  }
  for (const user of users) {
    const own = whoOf(model, contest, user).map(([entry, team]) => [entry, team]);
    entries.set(user, JSON.stringify(own));
  }
  return entries;
}

/** What was held, with what the frame says changed; null: the frame says that too many did. */
export function changedEntries(
  kind: 'fantasy' | 'scores',
  held: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
  frame: ContestFrame,
): Map<string, string> | null {
  const entries = new Map(held);
  if (kind === 'fantasy') {
    if (frame.changedUsers === null) return null;
    for (const user of frame.changedUsers) entries.set(user, now.get(user)!);
    return entries;
  }
  if (frame.changedScores === null) return null;
  for (const [entry, user, score] of frame.changedScores) {
    if (score === null) entries.delete(`${entry} of ${user}`);
    else entries.set(`${entry} of ${user}`, `${score}`);
  }
  return entries;
}
