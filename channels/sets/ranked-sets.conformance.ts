import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ClientError } from '../../proto/codes.ts';
import { seededRandom } from '../random.ts';
import type { RankedSets, SetChange, SetRow } from './ranked-sets.ts';

/**
 * The laws of ranked-sets.ts as tests, for any implementation. `open` gives empty sets that nobody else uses.
 */
export interface RankedSetsHarness {
  open(): Promise<RankedSetsUnderTest>;
}
export interface RankedSetsUnderTest {
  sets: RankedSets;
  /** The sets as another process would find them later; closes the ones before. */
  reopen(): Promise<RankedSets>;
  /** Makes the store forget everything; absent where it never does. */
  lose?(): Promise<void>;
  close(): Promise<void>;
}

type Law = (title: string, body: (under: RankedSetsUnderTest, t: TestContext) => Promise<void>) => void;

export function rankedSetsConformance(name: string, harness: RankedSetsHarness): void {
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
  pageLaws(law);
  applyLaws(law);
  replaceLaws(law);
  nameLaws(law);
  wholeLaws(law);
  law('[SET-1] [SET-2] [SET-4] [SET-7] [SET-10] random use equals sorting a map', randomUse);
}

function pageLaws(law: Law): void {
  law('[SET-1] greatest score first, equal ones by greatest bytes', async ({ sets }) => {
    const members = ['a', 'Z', 'z', '_', '-', '0', '9', 'aa', 'a-', 'zz'];
    await sets.apply(members.map((member, i) => put('s', member, i % 2)));
    const rows = members.map((member, i): SetRow => [member, i % 2]).sort(inOrder);
    assert.deepEqual(await sets.page('s', 0, 100), { total: 10, rows });
    assert.deepEqual(await sets.page('s', 3, 4), { total: 10, rows: rows.slice(3, 7) });
    assert.deepEqual(await sets.page('s', 9, 4), { total: 10, rows: rows.slice(9) });
    assert.deepEqual(await sets.page('s', 10, 4), { total: 10, rows: [] });
    assert.deepEqual(await sets.page('s', 1_000, 4), { total: 10, rows: [] });
    assert.deepEqual(await sets.page('s', 0, 0), { total: 10, rows: [] });
    assert.deepEqual(await sets.page('none', 0, 10), { total: 0, rows: [] });
  });

  law('[SET-5] counts come in the order asked', async ({ sets }) => {
    await sets.apply([put('a', 'x', 1), put('a', 'y', 1), put('b', 'x', 1)]);
    assert.deepEqual(await sets.counts(['b', 'none', 'a', 'b']), [1, 0, 2, 1]);
    assert.deepEqual(await sets.counts([]), []);
  });

  law('[SET-6] scores come in the order asked, at most 500', async ({ sets }) => {
    await sets.apply([put('s', 'a', 1), put('s', 'b', 2), put('other', 'c', 3)]);
    assert.deepEqual(await sets.scores('s', ['b', 'c', 'a', 'b']), [2, null, 1, 2]);
    const many = Array.from({ length: 500 }, (_, i) => `m${i}`);
    assert.equal((await sets.scores('s', many)).length, 500);
    await assert.rejects(sets.scores('s', [...many, 'one more']), ClientError);
  });

  law('[SET-15] scores of many sets come in the order asked, at most 5,000', async ({ sets }) => {
    await sets.apply([put('a', 'x', 1), put('a', 'y', 2), put('b', 'x', 3)]);
    const places = ['a x', 'b x', 'a y', 'none x', 'b y', 'a x'].map((place) => {
      const [set, member] = place.split(' ');
      return { set: set!, member: member! };
    });
    assert.deepEqual(await sets.scoresOf(places), [1, 3, 2, null, null, 1]);
    assert.deepEqual(await sets.scoresOf([]), []);
    const many = Array.from({ length: 5_000 }, (_, i) => ({ set: `s${i % 700}`, member: `m${i}` }));
    assert.equal((await sets.scoresOf(many)).length, 5_000);
    await assert.rejects(sets.scoresOf([...many, { set: 's', member: 'one more' }]), ClientError);
  });

  law('[SET-8] scores are exact doubles in their order', async ({ sets }) => {
    const scores = [
      0,
      1,
      -1,
      0.1,
      -0.1,
      0.30000000000000004,
      5e-324,
      -5e-324,
      1e300,
      -1e300,
      2 ** 53 - 1,
      255,
      256,
    ];
    await sets.apply([...scores.entries()].map(([i, score]) => put('s', `m${i}`, score)));
    const page = await sets.page('s', 0, 100);
    assert.deepEqual(
      page!.rows.map(([, score]) => score),
      [...scores].sort((a, b) => b - a),
    );
    await sets.apply([put('zero', 'a', -0), put('zero', 'b', 0)]);
    assert.deepEqual((await sets.page('zero', 0, 10))!.rows, [
      ['b', 0],
      ['a', 0],
    ]);
    for (const score of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      await assert.rejects(sets.apply([put('s', 'new', 1), put('s', 'x', score)]), ClientError);
      await assert.rejects(sets.replace('s', 9, [['x', score]]), ClientError);
    }
    assert.deepEqual(await sets.counts(['s']), [scores.length]);
  });

  law('[SET-9] sets do not touch each other', async ({ sets }) => {
    const names = ['followers_1', 'followers_11', 'followers_1_', 'followers_', 'following_1'];
    await sets.apply(names.flatMap((set) => [put(set, 'a', 1), put(set, set, 2)]));
    await sets.replace('followers_1', 1, [['b', 3]]);
    for (const set of names.slice(1)) {
      assert.deepEqual(await sets.page(set, 0, 10), {
        total: 2,
        rows: [
          [set, 2],
          ['a', 1],
        ],
      });
    }
    assert.deepEqual(await sets.page('followers_1', 0, 10), { total: 1, rows: [['b', 3]] });
  });
}

