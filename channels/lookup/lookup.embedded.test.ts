import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManualClock } from '../clock.manual.ts';
import type { Clock } from '../clock.ts';
import { openEmbeddedStore } from '../store/store.embedded.ts';
import { lookupConformance } from './lookup.conformance.ts';
import { createEmbeddedLookup } from './lookup.embedded.ts';

const valueBytesMax = 10_000;
const fail = (error: unknown): never => {
  throw error;
};

function open(folder: string, clock: Clock) {
  const store = openEmbeddedStore(folder);
  const lookup = createEmbeddedLookup({ store, clock, onError: fail, options: { valueBytesMax } });
  return {
    store,
    lookup,
    async close() {
      await lookup.close();
      await store.close();
    },
  };
}

lookupConformance('embedded', {
  valueBytesMax,
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-lookup-'));
    const clock = createManualClock();
    let opened = open(folder, clock);
    return {
      lookup: opened.lookup,
      pass: async (ms) => clock.advance(ms),
      async reopen() {
        await opened.close();
        opened = open(folder, clock);
        return opened.lookup;
      },
      async close() {
        await opened.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});

test('[LOOK-4] the bytes of what has run out are freed, of nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-lookup-'));
  const clock = createManualClock();
  const { store, lookup, close } = open(folder, clock);
  const value = Buffer.from('x');
  await Promise.all(Array.from({ length: 2_500 }, (_, i) => lookup.put(`k${i}`, 0, value, 5_000)));
  await lookup.put('k7', 0, value, 20_000);
  await lookup.put('k8', 0, value, 0);
  await lookup.remove(['k9']);
  await lookup.put('k9', 0, value, 0);
  assert.equal(store.table('lookup').getKeysCount(), 2_500);
  clock.advance(5_000);
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([...store.table('lookup').getKeys()], ['k7', 'k8', 'k9']);
  assert.equal(store.table('lookup:expiry').getKeysCount(), 1);
  await close();
  await rm(folder, { recursive: true });
});
