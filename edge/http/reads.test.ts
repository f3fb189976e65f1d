import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePageAnswer } from '../../channels/contest/message-codec.ts';
import { putDecided } from '../../channels/lookup/command-status.ts';
import { putProfile } from '../../channels/lookup/profile.ts';
import { storedAffinity } from '../../channels/sets/affinity.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { decodeRebuild, rebuildSubject } from '../../channels/sets/rebuild-question.ts';
import { type Answer, errorOf, place, playRanker, putPlace, withApi } from './api-harness.conformance.ts';
import { rebuildsDefaults } from './rebuilds.ts';

function assertError(answer: Answer, status: number, code: string, message: RegExp): void {
  assert.equal(answer.status, status);
  assert.equal(errorOf(answer).code, code);
  assert.match(errorOf(answer).message, message);
  assert.match(errorOf(answer).message, /^[A-Z`"].*\.$/);
}

test('a leaderboard page is what the ranker answers, and nothing but what is needed', () =>
  withApi(async (bench) => {
    await putPlace(bench.lookup, 'c1');
    await playRanker(bench, 42);
    const answer = await bench.ask('GET', '/v1/contests/c1/leaderboard');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, {
      version: 42,
      total: 2,
      scoreStep: 0.5,
      rows: [
        [1, 'e1', 71],
        [2, 'e2', 64],
      ],
    });
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.headers['cache-control'], 'no-store');
    const beyond = await bench.ask('GET', '/v1/contests/c1/leaderboard?page=7');
    assert.deepEqual(beyond.body, { version: 42, total: 2, scoreStep: 0.5, rows: [] });
  }));

test('ranks of entries; those not in the contest are left out', () =>
  withApi(async (bench) => {
    await putPlace(bench.lookup, 'c1');
    await playRanker(bench, 42);
    const answer = await bench.ask('GET', '/v1/contests/c1/ranks?entry=e2&entry=nobody&entry=e1');
    assert.deepEqual(answer.body, {
      version: 42,
      appliedVersion: 43,
      scoreStep: 0.5,
      ranks: [
        { entry: 'e2', score: 64, rank: 2 },
        { entry: 'e1', score: 71, rank: 1 },
      ],
    });
  }));

test('an unknown contest is answered at once', () =>
  withApi(async ({ ask }) => {
    for (const url of ['/v1/contests/nope/leaderboard', '/v1/contests/nope/ranks?entry=e1']) {
      assertError(await ask('GET', url), 404, 'unknown_contest', /No contest nope/);
    }
  }));

test('minVersion waits until it is applied, else 504', () =>
  withApi(async (bench) => {
    await putPlace(bench.lookup, 'c1');
    const ranker = await playRanker(bench, 42);
    for (const url of ['/v1/contests/c1/leaderboard?', '/v1/contests/c1/ranks?entry=e1&']) {
      const waiting = bench.ask('GET', `${url}minVersion=${ranker.version + 2}`);
      await bench.clock.advanceSettled(1_000);
      ranker.version += 2;
      await bench.clock.advanceSettled(1_000);
      assert.equal((await waiting).status, 200);
      const late = bench.ask('GET', `${url}minVersion=1000`);
      await bench.clock.advanceSettled(2_500);
      assertError(await late, 504, 'version_timeout', /Version 1000 was not reached within 2 s/);
    }
  }));

test('minVersion also waits for a contest that is being created', () =>
  withApi(async (bench) => {
    await playRanker(bench, 42);
    const waiting = bench.ask('GET', '/v1/contests/c1/leaderboard?minVersion=42');
    await bench.clock.advanceSettled(500);
    await putPlace(bench.lookup, 'c1');
    await bench.clock.advanceSettled(500);
    assert.equal((await waiting).status, 200);
    let reads = 0;
    const { get } = bench.lookup;
    bench.lookup.get = (keys) => {
      reads += 1;
      return get(keys);
    };
    const never = bench.ask('GET', '/v1/contests/never/leaderboard?minVersion=42');
    await bench.clock.advanceSettled(3_000);
    assertError(await never, 504, 'version_timeout', /Contest never/);
    assert.ok(reads > 5 && reads < 16, `${reads} reads of the lookup for one request`);
  }));

test('no ranker: the page left behind serves, marked stale; without one 503', () =>
  withApi(async (bench) => {
    const { ask, clock, pages } = bench;
    await putPlace(bench.lookup, 'c1');
    const later = async (url: string): Promise<Answer> => {
      const waiting = ask('GET', url);
      await clock.advanceSettled(3_000);
      return waiting;
    };
    assertError(await later('/v1/contests/c1/leaderboard'), 503, 'unavailable', /not reachable now/);
    assertError(await later('/v1/contests/c1/ranks?entry=e1'), 503, 'unavailable', /not reachable now/);
    const kept = encodePageAnswer({
      outcome: 'ok',
      version: 40,
      total: 1,
      scoreStep: 1,
      rows: [[1, 'e1', 7]],
    });
    await pages.put('c1', 0, place.epoch, 40, kept, 0);
    const answer = await later('/v1/contests/c1/leaderboard');
    const rows = [[1, 'e1', 7]];
    assert.deepEqual(answer.body, { version: 40, total: 1, scoreStep: 1, rows, stale: true });
    assertError(
      await later('/v1/contests/c1/leaderboard?minVersion=41'),
      504,
      'version_timeout',
      /newest is 40/,
    );
    await pages.put('c1', 1, 'another epoch', 40, kept, 0);
    assert.equal((await later('/v1/contests/c1/leaderboard?page=1')).status, 503);
  }));

test('a contest that the ranker has let go of is served from its last page, else unknown', () =>
  withApi(async (bench) => {
    await putPlace(bench.lookup, 'c2');
    await playRanker(bench, 42);
    assert.equal((await bench.ask('GET', '/v1/contests/c2/leaderboard')).status, 404);
    const kept = encodePageAnswer({
      outcome: 'ok',
      version: 40,
      total: 1,
      scoreStep: 1,
      rows: [[1, 'e1', 7]],
    });
    await bench.pages.put('c2', 0, place.epoch, 40, kept, 0);
    const answer = await bench.ask('GET', '/v1/contests/c2/leaderboard');
    assert.deepEqual(answer.body, { version: 40, total: 1, scoreStep: 1, rows: [[1, 'e1', 7]] });
  }));

test('a storm of identical reads costs one question', () =>
  withApi(async (bench) => {
    await putPlace(bench.lookup, 'c1');
    const ranker = await playRanker(bench, 42);
    let release = (): void => {};
    ranker.hold = new Promise((resolve) => {
      release = resolve;
    });
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => bench.tokenOf(`u${i}`)));
    const storm = Array.from({ length: 1_000 }, (_, i) =>
      bench.ask('GET', '/v1/contests/c1/leaderboard?page=0', {
        headers: { authorization: `Bearer ${tokens[i % 20]}` },
      }),
    );
    while (ranker.asked === 0) await new Promise((resolve) => setImmediate(resolve));
    await bench.clock.advanceSettled(0);
    release();
    const answers = await Promise.all(storm);
    assert.ok(answers.every(({ status }) => status === 200));
    assert.equal(ranker.asked, 1);
    await bench.ask('GET', '/v1/contests/c1/leaderboard?page=0');
    assert.equal(ranker.asked, 2);
  }));

test('followers and following: total and a page of users with their affinity now', () =>
  withApi(async ({ ask, sets, clock }) => {
    const set = 'followers_1002';
    const change = (member: string, value: number) => ({
      set,
      member,
      score: storedAffinity(value, clock.now()),
    });
    await sets.apply([change('a', 0.25), change('b', 1), change('c', 0.5)]);
    await sets.apply([{ set: 'following_1002', member: 'z', score: 0 }]);
    assert.deepEqual((await ask('GET', '/v1/users/1002/followers?offset=1&limit=1')).body, {
      total: 3,
      items: [{ user: 'c', affinity: 0.5 }],
    });
    const { body } = await ask('GET', '/v1/users/1002/followers');
    assert.deepEqual(
      (body as { items: { user: string }[] }).items.map(({ user }) => user),
      ['b', 'c', 'a'],
    );
    const following = await ask('GET', '/v1/users/1002/following');
    assert.deepEqual(following.body, { total: 1, items: [{ user: 'z', affinity: 0 }] });
    assert.deepEqual((await ask('GET', '/v1/users/1002/counts')).body, { followers: 3, following: 1 });
    assert.deepEqual((await ask('GET', '/v1/users/new/followers')).body, { total: 0, items: [] });
    assert.deepEqual((await ask('GET', '/v1/users/new/counts')).body, { followers: 0, following: 0 });
  }));

test('a list that was lost is rebuilding, never zero', () => {
  const lost = { page: async () => null, counts: async () => [null, 3] } as unknown as RankedSets;
  return withApi(
    async ({ ask, clock }) => {
      for (const path of ['followers', 'following', 'counts']) {
        const asking = ask('GET', `/v1/users/1002/${path}`);
        // Nobody says that it is mended.
        while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
        await clock.advanceSettled(rebuildsDefaults.rebuildWaitMs);
        const answer = await asking;
        assertError(answer, 503, 'rebuilding', /1002.*being rebuilt/);
        assert.equal(answer.headers['retry-after'], '1');
      }
    },
    {},
    { sets: lost },
  );
});

test('a list mended while the caller waits is served; users asked for together share a question', () => {
  let mended = false;
  const total = () => (mended ? 1 : null);
  const sets = {
    page: async () => (mended ? { total: 1, rows: [] } : null),
    counts: async () => [total(), total()],
  } as unknown as RankedSets;
  return withApi(
    async ({ ask, bus }) => {
      const questions: string[][] = [];
      await bus.answer(rebuildSubject, async (question) => {
        questions.push(decodeRebuild(question));
        mended = true;
        return new Uint8Array(0);
      });
      const paths = ['1/followers', '2/following', '1/counts'];
      const answers = await Promise.all(paths.map((path) => ask('GET', `/v1/users/${path}`)));
      for (const { status } of answers) assert.equal(status, 200);
      assert.deepEqual(questions, [['1', '2']]);
    },
    {},
    { sets },
  );
});

test('commands: pending once the log has it, then what was decided', () =>
  withApi(async ({ ask, log, lookup, clock }) => {
    const told = [
      ['PUT', 'following', 'follow'],
      ['DELETE', 'following', 'unfollow'],
      ['PUT', 'blocked', 'block'],
      ['DELETE', 'blocked', 'unblock'],
    ] as const;
    const partition = log.partitionOf('graph-commands', 'u1:u2');
    for (const [i, [method, list, kind]] of told.entries()) {
      const answer = await ask(method, `/v1/users/u1/${list}/u2`);
      assert.equal(answer.status, 202);
      assert.deepEqual(answer.body, { command: `k${i + 1}` });
      const [record] = await log.read('graph-commands', partition, i, 1);
      assert.deepEqual(JSON.parse(Buffer.from(record!.value).toString()), {
        id: `k${i + 1}`,
        at: clock.now(),
        kind,
        from: 'u1',
        to: 'u2',
      });
    }
    assert.deepEqual((await ask('GET', '/v1/commands/k1')).body, { state: 'pending' });
    await putDecided(lookup, 'k1', { state: 'applied' });
    await putDecided(lookup, 'k2', { state: 'rejected', code: 'blocked', message: 'u2 has blocked u1.' });
    assert.deepEqual((await ask('GET', '/v1/commands/k1')).body, { state: 'applied' });
    assert.deepEqual((await ask('GET', '/v1/commands/k2')).body, {
      state: 'rejected',
      code: 'blocked',
      message: 'u2 has blocked u1.',
    });
    assertError(await ask('GET', '/v1/commands/other'), 404, 'not_found', /No command other/);
    assertError(await ask('PUT', '/v1/users/u1/following/u1'), 400, 'self', /themself/);
    assertError(await ask('PUT', '/v1/users/u2/following/u3'), 403, 'forbidden', /another user/);
  }));

test('profiles of those who have one', () =>
  withApi(async ({ ask, lookup }) => {
    await putProfile(lookup, { user: 'a', name: 'Ada', at: 5, id: 'p1' });
    await putProfile(lookup, { user: 'b', name: 'Bo', avatar: 'https://cdn.example/b', at: 5, id: 'p2' });
    assert.deepEqual((await ask('GET', '/v1/profiles?user=b&user=c&user=a')).body, {
      profiles: [
        { user: 'b', name: 'Bo', avatar: 'https://cdn.example/b' },
        { user: 'a', name: 'Ada' },
      ],
    });
  }));
