import { contestTopic, type Heads, matchTopic } from '../../channels/contest/messages.ts';

/**
 * The version of the last frame of every wanted channel, and what of it is told each second: all that
 * changed lately, and the others in turn. Small contests have no frames of their own: their match's head
 * stands for them.
 */
export interface HeadsBook {
  /** A channel is wanted from now on: its next frame begins at or before `version`. Again: nothing. */
  began(kind: 'contest' | 'match', id: string, version: number, now: number): void;
  /** A channel has a frame of `version`. */
  moved(kind: 'contest' | 'match', id: string, version: number, now: number): void;
  forget(kind: 'contest' | 'match', id: string): void;
  /** The messages of this second; none where nothing is wanted that `told` lets through. */
  messages(now: number, version: number, told: (channel: string) => boolean): Heads[];
}

export interface HeadsBookParts {
  partition: number;
  replica: number;
  /** Changed within this: told each time. */
  changedWithinMs: number;
  /** All are told within this. */
  rotationMs: number;
  intervalMs: number;
  /** Names in one message; more go into further ones. */
  namesMax: number;
}

interface Head {
  kind: 'contest' | 'match';
  id: string;
  channel: string;
  version: number;
  changedAt: number;
}

export function createHeadsBook(parts: HeadsBookParts): HeadsBook {
  const { partition, replica, changedWithinMs, rotationMs, intervalMs, namesMax } = parts;
  const heads = new Map<string, Head>();
  let turn = heads.values();

  const channelOf = (kind: 'contest' | 'match', id: string): string =>
    kind === 'contest' ? contestTopic(id) : matchTopic(id);

  /** The next few in rotation; the iterator lives on between calls and sees what came and went. */
  function inTurn(): Set<Head> {
    const chosen = new Set<Head>();
    const wanted = Math.min(heads.size, Math.ceil((heads.size * intervalMs) / rotationMs));
    for (let tries = 0; chosen.size < wanted && tries < 2 * wanted + 2; tries += 1) {
      const step = turn.next();
      if (step.done) turn = heads.values();
      else chosen.add(step.value);
    }
    return chosen;
  }

  return {
    began(kind, id, version, now) {
      const channel = channelOf(kind, id);
      // What others have of it is no older for somebody else's wanting it.
      if (!heads.has(channel)) heads.set(channel, { kind, id, channel, version, changedAt: now });
    },
    moved(kind, id, version, now) {
      const channel = channelOf(kind, id);
      const head = heads.get(channel);
      if (head === undefined) heads.set(channel, { kind, id, channel, version, changedAt: now });
      else {
        head.version = Math.max(head.version, version);
        head.changedAt = now;
      }
    },
    forget(kind, id) {
      heads.delete(channelOf(kind, id));
    },
    messages(now, version, told) {
      const chosen = inTurn();
      for (const head of heads.values()) {
        if (now - head.changedAt < changedWithinMs) chosen.add(head);
      }
      const messages: Heads[] = [];
      let names = namesMax;
      for (const head of chosen) {
        if (!told(head.channel)) continue;
        if (names >= namesMax) {
          messages.push({ partition, replica, version, contests: [], matches: [] });
          names = 0;
        }
        const message = messages[messages.length - 1]!;
        (head.kind === 'contest' ? message.contests : message.matches).push([head.id, head.version]);
        names += 1;
      }
      return messages;
    },
  };
}
