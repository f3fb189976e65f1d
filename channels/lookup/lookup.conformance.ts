import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ClientError } from '../../proto/codes.ts';
import { seededRandom } from '../random.ts';
import type { Lookup } from './lookup.ts';

/**
 * The laws of lookup.ts as tests, for any implementation. `open` gives an empty lookup that nobody else uses.
 */
export interface LookupHarness {
  open(): Promise<LookupUnderTest>;
  valueBytesMax: number;
}
export interface LookupUnderTest {
  lookup: Lookup;
  /** Lets so much time pass for the lookup: a held clock moves, a real server is waited for. */
  pass(ms: number): Promise<void>;
  /** The lookup as another process would find it later; closes the one before. */
  reopen(): Promise<Lookup>;
  close(): Promise<void>;
}

type Law = (title: string, body: (under: LookupUnderTest, t: TestContext) => Promise<void>) => void;

export function lookupConformance(name: string, harness: LookupHarness): void {
  const law: Law = (title, body) => {
    test(`${name}: ${title}`, { timeout: 60_000 }, async (t) => {
      const under = await harness.open();
      try {
        await body(under, t);
      } finally {
        await under.close();
      }
    });
  };

  law('[LOOK-1] what was put is there, and nothing else', async ({ lookup }) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await lookup.put('contest_c1', 0, bytes, 0);
    await lookup.put('contest_c2', 0, new Uint8Array(0), 0);
    assert.deepEqual(Uint8Array.from((await lookup.get(['contest_c1']))[0]!), bytes);
    assert.equal((await lookup.get(['contest_c2']))[0]!.length, 0);
    assert.deepEqual(await lookup.get(['contest_c', 'contest_c11']), [null, null]);
  });

  law('[LOOK-2] a lower fence changes nothing, an equal or higher one replaces', async ({ lookup, pass }) => {
    await lookup.put('k', 5, encode('five'), 0);
    await lookup.put('k', 4, encode('four'), 50);
    assert.equal(await read(lookup, 'k'), 'five');
    await lookup.put('k', 5, encode('five again'), 0);
    assert.equal(await read(lookup, 'k'), 'five again');
    await lookup.put('k', 6, encode('six'), 0);
    await lookup.put('k', 5, encode('five'), 0);
    assert.equal(await read(lookup, 'k'), 'six');
    await pass(60);
    assert.equal(await read(lookup, 'k'), 'six');
    await lookup.put('high', 1.8e12, encode('ms'), 0);
    await lookup.put('high', 1.8e12 - 1, encode('before'), 0);
    assert.equal(await read(lookup, 'high'), 'ms');
  });

  law('[LOOK-2] puts made together take effect by their fences', async ({ lookup }) => {
    await Promise.all(
      [3, 9, 1, 7, 9, 2].map((fence, i) => lookup.put('k', fence, encode(`${fence}.${i}`), 0)),
    );
    assert.equal(await read(lookup, 'k'), '9.4');
  });

  law('[LOOK-3] putIfAbsent keeps the first only, and all answer it', async ({ lookup, pass }) => {
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((value, fence) => lookup.putIfAbsent('k', fence, encode(value), 0)),
    );
    const kept = await read(lookup, 'k');
    for (const answer of answers) assert.equal(decode(answer), kept);
    assert.equal(decode(await lookup.putIfAbsent('k', 99, encode('d'), 0)), kept);
    assert.equal(decode(await lookup.putIfAbsent('e', 1, encode('short'), 50)), 'short');
    await pass(60);
    assert.equal(decode(await lookup.putIfAbsent('e', 0, encode('next'), 0)), 'next');
  });

  law('[LOOK-4] a value runs out at its time, its fence with it', async ({ lookup, pass }) => {
    await lookup.put('k', 10, encode('short'), 100);
    await lookup.put('stays', 10, encode('stays'), 0);
    await lookup.put('longer', 10, encode('a'), 100);
    await lookup.put('longer', 10, encode('b'), 100_000);
    assert.equal(await read(lookup, 'k'), 'short');
    await pass(120);
    assert.equal(await read(lookup, 'k'), null);
    assert.equal(await read(lookup, 'stays'), 'stays');
    assert.equal(await read(lookup, 'longer'), 'b');
    await lookup.put('k', 1, encode('new'), 0);
    assert.equal(await read(lookup, 'k'), 'new');
  });

  law('[LOOK-5] get answers in the order of the keys, at most 500', async ({ lookup }) => {
    const keys = Array.from({ length: 500 }, (_, i) => `k${i}`);
    await Promise.all(keys.filter((_, i) => i % 3 === 0).map((key) => lookup.put(key, 0, encode(key), 0)));
    const values = await lookup.get(keys);
    for (const [i, value] of values.entries()) {
      assert.equal(value === null ? null : decode(value), i % 3 === 0 ? `k${i}` : null);
    }
    assert.deepEqual(await lookup.get([]), []);
    await assert.rejects(lookup.get([...keys, 'one more']), ClientError);
  });

  law('[LOOK-6] what was removed is absent, its fence with it', async ({ lookup }) => {
    await lookup.put('a', 9, encode('a'), 0);
    await lookup.put('b', 9, encode('b'), 0);
    await lookup.remove(['a', 'never']);
    assert.deepEqual(await lookup.get(['a']), [null]);
    assert.equal(await read(lookup, 'b'), 'b');
    await lookup.put('a', 1, encode('again'), 0);
    assert.equal(await read(lookup, 'a'), 'again');
  });

  law('[LOOK-7] what resolved is there after a restart', async (under) => {
    await under.lookup.put('k', 5, encode('five'), 0);
    await under.lookup.put('gone', 5, encode('five'), 0);
    await under.lookup.remove(['gone']);
    const lookup = await under.reopen();
    assert.equal(await read(lookup, 'k'), 'five');
    assert.equal(await read(lookup, 'gone'), null);
    await lookup.put('k', 4, encode('four'), 0);
    assert.equal(await read(lookup, 'k'), 'five');
  });

  law('[LOOK-8] keys and values out of bounds are refused', async ({ lookup }) => {
    const most = new Uint8Array(harness.valueBytesMax);
    await lookup.put('k'.repeat(255), 0, most, 0);
    assert.equal((await lookup.get(['k'.repeat(255)]))[0]!.length, most.length);
    for (const call of [
      lookup.put('', 0, encode('x'), 0),
      lookup.put('k'.repeat(256), 0, encode('x'), 0),
      lookup.put('k', 0, new Uint8Array(harness.valueBytesMax + 1), 0),
      lookup.putIfAbsent('', 0, encode('x'), 0),
    ]) {
      await assert.rejects(call, ClientError);
    }
  });

  law('[LOOK-1] [LOOK-2] [LOOK-3] [LOOK-6] [LOOK-7] random use equals a map', randomUse);
}

