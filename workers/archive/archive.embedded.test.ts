import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { archiveConformance } from './archive.conformance.ts';
import { createEmbeddedArchive } from './archive.embedded.ts';

function open(folder: string) {
  const store = openEmbeddedStore(folder);
  const archive = createEmbeddedArchive({ store });
  return {
    archive,
    async close() {
      await archive.close();
      await store.close();
    },
  };
}

archiveConformance('embedded', {
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-archive-'));
    let opened = open(folder);
    return {
      archive: opened.archive,
      async reopen() {
        await opened.close();
        opened = open(folder);
        return opened.archive;
      },
      async close() {
        await opened.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});
