import { ServiceError } from '../../proto/codes.ts';
import type { Clock } from '../clock.ts';
import { openExpiry } from '../store/expiry.embedded.ts';
import type { EmbeddedStore } from '../store/store.embedded.ts';
import type { Pages } from './pages.ts';

/** Leaderboard pages in the data folder of a process that stands alone. */
export interface EmbeddedPagesSetup {
  store: EmbeddedStore;
  clock: Clock;
  /** Hears of faults in the background (freeing what has expired). */
  onError(error: unknown): void;
  options?: Partial<EmbeddedPagesOptions>;
}
export interface EmbeddedPagesOptions {
  expirySweepMs: number;
}
export const embeddedPagesDefaults: EmbeddedPagesOptions = {
  /** What has expired is hidden at once; this only frees its bytes. */
  expirySweepMs: 5_000,
};

interface Kept {
  epoch: string;
  version: number;
  /** 0: never. */
  expiresAt: number;
  bytes: Buffer;
}

export function createEmbeddedPages(setup: EmbeddedPagesSetup): Pages {
  const { store, clock, onError } = setup;
  const options = { ...embeddedPagesDefaults, ...setup.options };
  const table = store.table('pages');
  const expiry = openExpiry({
    store,
    clock,
    name: 'pages:expiry',
    everyMs: options.expirySweepMs,
    expire: (key) => table.remove(key),
    onError,
  });
  let closed = false;

  function live(): void {
    if (closed) throw new ServiceError('The pages are closed.', false);
  }
  function keptAt(contest: string, page: number): Kept | null {
    const bytes = table.get([contest, page]);
    return bytes === undefined ? null : decode(bytes);
  }
  function isLive(kept: Kept | null): kept is Kept {
    return kept !== null && (kept.expiresAt === 0 || kept.expiresAt > clock.now());
  }
  function removeInWrite(contest: string): void {
    const gone: [number, number][] = [];
    for (const { key, value } of table.getRange({ start: [contest], end: [contest, 'z'] })) {
      gone.push([(key as [string, number])[1], decode(value).expiresAt]);
    }
    for (const [page, expiresAt] of gone) {
      expiry.move([contest, page], expiresAt, 0);
      table.remove([contest, page]);
    }
  }

  return {
    async put(contest, page, epoch, version, bytes, expireMs) {
      live();
      await store.write(() => {
        const kept = keptAt(contest, page);
        if (isLive(kept) && kept.epoch === epoch && version < kept.version) return;
        const expiresAt = expireMs === 0 ? 0 : clock.now() + expireMs;
        expiry.move([contest, page], kept?.expiresAt ?? 0, expiresAt);
        table.put([contest, page], encode(epoch, version, expiresAt, bytes));
      });
    },
    async get(contest, page) {
      live();
      const kept = keptAt(contest, page);
      if (!isLive(kept)) return null;
      return { epoch: kept.epoch, version: kept.version, bytes: kept.bytes };
    },
    async remove(contest) {
      live();
      await store.write(() => removeInWrite(contest));
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

/** version (double) | expires at (double) | length of epoch (16 bits) | epoch | page */
const headBytes = 18;

function encode(epoch: string, version: number, expiresAt: number, page: Uint8Array): Buffer {
  const epochBytes = Buffer.byteLength(epoch);
  const bytes = Buffer.allocUnsafe(headBytes + epochBytes + page.length);
  bytes.writeDoubleBE(version, 0);
  bytes.writeDoubleBE(expiresAt, 8);
  bytes.writeUInt16BE(epochBytes, 16);
  bytes.write(epoch, headBytes);
  bytes.set(page, headBytes + epochBytes);
  return bytes;
}
function decode(bytes: Buffer): Kept {
  const pageAt = headBytes + bytes.readUInt16BE(16);
  return {
    epoch: bytes.toString('utf8', headBytes, pageAt),
    version: bytes.readDoubleBE(0),
    expiresAt: bytes.readDoubleBE(8),
    bytes: bytes.subarray(pageAt),
  };
}