async function randomUse(under: LookupUnderTest, t: TestContext): Promise<void> {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`SEED=${seed}`);
  const random = seededRandom(seed);
  const pick = (below: number): number => Math.floor(random() * below);
  const model = new Map<string, { fence: number; value: string }>();
  let { lookup } = under;
  for (let step = 0; step < 1_000; step++) {
    const key = `k${pick(12)}`;
    const fence = pick(20);
    const value = `${step}`;
    const kept = model.get(key);
    const dice = random();
    if (dice < 0.4) {
      await lookup.put(key, fence, encode(value), 0);
      if (kept === undefined || fence >= kept.fence) model.set(key, { fence, value });
    } else if (dice < 0.5) {
      if (kept === undefined) model.set(key, { fence, value });
      const answer = await lookup.putIfAbsent(key, fence, encode(value), 0);
      assert.equal(decode(answer), model.get(key)!.value);
    } else if (dice < 0.6) {
      await lookup.remove([key]);
      model.delete(key);
    } else if (dice < 0.99) {
      const keys = Array.from({ length: pick(5) }, () => `k${pick(12)}`);
      const values = await lookup.get(keys);
      assert.deepEqual(
        values.map((bytes) => (bytes === null ? null : decode(bytes))),
        keys.map((asked) => model.get(asked)?.value ?? null),
      );
    } else {
      lookup = await under.reopen();
    }
  }
}

const encode = (value: string): Uint8Array => new TextEncoder().encode(value);
const decode = (value: Uint8Array): string => new TextDecoder().decode(value);
async function read(lookup: Lookup, key: string): Promise<string | null> {
  const [value] = await lookup.get([key]);
  return value === null || value === undefined ? null : decode(value);
}
