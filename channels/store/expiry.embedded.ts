import type { Key } from 'lmdb';
import type { Clock } from '../clock.ts';
import type { EmbeddedStore, Table } from './store.embedded.ts';

/**
 * When the entries of a table run out: an index in order of time, so that freeing the bytes of what has
 * expired reads only that. Readers look at an entry's own time; this never decides what they see.
 */
export interface Expiry {
  /** Inside of a write: the entry's time changes from one to another; 0: never. */
  move(key: Key, from: number, to: number): void;
  close(): void;
}

export interface ExpirySetup {
  store: EmbeddedStore;
  clock: Clock;
  /** Table of the index. */
  name: string;
  everyMs: number;
  /** Inside of a write: the entry's time has come. */
  expire(key: Key): void;
  onError(error: unknown): void;
}

/** Entries freed in one transaction, so that other writes need not wait long. */
const expireMax = 1_000;

export function openExpiry(setup: ExpirySetup): Expiry {
  const index: Table = setup.store.table(setup.name);
  const nothing = Buffer.alloc(1);
  let stopped = false;
  let cancel = setup.clock.after(setup.everyMs, tick);

  function tick(): void {
    sweep()
      .catch(setup.onError)
      .finally(() => {
        if (!stopped) cancel = setup.clock.after(setup.everyMs, tick);
      });
  }

  async function sweep(): Promise<void> {
    let freed = expireMax;
    while (freed === expireMax && !stopped) freed = await setup.store.write(expireInWrite);
  }

  function expireInWrite(): number {
    const due: Key[] = [];
    // The end is exclusive: an entry runs out at its time.
    for (const key of index.getKeys({ end: [setup.clock.now() + 1], limit: expireMax })) due.push(key);
    for (const key of due) {
      setup.expire((key as [number, Key])[1]);
      index.remove(key);
    }
    return due.length;
  }

  return {
    move(key, from, to) {
      if (from === to) return;
      if (from !== 0) index.remove([from, key]);
      if (to !== 0) index.put([to, key], nothing);
    },
    close() {
      stopped = true;
      cancel();
    },
  };
}