function applyLaws(law: Law): void {
  law('[SET-2] changes apply in the order given, the last score stands', async ({ sets }) => {
    await sets.apply([
      put('s', 'a', 1),
      put('s', 'b', 2),
      put('s', 'a', 3),
      drop('s', 'b'),
      put('s', 'c', 4),
    ]);
    assert.deepEqual(await sets.page('s', 0, 10), {
      total: 2,
      rows: [
        ['c', 4],
        ['a', 3],
      ],
    });
    await sets.apply([drop('s', 'a'), put('s', 'a', 9)]);
    await Promise.all([1, 2, 3].map((score) => sets.apply([put('s', 'd', score)])));
    assert.deepEqual(await sets.scores('s', ['a', 'd']), [9, 3]);
    await sets.apply([]);
    assert.deepEqual(await sets.counts(['s']), [3]);
  });

  law('[SET-3] a repeated call changes nothing', async ({ sets }) => {
    const changes = [put('s', 'a', 1), put('s', 'b', 2), drop('s', 'a'), put('s', 'c', 3)];
    await sets.apply(changes);
    const before = await sets.page('s', 0, 10);
    await sets.apply(changes);
    assert.deepEqual(await sets.page('s', 0, 10), before);
    assert.deepEqual(before, {
      total: 2,
      rows: [
        ['c', 3],
        ['b', 2],
      ],
    });
  });

  law('[SET-4] what is no member is neither removed nor made by ifMember', async ({ sets }) => {
    await sets.apply([put('s', 'a', 1), drop('s', 'b'), { ...put('s', 'c', 2), ifMember: true }]);
    assert.deepEqual(await sets.page('s', 0, 10), { total: 1, rows: [['a', 1]] });
    await sets.apply([
      { ...put('s', 'a', 5), ifMember: true },
      { ...drop('s', 'x'), ifMember: true },
    ]);
    assert.deepEqual(await sets.page('s', 0, 10), { total: 1, rows: [['a', 5]] });
    await sets.apply([drop('s', 'a'), drop('s', 'a')]);
    assert.deepEqual(await sets.page('s', 0, 10), { total: 0, rows: [] });
    assert.deepEqual(await sets.counts(['s']), [0]);
  });
}

function nameLaws(law: Law): void {
  law('[SET-11] names out of bounds are refused whole', async ({ sets }) => {
    const most = 'ü'.repeat(127);
    for (const name of ['', 'x'.repeat(256), 'ü'.repeat(128)]) {
      await assert.rejects(sets.apply([put('s', 'a', 1), put('s', name, 1)]), ClientError);
      await assert.rejects(sets.apply([put('s', 'a', 1), put(name, 'a', 1)]), ClientError);
      await assert.rejects(sets.replace(name, 1, []), ClientError);
      await assert.rejects(sets.replace('s', 1, [[name, 1]]), ClientError);
    }
    assert.deepEqual(await sets.counts(['s']), [0]);
    await sets.apply([put(most, most, 1)]);
    assert.deepEqual(await sets.page(most, 0, 10), { total: 1, rows: [[most, 1]] });
  });
}

