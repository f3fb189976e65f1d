import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '../random.ts';
import type { Pages } from './pages.ts';

/** The laws of pages.ts as tests, for any implementation. `open` gives empty pages that nobody else uses. */
export interface PagesHarness {
  open(): Promise<PagesUnderTest>;
}
export interface PagesUnderTest {
  pages: Pages;
  /** Lets so much time pass for the pages: a held clock moves, a real server is waited for. */
  pass(ms: number): Promise<void>;
  /** The pages as another process would find them later; closes the ones before. */
  reopen(): Promise<Pages>;
  close(): Promise<void>;
}

export function pagesConformance(name: string, harness: PagesHarness): void {
  const law = (title: string, body: (under: PagesUnderTest, t: TestContext) => Promise<void>): void => {
    test(`${name}: ${title}`, { timeout: 60_000 }, async (t) => {
      const under = await harness.open();
      try {
        await body(under, t);
      } finally {
        await under.close();
      }
    });
  };

  law('[PAGE-1] get answers what was put, and null where nothing is', async ({ pages }) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await pages.put('c', 0, 'e1', 7, bytes, 0);
    await pages.put('c', 1, 'e1', 8, new Uint8Array(0), 0);
    const page = await pages.get('c', 0);
    assert.deepEqual([page!.epoch, page!.version, Uint8Array.from(page!.bytes)], ['e1', 7, bytes]);
    assert.deepEqual(await read(pages, 'c', 1), ['e1', 8, '']);
    assert.equal(await pages.get('c', 2), null);
    assert.equal(await pages.get('d', 0), null);
  });

  law('[PAGE-2] a lower version of the epoch changes nothing', async ({ pages, pass }) => {
    await pages.put('c', 0, 'e1', 7, encode('seven'), 0);
    await pages.put('c', 0, 'e1', 6, encode('six'), 50);
    await pass(60);
    assert.deepEqual(await read(pages, 'c', 0), ['e1', 7, 'seven']);
    await pages.put('c', 0, 'e1', 7, encode('seven again'), 0);
    assert.deepEqual(await read(pages, 'c', 0), ['e1', 7, 'seven again']);
    await pages.put('c', 0, 'e2', 1, encode('anew'), 0);
    assert.deepEqual(await read(pages, 'c', 0), ['e2', 1, 'anew']);
    await pages.put('c', 1, 'e1', 1, encode('another page'), 0);
    assert.deepEqual(await read(pages, 'c', 1), ['e1', 1, 'another page']);
    await Promise.all([3, 9, 5].map((version) => pages.put('c', 0, 'e2', version, encode(`${version}`), 0)));
    assert.deepEqual(await read(pages, 'c', 0), ['e2', 9, '9']);
  });

  law('[PAGE-3] a page runs out at its time', async ({ pages, pass }) => {
    await pages.put('c', 0, 'e', 5, encode('short'), 100);
    await pages.put('c', 1, 'e', 5, encode('stays'), 0);
    await pages.put('c', 2, 'e', 5, encode('short'), 100);
    await pages.put('c', 2, 'e', 6, encode('long'), 100_000);
    await pass(120);
    assert.equal(await pages.get('c', 0), null);
    assert.deepEqual(await read(pages, 'c', 1), ['e', 5, 'stays']);
    assert.deepEqual(await read(pages, 'c', 2), ['e', 6, 'long']);
    await pages.put('c', 0, 'e', 1, encode('new'), 0);
    assert.deepEqual(await read(pages, 'c', 0), ['e', 1, 'new']);
  });

  law('[PAGE-4] remove takes all pages of the contest, and of no other', async ({ pages }) => {
    const contests = ['c1', 'c11', 'c', 'c1_', 'd'];
    for (const contest of contests) {
      for (const page of [0, 1, 10, 300])
        await pages.put(contest, page, 'e', 1, encode(contest), page * 1_000);
    }
    await pages.remove('c1');
    await pages.remove('never');
    for (const contest of contests) {
      for (const page of [0, 1, 10, 300]) {
        const expected = contest === 'c1' ? null : ['e', 1, contest];
        assert.deepEqual(await read(pages, contest, page), expected);
      }
    }
    await pages.put('c1', 0, 'e', 0, encode('again'), 0);
    assert.deepEqual(await read(pages, 'c1', 0), ['e', 0, 'again']);
  });

  law('[PAGE-5] what resolved is there after a restart', async (under) => {
    await under.pages.put('c', 0, 'e1', 7, encode('seven'), 0);
    await under.pages.put('gone', 0, 'e1', 7, encode('seven'), 0);
    await under.pages.remove('gone');
    const pages = await under.reopen();
    assert.deepEqual(await read(pages, 'c', 0), ['e1', 7, 'seven']);
    assert.equal(await pages.get('gone', 0), null);
    await pages.put('c', 0, 'e1', 6, encode('six'), 0);
    assert.deepEqual(await read(pages, 'c', 0), ['e1', 7, 'seven']);
  });

  law('[PAGE-1] [PAGE-2] [PAGE-4] [PAGE-5] random use equals a map', async (under, t) => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
    t.diagnostic(`SEED=${seed}`);
    const random = seededRandom(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const model = new Map<string, [epoch: string, version: number, text: string]>();
    let { pages } = under;
    for (let step = 0; step < 800; step++) {
      const contest = `c${pick(3)}`;
      const page = pick(4);
      const key = `${contest}/${page}`;
      const dice = random();
      if (dice < 0.5) {
        const epoch = `e${pick(2)}`;
        const version = pick(30);
        await pages.put(contest, page, epoch, version, encode(`${step}`), 0);
        const kept = model.get(key);
        if (kept?.[0] !== epoch || version >= kept[1]) model.set(key, [epoch, version, `${step}`]);
      } else if (dice < 0.55) {
        await pages.remove(contest);
        for (const other of model.keys()) if (other.startsWith(`${contest}/`)) model.delete(other);
      } else if (dice < 0.99) {
        assert.deepEqual(await read(pages, contest, page), model.get(key) ?? null);
      } else {
        pages = await under.reopen();
      }
    }
  });
}

const encode = (value: string): Uint8Array => new TextEncoder().encode(value);
async function read(pages: Pages, contest: string, page: number): Promise<unknown> {
  const kept = await pages.get(contest, page);
  return kept === null ? null : [kept.epoch, kept.version, new TextDecoder().decode(kept.bytes)];
}
