/**
 * The obvious model of follows: everything in memory, every event of a pair kept for ever and looked through
 * from the start. Written from the laws (GRAPH-10 to GRAPH-19, FEED-1 to FEED-6), sharing no code with the
 * workers.
 */
export interface ModelCommand {
  id: string;
  at: number;
  kind: 'follow' | 'unfollow' | 'block' | 'unblock' | 'affinity' | 'interaction';
  from: string;
  to: string;
  affinity?: number;
  weight?: number;
}
interface ModelMessage {
  channel: string;
  at: number;
  data: Record<string, unknown>;
}

export interface FollowModel {
  /** In the log's order. Answers `applied` or the code of the refusal. */
  give(command: ModelCommand, loggedAt: number): string;
  /** What was decided about each id first. */
  readonly decided: ReadonlyMap<string, string>;
  /** As a sorted set: greatest first, equal ones by member, greatest bytes first. */
  list(user: string, list: 'followers' | 'following'): [string, number][];
  /** Everything told, in order per channel. */
  readonly messages: readonly ModelMessage[];
}

interface Event {
  at: number;
  id: string;
  on: boolean;
}
interface Directed {
  follows: Event[];
  blocks: Event[];
  affinities: { at: number; id: string }[];
  value: number;
}

const dayMs = 86_400_000;
const landmarkMs = Date.parse('2026-01-01T00:00:00Z');
const worth = (at: number) => 2 ** ((at - landmarkMs) / (30 * dayMs));

export function createFollowModel(): FollowModel {
  const all = new Map<string, Map<string, Directed>>();
  const decided = new Map<string, string>();
  const messages: ModelMessage[] = [];

  function directed(from: string, to: string): Directed {
    const row = all.get(from) ?? new Map<string, Directed>();
    all.set(from, row);
    const found = row.get(to) ?? { follows: [], blocks: [], affinities: [], value: 0 };
    row.set(to, found);
    return found;
  }

  function apply(command: ModelCommand, loggedAt: number): string {
    const { from, to, kind, at } = command;
    if (from === to) return 'self';
    if (at + dayMs < loggedAt) return 'too_old';
    const there = directed(from, to);
    const back = directed(to, from);
    switch (kind) {
      case 'follow':
        return follow(there, isOn(there.blocks) || isOn(back.blocks), command);
      case 'unfollow':
        there.follows.push(event(command, false));
        return 'applied';
      case 'affinity':
      case 'interaction':
        return affinity(there, command);
      case 'block':
        if (!isNewest(command, there.blocks)) return 'applied';
        there.blocks.push(event(command, true));
        for (const side of [there, back]) {
          // Nothing of before counts any more, whatever its time.
          for (const past of side.follows) past.on = false;
          side.follows.push(event(command, false));
        }
        return 'applied';
      case 'unblock': {
        if (!isNewest(command, there.blocks)) return 'applied';
        const wasBlocking = isOn(there.blocks);
        there.blocks.push(event(command, false));
        if (wasBlocking) for (const side of [there, back]) side.follows.push(event(command, false));
        return 'applied';
      }
    }
  }

  function follow(there: Directed, isBlocked: boolean, command: ModelCommand): string {
    const wasOn = isOn(there.follows);
    const wins = isNewest(command, there.follows);
    there.follows.push(event(command, !isBlocked));
    if (isBlocked) return 'blocked';
    if (!wins) return 'applied';
    const begins = !wasOn;
    const names = command.affinity !== undefined && isNewest(command, there.affinities);
    if (begins || names) there.value = (command.affinity ?? 0.5) * worth(command.at);
    if (begins || names) there.affinities.push(command);
    return 'applied';
  }

  function affinity(there: Directed, command: ModelCommand): string {
    const wins = isNewest(command, there.affinities);
    there.affinities.push(command);
    if (!isOn(there.follows)) return 'no_such_follow';
    if (!wins) return 'applied';
    if (command.kind === 'affinity') there.value = command.affinity! * worth(command.at);
    else there.value += command.weight! * worth(command.at);
    return 'applied';
  }

  function tell(command: ModelCommand, wasOn: boolean, from: string, to: string): void {
    const there = directed(from, to);
    const on = isOn(there.follows);
    if (on === wasOn) return;
    const shown = Math.min(1, Math.round((there.value / worth(command.at)) * 1e6) / 1e6);
    const data = on ? { type: 'follower', user: from, affinity: shown } : { type: 'unfollower', user: from };
    const { at } = newest(there.follows)!;
    messages.push({ channel: `feed:${to}`, at, data });
    const state = on ? 'following' : 'none';
    messages.push({ channel: `user:${from}`, at, data: { type: 'following', other: to, state } });
  }

  function list(user: string, which: 'followers' | 'following'): [string, number][] {
    const rows: [string, number][] = [];
    for (const [from, row] of all) {
      for (const [to, { follows, value }] of row) {
        const [owner, other] = which === 'followers' ? [to, from] : [from, to];
        if (owner === user && isOn(follows)) rows.push([other, value]);
      }
    }
    return rows.sort((a, b) => b[1] - a[1] || (b[0] > a[0] ? 1 : -1));
  }

  return {
    give(command, loggedAt) {
      const { from, to } = command;
      const before = [isOn(directed(from, to).follows), isOn(directed(to, from).follows)];
      const outcome = apply(command, loggedAt);
      if (!decided.has(command.id)) decided.set(command.id, outcome);
      if (from !== to) {
        tell(command, before[0]!, from, to);
        tell(command, before[1]!, to, from);
      }
      return outcome;
    },
    decided,
    list,
    messages,
  };
}

function event({ at, id }: ModelCommand, on: boolean): Event {
  return { at, id, on };
}

function isNewest(stamp: { at: number; id: string }, events: readonly { at: number; id: string }[]): boolean {
  return events.every(({ at, id }) => at < stamp.at || (at === stamp.at && id < stamp.id));
}

/** The event with the greatest stamp; of a repeat (an equal stamp) the first. */
function newest(events: readonly Event[]): Event | null {
  let found: Event | null = null;
  for (const item of events) {
    if (found === null || item.at > found.at || (item.at === found.at && item.id > found.id)) found = item;
  }
  return found;
}

function isOn(events: readonly Event[]): boolean {
  return newest(events)?.on ?? false;
}
