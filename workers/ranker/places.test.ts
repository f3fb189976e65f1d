import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { MemoryLookup } from '../../channels/lookup/lookup.memory.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import { createRanking } from './create-ranking.ts';
import { createPlaces } from './places.ts';
import { createRecords } from './ranker.testbed.ts';

test('a place that could not be written is kept, also where two write at a time', async () => {
  const records = createRecords();
  const ranking = createRanking();
  const memory: Lookup = new MemoryLookup();
  let failed = false;
  const lookup: Lookup = {
    get: (keys) => memory.get(keys),
    put: (...of) => memory.put(...of),
    async putIfAbsent(...of) {
      if (of[0] !== 'contest_c250' || failed) return memory.putIfAbsent(...of);
      failed = true;
      throw new Error('down for a moment');
    },
    remove: (keys) => memory.remove(keys),
    close: () => memory.close(),
  };
  const places = createPlaces(ranking, lookup, 0, pino({ level: 'silent' }));
  const apply = (record: ReturnType<typeof records.match>): void => {
    assert.deepEqual(ranking.apply(ranking.version, record), []);
  };
  apply(records.match('m1'));
  for (let i = 0; i < 1_000; i += 1) apply(records.contest(`c${i}`, 'm1'));
  const outcomes = await Promise.allSettled([places.again(), places.flush()]);
  assert.ok(outcomes.some((outcome) => outcome.status === 'rejected'));
  await places.flush();
  assert.equal(places.waiting, 0);
  for (let i = 0; i < 1_000; i += 1) assert.notEqual(await places.kept('contest', `c${i}`), null, `c${i}`);
  assert.notEqual(await places.kept('match', 'm1'), null);
});
