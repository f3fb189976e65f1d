import { ServiceError } from '../../proto/codes.ts';
import type { Clock } from '../clock.ts';
import { openExpiry } from '../store/expiry.embedded.ts';
import type { EmbeddedStore } from '../store/store.embedded.ts';
import { checkKey, checkKeys, checkPut, type LookupOptions, lookupDefaults } from './lookup.limits.ts';
import type { Lookup } from './lookup.ts';

/** Small values in the data folder of a process that stands alone. */
export interface EmbeddedLookupSetup {
  store: EmbeddedStore;
  clock: Clock;
  /** Hears of faults in the background (freeing what has expired). */
  onError(error: unknown): void;
  options?: Partial<EmbeddedLookupOptions>;
}
export interface EmbeddedLookupOptions extends LookupOptions {
  expirySweepMs: number;
}
export const embeddedLookupDefaults: EmbeddedLookupOptions = {
  ...lookupDefaults,
  /** What has expired is hidden at once; this only frees its bytes. */
  expirySweepMs: 5_000,
};

interface Kept {
  fence: number;
  /** 0: never. */
  expiresAt: number;
  value: Buffer;
}

export function createEmbeddedLookup(setup: EmbeddedLookupSetup): Lookup {
  const { store, clock, onError } = setup;
  const options = { ...embeddedLookupDefaults, ...setup.options };
  const table = store.table('lookup');
  const expiry = openExpiry({
    store,
    clock,
    name: 'lookup:expiry',
    everyMs: options.expirySweepMs,
    expire: (key) => table.remove(key),
    onError,
  });
  let closed = false;

  function live(): void {
    if (closed) throw new ServiceError('The lookup is closed.', false);
  }
  /** What is kept, expired or not. */
  function keptAt(key: string): Kept | null {
    const bytes = table.get(key);
    return bytes === undefined ? null : decode(bytes);
  }
  function isLive(kept: Kept | null): kept is Kept {
    return kept !== null && (kept.expiresAt === 0 || kept.expiresAt > clock.now());
  }
  /** Inside of a write. */
  function replace(
    key: string,
    before: Kept | null,
    fence: number,
    value: Uint8Array,
    expireMs: number,
  ): void {
    const expiresAt = expireMs === 0 ? 0 : clock.now() + expireMs;
    expiry.move(key, before?.expiresAt ?? 0, expiresAt);
    table.put(key, encode(fence, expiresAt, value));
  }

  return {
    async put(key, fence, value, expireMs) {
      live();
      checkPut(key, fence, value, options);
      await store.write(() => {
        const kept = keptAt(key);
        if (!isLive(kept) || fence >= kept.fence) replace(key, kept, fence, value, expireMs);
      });
    },
    async putIfAbsent(key, fence, value, expireMs) {
      live();
      checkPut(key, fence, value, options);
      return store.write(() => {
        const kept = keptAt(key);
        if (isLive(kept)) return kept.value;
        replace(key, kept, fence, value, expireMs);
        return value;
      });
    },
    async get(keys) {
      live();
      checkKeys(keys);
      return keys.map((key) => {
        const kept = keptAt(key);
        return isLive(kept) ? kept.value : null;
      });
    },
    async remove(keys) {
      live();
      for (const key of keys) checkKey(key);
      await store.write(() => {
        for (const key of keys) {
          const kept = keptAt(key);
          if (kept === null) continue;
          expiry.move(key, kept.expiresAt, 0);
          table.remove(key);
        }
      });
    },
    async close() {
      if (closed) return;
      closed = true;
      expiry.close();
      // Writes are in order: when this one is through, so are those before.
      await store.write(() => undefined);
    },
  };
}

/** fence (double) | expires at (double) | value */
const headBytes = 16;

function encode(fence: number, expiresAt: number, value: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + value.length);
  bytes.writeDoubleBE(fence, 0);
  bytes.writeDoubleBE(expiresAt, 8);
  bytes.set(value, headBytes);
  return bytes;
}
function decode(bytes: Buffer): Kept {
  return {
    fence: bytes.readDoubleBE(0),
    expiresAt: bytes.readDoubleBE(8),
    value: bytes.subarray(headBytes),
  };
}
