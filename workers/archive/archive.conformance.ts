import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '../../channels/random.ts';
import { ServiceError } from '../../proto/codes.ts';
import { type Archive, type ArchivedVersion, archivePageBytesMax } from './archive.ts';

/**
 * The laws of archive.ts as tests, for any implementation. `open` gives an empty archive that nobody else
 * uses.
 */
export interface ArchiveHarness {
  open(): Promise<ArchiveUnderTest>;
}
export interface ArchiveUnderTest {
  archive: Archive;
  /** The archive as another process would find it later; closes the one before. */
  reopen(): Promise<Archive>;
  close(): Promise<void>;
}

export function archiveConformance(name: string, harness: ArchiveHarness): void {
  const law = (title: string, body: (under: ArchiveUnderTest, t: TestContext) => Promise<void>): void => {
    test(`${name}: ${title}`, { timeout: 60_000 }, async (t) => {
      const under = await harness.open();
      try {
        await body(under, t);
      } finally {
        await under.close();
      }
    });
  };

  law('[ARCH-1] versions are listed newest first', async ({ archive }) => {
    const boards = [3, 1, 20, 100, 2].map((version) => boardOf('c', version, 1));
    for (const board of boards) await archive.save(board, [encode('p')]);
    const newestFirst = boards.sort((a, b) => b.version - a.version);
    assert.deepEqual(await archive.versions('c', 10), newestFirst);
    assert.deepEqual(await archive.versions('c', 2), newestFirst.slice(0, 2));
    assert.deepEqual(await archive.versions('c', 0), []);
    assert.deepEqual(await archive.versions('c', 2, 20), newestFirst.slice(2, 4));
    assert.deepEqual(await archive.versions('c', 10, 21), newestFirst.slice(1));
    assert.deepEqual(await archive.versions('c', 10, 1), []);
    assert.deepEqual(await archive.versions('c', 10, 0), []);
    assert.deepEqual(await archive.versions('never', 10), []);
  });

  law('[ARCH-2] pages come back byte for byte, null where never saved', async ({ archive }) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await archive.save(boardOf('c', 7, 2), [bytes, new Uint8Array(0)]);
    assert.deepEqual(Uint8Array.from((await archive.page('c', 7, 0))!), bytes);
    assert.equal((await archive.page('c', 7, 1))!.length, 0);
    assert.equal(await archive.page('c', 7, 2), null);
    assert.equal(await archive.page('c', 8, 0), null);
    assert.equal(await archive.page('d', 7, 0), null);
    const many = Array.from({ length: 100 }, (_, i) => encode(`page ${i}`));
    await archive.save(boardOf('large', 1, 100), many);
    for (const [page, expected] of many.entries()) {
      assert.deepEqual(Uint8Array.from((await archive.page('large', 1, page))!), expected);
    }
  });

  law('[ARCH-3] saving again leaves it as the last save has it', async ({ archive }) => {
    await archive.save(boardOf('c', 7, 3), ['a', 'b', 'c'].map(encode));
    await archive.save(boardOf('c', 7, 3), ['a', 'b', 'c'].map(encode));
    assert.deepEqual(await archive.versions('c', 10), [boardOf('c', 7, 3)]);
    await archive.save(boardOf('c', 7, 2), ['x', 'y'].map(encode));
    assert.deepEqual(await archive.versions('c', 10), [boardOf('c', 7, 2)]);
    assert.deepEqual(await texts(archive, 'c', 7, 3), ['x', 'y', null]);
  });

  law('[ARCH-4] a version is listed only when all of its pages are kept', async ({ archive }) => {
    const pages = Array.from({ length: 200 }, (_, i) => encode(`${i}`));
    let saved = false;
    const saving = archive.save(boardOf('c', 7, 200), pages).then(() => {
      saved = true;
    });
    while (!saved) {
      const listed = await archive.versions('c', 1);
      if (listed.length > 0) assert.notEqual(await archive.page('c', 7, 199), null);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await saving;
    assert.equal((await archive.versions('c', 1)).length, 1);
  });

  law('[ARCH-4] what a save left that did not end is not answered', async ({ archive }) => {
    async function* broken(pages: string[]): AsyncGenerator<Uint8Array> {
      for (const page of pages) {
        yield encode(page);
        await new Promise((resolve) => setImmediate(resolve));
      }
      throw new Error('no more');
    }
    const names = Array.from({ length: 70 }, (_, i) => `p${i}`);
    await assert.rejects(archive.save(boardOf('c', 7, 100), broken(names)), /no more/);
    assert.deepEqual(await archive.versions('c', 10), []);
    assert.deepEqual(await texts(archive, 'c', 7, 2), [null, null]);
    await archive.save(boardOf('c', 7, 1), [encode('a')]);
    assert.deepEqual(await texts(archive, 'c', 7, 3), ['a', null, null]);
  });

  law('[ARCH-7] pages that are not what the board says are refused', async ({ archive }) => {
    const refused = async (pages: Uint8Array[], saying: RegExp): Promise<void> => {
      await assert.rejects(archive.save(boardOf('c', 7, 2), pages), (error) => {
        assert.ok(error instanceof ServiceError && !error.retryable);
        assert.match(error.message, saying);
        return true;
      });
      assert.deepEqual(await archive.versions('c', 10), []);
      assert.equal(await archive.page('c', 7, 0), null);
    };
    await refused([encode('a')], /2 pages were told of, 1 came/);
    await refused(['a', 'b', 'c'].map(encode), /more than 2 pages/);
    await refused([encode('a'), new Uint8Array(archivePageBytesMax + 1)], /page 1 is longer than 1048576/);
    await archive.save(boardOf('c', 7, 1), [new Uint8Array(archivePageBytesMax)]);
    assert.equal((await archive.page('c', 7, 0))?.length, archivePageBytesMax);
  });

  law('[ARCH-5] what resolved is there after a restart', async (under) => {
    await under.archive.save(boardOf('c', 7, 2), ['a', 'b'].map(encode));
    const archive = await under.reopen();
    assert.deepEqual(await archive.versions('c', 10), [boardOf('c', 7, 2)]);
    assert.deepEqual(await texts(archive, 'c', 7, 2), ['a', 'b']);
  });

  law('[ARCH-6] contests do not touch each other', async ({ archive }) => {
    const contests = ['c1', 'c11', 'c', 'c1_', 'c1-7', '-', '_', '1'];
    for (const contest of contests) await archive.save(boardOf(contest, 7, 1), [encode(contest)]);
    await archive.save(boardOf('c1', 8, 0), []);
    for (const contest of contests) {
      assert.deepEqual(await texts(archive, contest, 7, 1), [contest]);
      const versions = (await archive.versions(contest, 10)).map((board) => board.version);
      assert.deepEqual(versions, contest === 'c1' ? [8, 7] : [7]);
    }
  });

  law('[ARCH-1] [ARCH-2] [ARCH-3] [ARCH-5] random use equals a map', async (under, t) => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
    t.diagnostic(`SEED=${seed}`);
    const random = seededRandom(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const model = new Map<string, Map<number, string[]>>();
    let { archive } = under;
    for (let step = 0; step < 400; step++) {
      const contest = `c${pick(3)}`;
      const saved = model.get(contest) ?? new Map<number, string[]>();
      model.set(contest, saved);
      const dice = random();
      if (dice < 0.4) {
        const version = pick(12);
        const pages = Array.from({ length: pick(40) }, (_, i) => `${step}.${i}`);
        await archive.save(boardOf(contest, version, pages.length), pages.map(encode));
        saved.set(version, pages);
      } else if (dice < 0.98) {
        const limit = pick(14);
        const below = random() < 0.5 ? undefined : pick(14);
        const newest = [...saved.keys()].filter((version) => version < (below ?? 99)).sort((a, b) => b - a);
        const expected = newest.map((version) => boardOf(contest, version, saved.get(version)!.length));
        assert.deepEqual(await archive.versions(contest, limit, below), expected.slice(0, limit));
        const version = pick(12);
        const pages = saved.get(version) ?? [];
        assert.deepEqual(await texts(archive, contest, version, pages.length + 1), [...pages, null]);
      } else {
        archive = await under.reopen();
      }
    }
  });
}

function boardOf(contest: string, version: number, pages: number): ArchivedVersion {
  return {
    contest,
    version,
    at: 1_700_000_000_000 + version,
    total: pages * 500,
    pages,
    final: version % 2 === 0,
  };
}
const encode = (value: string): Uint8Array => new TextEncoder().encode(value);
async function texts(archive: Archive, contest: string, version: number, count: number) {
  const pages: (string | null)[] = [];
  for (let page = 0; page < count; page++) {
    const bytes = await archive.page(contest, version, page);
    pages.push(bytes === null ? null : new TextDecoder().decode(bytes));
  }
  return pages;
}