function wholeLaws(law: Law): void {
  law('[SET-12] what was lost is not taken for empty, until the store is marked as new', async (under) => {
    const { sets } = under;
    const list = 'followers_1';
    await sets.apply([put(list, 'a', 1), put('top_c', 'x', 1)]);
    assert.deepEqual(await sets.counts([list, 'following_1', 'top_c']), [1, 0, 1]);
    if (under.lose === undefined) return;
    await under.lose();
    await sets.apply([put(list, 'b', 2)]);
    assert.deepEqual(await sets.counts([list, 'following_1', 'top_c']), [null, null, 0]);
    assert.equal(await sets.page(list, 0, 10), null);
    assert.equal(await sets.page('following_1', 0, 10), null);
    assert.deepEqual(await sets.page('top_c', 0, 10), { total: 0, rows: [] });
    assert.deepEqual(await sets.scores(list, ['a', 'b']), [null, 2]);
    await sets.markNew();
    assert.deepEqual(await sets.counts([list, 'following_1']), [1, 0]);
  });

  law('[SET-13] a list is whole once it was mended, what was applied meanwhile stands', async (under) => {
    const { sets } = under;
    await under.lose?.();
    const lists = ['followers_1', 'following_1'];
    const first = await sets.mend(lists[0]!);
    await sets.apply([put(lists[0]!, 'a', 1)]);
    assert.equal(await sets.mended(lists[0]!, first), true);
    assert.deepEqual(await sets.page(lists[0]!, 0, 10), { total: 1, rows: [['a', 1]] });
    assert.deepEqual(await sets.counts(lists), [1, under.lose === undefined ? 0 : null]);
    const two = [await sets.mend(lists[1]!), await sets.mend(lists[1]!)];
    for (const word of [...two, ...two]) assert.equal(await sets.mended(lists[1]!, word), true);
    if (under.lose === undefined) return;
    const second = await sets.mend(lists[0]!);
    await sets.apply([put(lists[0]!, 'a', 1)]);
    await under.lose();
    await sets.apply([put(lists[0]!, 'b', 1)]);
    assert.equal(await sets.mended(lists[0]!, second), false);
    assert.equal(await sets.page(lists[0]!, 0, 10), null);
  });

  law('[SET-14] a scan answers whoever is a member all the time', async ({ sets }) => {
    const stays = Array.from({ length: 700 }, (_, i) => `s${i}`);
    await sets.apply(stays.map((member, i) => put('s', member, i % 10)));
    await sets.apply(Array.from({ length: 300 }, (_, i) => put('s', `g${i}`, i)));
    await sets.apply([put('t', 'other', 1)]);
    const seen = new Set<string>();
    let steps = 0;
    for (let cursor: string | null = null; ; steps++) {
      const { members, next } = await sets.scan('s', cursor, 50);
      for (const member of members) seen.add(member);
      if (next === null) break;
      cursor = next;
      await sets.apply([
        drop('s', `g${steps}`),
        put('s', `new${steps}`, 1),
        put('s', `s${steps * 3}`, -steps),
      ]);
    }
    assert.ok(steps > 3);
    for (const member of stays) assert.ok(seen.has(member), member);
    for (const member of seen) assert.match(member, /^(s|g|new)\d+$/);
    assert.deepEqual(await sets.scan('none', null, 10), { members: [], next: null });
  });
}

