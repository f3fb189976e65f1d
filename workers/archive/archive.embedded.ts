import type { EmbeddedStore } from '../../channels/store/store.embedded.ts';
import { ServiceError } from '../../proto/codes.ts';
import type { Archive, ArchivedVersion } from './archive.ts';
import { checkedPages } from './check-pages.ts';

/**
 * Past leaderboards in the data folder of a process that stands alone.
 *
 * Keys are arrays, [contest, version, page] and [contest, version]: the parts of a key are never joined into
 * one text, so that no id, whatever characters it has, can meet another's keys.
 */
export interface EmbeddedArchiveSetup {
  store: EmbeddedStore;
}

/**
 * Pages written in one transaction, about half a megabyte: appends to the log wait no longer than for that.
 */
const pagesAtOnce = 32;

export function createEmbeddedArchive(setup: EmbeddedArchiveSetup): Archive {
  const { store } = setup;
  const pageTable = store.table('archive:pages');
  const versionTable = store.table('archive:versions');
  let closed = false;

  function live(): void {
    if (closed) throw new ServiceError('The archive is closed.', false);
  }

  /** A version saved before with more pages must not keep those. */
  function dropPagesFrom(contest: string, version: number, count: number): void {
    const beyond = [...pageTable.getKeys({ start: [contest, version, count], end: [contest, version, 'z'] })];
    for (const key of beyond) pageTable.remove(key);
  }

  return {
    async save(board, pages) {
      live();
      const { contest, version } = board;
      let together: { page: number; bytes: Uint8Array }[] = [];
      const put = (): Promise<void> => {
        const writing = together;
        together = [];
        return store.write(() => {
          for (const { page, bytes } of writing) pageTable.put([contest, version, page], Buffer.from(bytes));
        });
      };
      for await (const checked of checkedPages(board, pages)) {
        together.push(checked);
        if (together.length === pagesAtOnce) await put();
      }
      await put();
      await store.write(() => {
        dropPagesFrom(contest, version, board.pages);
        versionTable.put([contest, version], Buffer.from(JSON.stringify(board)));
      });
    },
    async versions(contest, limit, below) {
      live();
      const found: ArchivedVersion[] = [];
      // Versions are numbers, and every string sorts after every number: [contest, 'z'] is beyond all
      // versions.
      const from = [contest, below ?? 'z'];
      const range = { reverse: true, start: from, exclusiveStart: true, end: [contest], limit };
      if (limit > 0) {
        for (const { value } of versionTable.getRange(range)) {
          found.push(JSON.parse(value.toString()) as ArchivedVersion);
        }
      }
      return found;
    },
    async page(contest, version, page) {
      live();
      const listed = versionTable.get([contest, version]);
      if (listed === undefined || page >= (JSON.parse(listed.toString()) as ArchivedVersion).pages)
        return null;
      return pageTable.get([contest, version, page]) ?? null;
    },
    async close() {
      if (closed) return;
      closed = true;
      // Writes are in order: when this one is through, so are those before.
      await store.write(() => undefined);
    },
  };
}
