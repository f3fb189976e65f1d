import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../random.ts';
import { openEmbeddedStore } from '../store/store.embedded.ts';
import { rankedSetsConformance } from './ranked-sets.conformance.ts';
import { createEmbeddedRankedSets } from './ranked-sets.embedded.ts';

function open(folder: string) {
  const store = openEmbeddedStore(folder);
  const sets = createEmbeddedRankedSets({ store, options: { blockMembersMax: 4 } });
  return {
    sets,
    async close() {
      await sets.close();
      await store.close();
    },
  };
}

// Small blocks, so that they split and empty all the time.
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

test('[SET-1] pages far down are the same as in a sorted list, while members come and go', async (t) => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`SEED=${seed}`);
  const random = seededRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-sets-'));
  const { sets, close } = open(folder);
  const model = new Map<string, number>();
  for (let step = 0; step < 40; step++) {
    // Grows, then shrinks.
    const removing = step < 20 ? 0.2 : 0.7;
    const changes = Array.from({ length: 100 }, () => {
      const score = random() < removing ? null : Math.floor(random() * 40) - 20;
      return { set: 's', member: `m${Math.floor(random() * 1_500)}`, score };
    });
    await sets.apply(changes);
    for (const { member, score } of changes) {
      if (score === null) model.delete(member);
      else model.set(member, score);
    }
    const rows = [...model].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? 1 : -1));
    for (let offset = 0; offset < rows.length; offset += 1 + Math.floor(random() * 40)) {
      const page = await sets.page('s', offset, 3);
      assert.deepEqual(page, { total: rows.length, rows: rows.slice(offset, offset + 3) });
    }
  }
  await close();
  await rm(folder, { recursive: true });
});
