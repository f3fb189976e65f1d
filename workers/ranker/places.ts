import type { Logger } from 'pino';
import type { ContestPlace } from '../../channels/contest/messages.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import type { ContestEvent } from '../../proto/records.ts';
import type { Ranking } from './ranking.ts';

/**
 * Where contests and matches live: `contest_<id>` and `match_<id>` in the Lookup, written before any frame
 * or answer speaks of them.
 */
export interface Places {
  /** After a `match` or `contest` record was applied that created something. */
  add(record: ContestEvent): void;
  /** Writes what was added. After a failure it is kept and goes with the next. */
  flush(): Promise<void>;
  readonly waiting: number;
  /** Writes all again: the store may have lost its memory. */
  again(): Promise<void>;
  /** The place kept for a match or contest, if any. */
  kept(kind: 'match' | 'contest', id: string): Promise<ContestPlace | null>;
}

const batchMax = 200;

export function createPlaces(ranking: Ranking, lookup: Lookup, partition: number, logger: Logger): Places {
  let waiting: [key: string, place: ContestPlace][] = [];
  let flushing: Promise<void> | null = null;

  function matchPlace(id: string): [string, ContestPlace] | null {
    const info = ranking.match(id);
    if (info === null) return null;
    return [`match_${id}`, { partition, kind: 'match', match: id, epoch: info.epoch }];
  }
  function contestPlace(id: string): [string, ContestPlace] | null {
    const info = ranking.contest(id);
    if (info === null) return null;
    return [`contest_${id}`, { partition, kind: info.kind, match: info.match, epoch: info.epoch }];
  }

  async function write(key: string, place: ContestPlace): Promise<void> {
    const value = Buffer.from(JSON.stringify(place));
    const kept = parse(await lookup.putIfAbsent(key, 0, value, 0));
    if (kept.epoch === place.epoch) return;
    if (kept.partition === partition) {
      // The log was made anew: what it says holds.
      await lookup.put(key, 0, value, 0);
      logger.warn({ key, kept, place }, 'the place was of an earlier log and has been replaced');
      return;
    }
    logger.error({ key, kept, place }, 'the id is taken in another partition: this one cannot be reached');
  }

  async function writeWaiting(): Promise<void> {
    try {
      while (waiting.length > 0) {
        const batch = waiting.slice(0, batchMax);
        await Promise.all(batch.map(([key, place]) => write(key, place)));
        waiting = waiting.slice(batch.length);
      }
    } finally {
      flushing = null;
    }
  }

  /** One at a time: records may be applied while all places are written again. */
  function flush(): Promise<void> {
    if (waiting.length === 0) return Promise.resolve();
    flushing ??= writeWaiting();
    return flushing;
  }

  return {
    add(record) {
      const place =
        record.type === 'match'
          ? matchPlace(record.match)
          : record.type === 'contest'
            ? contestPlace(record.contest)
            : null;
      if (place !== null) waiting.push(place);
    },
    flush,
    get waiting() {
      return waiting.length;
    },
    async again() {
      const matches = new Set<string>();
      for (const { contest, match } of ranking.contests()) {
        if (match !== null) matches.add(match);
        waiting.push(contestPlace(contest)!);
      }
      for (const match of matches) waiting.push(matchPlace(match)!);
      await flush();
    },
    async kept(kind, id) {
      const [value] = await lookup.get([`${kind}_${id}`]);
      return value ? parse(value) : null;
    },
  };
}

function parse(value: Uint8Array): ContestPlace {
  return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) as ContestPlace;
}
