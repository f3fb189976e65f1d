import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '../clock.manual.ts';
import type { Clock } from '../clock.ts';
import { openEmbeddedStore } from '../store/store.embedded.ts';
import { pagesConformance } from './pages.conformance.ts';
import { createEmbeddedPages } from './pages.embedded.ts';

const fail = (error: unknown): never => {
  throw error;
};

function open(folder: string, clock: Clock) {
  const store = openEmbeddedStore(folder);
  const pages = createEmbeddedPages({ store, clock, onError: fail });
  return {
    pages,
    async close() {
      await pages.close();
      await store.close();
    },
  };
}

pagesConformance('embedded', {
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-pages-'));
    const clock = createManualClock();
    let opened = open(folder, clock);
    return {
      pages: opened.pages,
      pass: async (ms) => clock.advance(ms),
      async reopen() {
        await opened.close();
        opened = open(folder, clock);
        return opened.pages;
      },
      async close() {
        await opened.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});
