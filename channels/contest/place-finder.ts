import type { Clock } from '../clock.ts';
import type { Lookup } from '../lookup/lookup.ts';
import type { DemandOptions } from './demand-options.ts';
import type { ContestPlace } from './messages.ts';

const text = new TextDecoder();

/**
 * Where contests and matches live. Names asked for together share one read; names that nobody has created are
 * remembered for a while, so that a storm on one costs one read.
 */
export interface PlaceFinder {
  /** `null`: nobody has created it. Rejects when the lookup cannot be read. */
  find(kind: 'contest' | 'match', id: string): Promise<ContestPlace | null>;
}

interface Waiting {
  promise: Promise<ContestPlace | null>;
  resolve: (place: ContestPlace | null) => void;
  reject: (error: unknown) => void;
}
type FinderOptions = Pick<
  DemandOptions,
  'unknownKeptMs' | 'unknownNamesMax' | 'placesBatchMax' | 'wantDelayMs'
>;

export function createPlaceFinder(lookup: Lookup, clock: Clock, options: FinderOptions): PlaceFinder {
  /** Key to the time until which it counts as unknown, oldest first. */
  const unknown = new Map<string, number>();
  const waiting = new Map<string, Waiting>();
  let asked: string[] = [];
  let cancelFlush: (() => void) | null = null;

  function flush(): void {
    cancelFlush?.();
    cancelFlush = null;
    const keys = asked;
    asked = [];
    if (keys.length === 0) return;
    lookup.get(keys).then(
      (values) => {
        keys.forEach((key, i) => {
          settle(key, values[i] ?? null);
        });
      },
      (error: unknown) => {
        for (const key of keys) taken(key).reject(error);
      },
    );
  }

  function settle(key: string, value: Uint8Array | null): void {
    const { resolve, reject } = taken(key);
    if (value === null) {
      remember(key);
      resolve(null);
      return;
    }
    try {
      resolve(JSON.parse(text.decode(value)) as ContestPlace);
    } catch (error) {
      reject(error);
    }
  }

  function taken(key: string): Waiting {
    const found = waiting.get(key)!;
    waiting.delete(key);
    return found;
  }

  function remember(key: string): void {
    unknown.delete(key);
    unknown.set(key, clock.now() + options.unknownKeptMs);
    if (unknown.size > options.unknownNamesMax) unknown.delete(unknown.keys().next().value!);
  }

  return {
    find(kind, id) {
      const key = `${kind}_${id}`;
      const until = unknown.get(key);
      if (until !== undefined) {
        if (clock.now() < until) return Promise.resolve(null);
        unknown.delete(key);
      }
      const under = waiting.get(key);
      if (under !== undefined) return under.promise;
      let resolve!: Waiting['resolve'];
      let reject!: Waiting['reject'];
      const promise = new Promise<ContestPlace | null>((yes, no) => {
        resolve = yes;
        reject = no;
      });
      waiting.set(key, { promise, resolve, reject });
      asked.push(key);
      if (asked.length >= options.placesBatchMax) flush();
      else cancelFlush ??= clock.after(options.wantDelayMs, flush);
      return promise;
    },
  };
}
