import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../channels/random.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { sharedCassandra } from '../../test/services/shared.ts';
import { createEmbeddedArchive } from './archive.embedded.ts';
import type { Archive, ArchivedVersion } from './archive.ts';
import { openKeyspace } from './keyspace.conformance.ts';

const steps = 300;

test('embedded and Cassandra answer alike', { timeout: 120_000 }, async (t) => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`SEED=${seed}`);
  const random = seededRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-archive-'));
  const store = openEmbeddedStore(folder);
  const embedded = createEmbeddedArchive({ store });
  const keyspace = openKeyspace(await sharedCassandra());
  try {
    let real = keyspace.open();
    for (let step = 0; step < steps; step++) {
      if (random() < 0.02) real = await keyspace.reopen();
      const act = randomAct(random, step);
      const [expected, found] = await Promise.all([outcome(embedded, act), outcome(real, act)]);
      assert.deepEqual(found, expected, `step ${step}`);
    }
  } finally {
    await embedded.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
    await keyspace.drop();
  }
});

type Act = (archive: Archive) => Promise<unknown>;

/** What it answered, or how it was refused, in plain data. */
async function outcome(archive: Archive, act: Act): Promise<unknown> {
  try {
    return await act(archive);
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

function randomAct(random: () => number, step: number): Act {
  const pick = (below: number): number => Math.floor(random() * below);
  const contest = ['c', 'c1', 'C', '-', 'a_long_name-of-a-contest_0123456789'][pick(5)]!;
  // Versions near each other and far apart, up to the greatest whole number.
  const version = [pick(6), 77, 2 ** 31 + pick(3), 2 ** 53 - 1 - pick(2)][pick(4)]!;
  const dice = random();
  if (dice < 0.3) return randomSave(random, contest, version, step);
  if (dice < 0.5) {
    const limit = pick(8);
    const below = random() < 0.5 ? undefined : version + pick(3);
    return (archive) => archive.versions(contest, limit, below);
  }
  const from = pick(2) * 990 + pick(20);
  return async (archive) => {
    const pages = await Promise.all(
      Array.from({ length: 20 }, (_, i) => archive.page(contest, version, from + i)),
    );
    return pages.map((page) => (page === null ? null : Buffer.from(page).toString('base64')));
  };
}

/** Up to three dozen pages, now and then beyond a thousand; sometimes not as many as said. */
function randomSave(random: () => number, contest: string, version: number, step: number): Act {
  const pick = (below: number): number => Math.floor(random() * below);
  const count = random() < 0.05 ? 995 + pick(12) : pick(36);
  const pages = Array.from({ length: count }, (_, page) =>
    Uint8Array.from({ length: pick(40) }, (__, at) => (step + page + at) % 256),
  );
  const wrong = random() < 0.1;
  const board: ArchivedVersion = {
    contest,
    // What is refused must not be mixed with what is kept: a version that nothing else saves.
    version: wrong ? 77 : version === 77 ? 78 : version,
    at: Math.floor(random() * 2 ** 42),
    total: Math.floor(random() * 2 ** 53),
    pages: wrong ? count + 1 + pick(2) : count,
    final: random() < 0.3,
  };
  return (archive) => archive.save(board, pages);
}
