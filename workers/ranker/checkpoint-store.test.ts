import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCheckpointStore } from './checkpoint-store.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const texts = (loaded: Awaited<ReturnType<ReturnType<typeof createCheckpointStore>['load']>>): unknown =>
  'reason' in loaded
    ? loaded.reason
    : [
        loaded.segments.map((segment) => Buffer.from(segment).toString()),
        Buffer.from(loaded.head).toString(),
      ];

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
  try {
    await body(join(folder, 'p0'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('segments gather, heads replace one another, and another store reads them back', async () => {
  await inFolder(async (folder) => {
    const store = createCheckpointStore(folder);
    assert.equal(texts(await store.load()), 'there is none yet');
    await store.save(bytes('one'), bytes('head\n1'), false);
    await store.save(bytes(''), bytes('head 2'), false);
    await store.save(bytes('two'), bytes('head 3'), false);
    assert.equal(store.segments, 2);
    assert.deepEqual(texts(await createCheckpointStore(folder).load()), [['one', 'two'], 'head 3']);
  });
});

test('a whole checkpoint takes the place of all segments, whose files go', async () => {
  await inFolder(async (folder) => {
    const store = createCheckpointStore(folder);
    await store.load();
    for (const text of ['a', 'b', 'c']) await store.save(bytes(text), bytes('h'), false);
    await store.save(bytes('abc'), bytes('whole'), true);
    await store.save(bytes('d'), bytes('more'), false);
    assert.deepEqual(texts(await createCheckpointStore(folder).load()), [['abc', 'd'], 'more']);
    assert.deepEqual((await readdir(folder)).length, 3);
  });
});

test('what a crash left half written is not seen and is cleared away', async () => {
  await inFolder(async (folder) => {
    const store = createCheckpointStore(folder);
    await store.load();
    await store.save(bytes('one'), bytes('head'), false);
    await writeFile(join(folder, 'segment-00000002'), 'tw');
    await writeFile(join(folder, 'head.next'), 'rubbish');
    const next = createCheckpointStore(folder);
    assert.deepEqual(texts(await next.load()), [['one'], 'head']);
    await next.save(bytes('two'), bytes('head 2'), false);
    assert.deepEqual(texts(await createCheckpointStore(folder).load()), [['one', 'two'], 'head 2']);
  });
});

test('a damaged or truncated file is told, never loaded', async () => {
  const damages: [file: string, said: RegExp][] = [
    ['segment-00000001', /segment-00000001 is missing or damaged/],
    ['head', /damaged/],
  ];
  for (const [file, said] of damages) {
    for (const how of ['cut', 'flip', 'empty', 'gone'] as const) {
      await inFolder(async (folder) => {
        const store = createCheckpointStore(folder);
        await store.load();
        await store.save(bytes('a segment'), bytes('a head'), false);
        const path = join(folder, file);
        const whole = await readFile(path);
        if (how === 'cut') await truncate(path, whole.length - 1);
        if (how === 'empty') await truncate(path, 0);
        if (how === 'gone') await rm(path);
        if (how === 'flip') {
          whole[whole.length - 1]! ^= 1;
          await writeFile(path, whole);
        }
        const fresh = createCheckpointStore(folder);
        const loaded = await fresh.load();
        const reason = 'reason' in loaded ? loaded.reason : 'loaded';
        assert.match(reason, how === 'gone' && file === 'head' ? /none yet/ : said, `${how} ${file}`);
        await fresh.clear();
        await fresh.save(bytes('new'), bytes('new'), false);
        assert.deepEqual(texts(await createCheckpointStore(folder).load()), [['new'], 'new']);
      });
    }
  }
});

test('a segment whose save failed goes with the next', async () => {
  await inFolder(async (folder) => {
    const store = createCheckpointStore(folder);
    await store.load();
    await store.save(bytes('one'), bytes('h1'), false);
    await rm(folder, { recursive: true });
    await assert.rejects(store.save(bytes('two'), bytes('h2'), false));
    assert.equal(store.segments, 2);
    const again = createCheckpointStore(folder);
    await again.load();
    await store.save(bytes('whole'), bytes('h3'), true);
    assert.deepEqual(texts(await createCheckpointStore(folder).load()), [['whole'], 'h3']);
    await store.save(bytes('four'), bytes('h4'), false);
    assert.deepEqual(texts(await createCheckpointStore(folder).load()), [['whole', 'four'], 'h4']);
  });
});