function replaceLaws(law: Law): void {
  law('[SET-7] replace makes the set exactly the rows, by fences', async ({ sets }) => {
    await sets.apply([put('s', 'a', 1), put('s', 'b', 2), put('s', 'c', 3)]);
    await sets.replace('s', 5, [
      ['b', 20],
      ['d', 4],
    ]);
    assert.deepEqual(await sets.page('s', 0, 10), {
      total: 2,
      rows: [
        ['b', 20],
        ['d', 4],
      ],
    });
    await sets.replace('s', 5, [['x', 1]]);
    await sets.replace('s', 4, []);
    assert.deepEqual(await sets.counts(['s']), [2]);
    await sets.apply([put('s', 'e', 1), drop('s', 'b')]);
    await sets.replace('s', 5, []);
    assert.deepEqual(await sets.page('s', 0, 10), {
      total: 2,
      rows: [
        ['d', 4],
        ['e', 1],
      ],
    });
    await sets.replace('s', 6, []);
    assert.deepEqual(await sets.page('s', 0, 10), { total: 0, rows: [] });
    await sets.replace('s', 5, [['x', 1]]);
    assert.deepEqual(await sets.counts(['s']), [0]);
  });

  law('[SET-7] [SET-2] thousands of rows are replaced and applied whole', async ({ sets }) => {
    const rows = Array.from({ length: 2_500 }, (_, i): SetRow => [`m${i}`, i / 7]);
    await sets.replace('s', 1, rows);
    assert.deepEqual(await sets.counts(['s']), [2_500]);
    assert.deepEqual((await sets.page('s', 2_000, 500))!.rows, rows.slice(0, 500).reverse());
    await sets.replace('s', 1, [['x', 1]]);
    await sets.replace('s', 2, rows.slice(1_000));
    assert.deepEqual(await sets.counts(['s']), [1_500]);
    await sets.apply(rows.flatMap(([member]) => [put('s', member, 1), put('s', member, 2)]));
    await sets.apply(rows.slice(0, 1_500).map(([member]) => drop('s', member)));
    assert.deepEqual(await sets.page('s', 999, 2), { total: 1_000, rows: [['m1500', 2]] });
  });

  law('[SET-7] [SET-10] members, counts and fences survive a restart', async (under) => {
    await under.sets.apply([put('s', 'a', 1), put('s', 'b', -2)]);
    await under.sets.replace('t', 3, [
      ['x', 1],
      ['y', 2],
    ]);
    const sets = await under.reopen();
    assert.deepEqual(await sets.page('s', 0, 10), {
      total: 2,
      rows: [
        ['a', 1],
        ['b', -2],
      ],
    });
    await sets.replace('t', 3, []);
    assert.deepEqual(await sets.counts(['s', 't']), [2, 2]);
  });
}

async function randomUse(under: RankedSetsUnderTest, t: TestContext): Promise<void> {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`SEED=${seed}`);
  const random = seededRandom(seed);
  const pick = (below: number): number => Math.floor(random() * below);
  const model = new Map<string, Map<string, number>>();
  const fences = new Map<string, number>();
  const modelOf = (set: string): Map<string, number> => {
    const members = model.get(set) ?? new Map<string, number>();
    model.set(set, members);
    return members;
  };
  const anyScore = (): number => (pick(7) - 3) / (1 + pick(3));
  let { sets } = under;
  for (let step = 0; step < 1_000; step++) {
    const set = `s${pick(3)}`;
    const dice = random();
    if (dice < 0.4) {
      const changes = Array.from({ length: pick(20) }, (): SetChange => {
        const score = random() < 0.3 ? null : anyScore();
        return { set: `s${pick(3)}`, member: `m${pick(60)}`, score, ifMember: random() < 0.2 };
      });
      await sets.apply(changes);
      for (const change of changes) applyToModel(modelOf(change.set), change);
    } else if (dice < 0.45) {
      const rows = Array.from({ length: pick(30) }, (_, i): SetRow => [`m${i * 2}`, anyScore()]);
      const fence = pick(step + 1);
      await sets.replace(set, fence, rows);
      if (fence > (fences.get(set) ?? -1)) {
        fences.set(set, fence);
        model.set(set, new Map(rows.map(([member, score]) => [member, score + 0])));
      }
    } else if (dice < 0.99) {
      const rows: SetRow[] = [...modelOf(set)].sort(inOrder);
      const offset = pick(rows.length + 3);
      const limit = pick(20);
      const expected = { total: rows.length, rows: rows.slice(offset, offset + limit) };
      assert.deepEqual(await sets.page(set, offset, limit), expected);
      assert.deepEqual(await sets.counts([set]), [rows.length]);
      assert.deepEqual(
        await sets.scores(set, ['m1', 'm2']),
        ['m1', 'm2'].map((m) => modelOf(set).get(m) ?? null),
      );
    } else {
      sets = await under.reopen();
    }
  }
}

function applyToModel(members: Map<string, number>, { member, score, ifMember }: SetChange): void {
  if (score === null) members.delete(member);
  else if (ifMember !== true || members.has(member)) members.set(member, score + 0);
}

const put = (set: string, member: string, score: number): SetChange => ({ set, member, score });
const drop = (set: string, member: string): SetChange => ({ set, member, score: null });
const inOrder = (a: SetRow, b: SetRow): number =>
  b[1] - a[1] || Buffer.compare(Buffer.from(b[0]), Buffer.from(a[0]));
