import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStore } from '../store/store.embedded.ts';
import { rankedSetsConformance } from './ranked-sets.conformance.ts';
import { createEmbeddedRankedSets } from './ranked-sets.embedded.ts';

function open(folder: string) {
  const store = openEmbeddedStore(folder);
  const sets = createEmbeddedRankedSets({ store });
  return {
    sets,
    async close() {
      await sets.close();
      await store.close();
    },
  };
}

rankedSetsConformance('embedded', {
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-sets-'));
    let opened = open(folder);
    return {
      sets: opened.sets,
      async reopen() {
        await opened.close();
        opened = open(folder);
        return opened.sets;
      },
      async close() {
        await opened.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});
