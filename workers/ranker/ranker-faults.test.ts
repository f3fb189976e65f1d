import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecords, type RankerBed, type Running, until, withRankerBed } from './ranker.testbed.ts';
import type { Ranking } from './ranking.ts';

/** Applies the first half of the entries of the record `bad` and throws, `times` times at most. */
function breaking(bad: string, times = Number.POSITIVE_INFINITY) {
  let left = times;
  const over = (ranking: Ranking): Ranking =>
    Object.create(ranking, {
      apply: {
        value(offset: number, record: Parameters<Ranking['apply']>[1]) {
          if (record.id !== bad || record.type !== 'entries' || left === 0)
            return ranking.apply(offset, record);
          left -= 1;
          const half = record.entries.slice(0, record.entries.length / 2);
          ranking.apply(offset, { ...record, entries: half } as typeof record);
          throw new Error('half-way through');
        },
      },
    });
  return over;
}

const rebuilds = async ({ registry }: Running): Promise<number> => {
  const text = await registry.getSingleMetricAsString('rankcast_ranker_rebuilds_total');
  return Number(/\} (\d+)/.exec(text)?.[1] ?? 0);
};

/** Records with one that breaks in the middle: entries 10 to 20, the fourth record. */
async function play(bed: RankerBed) {
  const records = createRecords();
  await bed.append(records.match('m1'), records.contest('c1', 'm1'), records.entries('m1', ['c1'], 0, 10));
  const bad = records.entries('m1', ['c1'], 10, 20);
  await bed.append(bad, records.points('m1', 3, 12), records.entries('m1', ['c1'], 20, 30));
  return { bad: bad.id, records };
}
const names = Array.from({ length: 30 }, (_, i) => `e${i}`);
async function present(bed: RankerBed): Promise<string[]> {
  const { ranks } = await bed.ranks('c1', names);
  return names.filter((_, i) => ranks[i] !== null);
}

test('[RK-21] a record that throws once is applied whole on a rebuilt state', async () => {
  await withRankerBed(async (bed) => {
    const { bad } = await play(bed);
    const running = await bed.start({}, { rankingOver: breaking(bad, 1) });
    await running.applied(6);
    await until(() => running.ranker.ready());
    assert.deepEqual(await present(bed), names);
    assert.equal(await rebuilds(running), 1);
    assert.deepEqual(await bed.letters(), []);
  });
});

test('[RK-21] one that throws again is set aside whole, the rest goes on, and replicas agree', async () => {
  await withRankerBed(async (bed) => {
    const { bad, records } = await play(bed);
    const parts = { rankingOver: breaking(bad) };
    const first = await bed.start({}, parts);
    const second = await bed.start({ replica: 1 }, parts);
    for (const running of [first, second]) {
      await running.applied(6);
      await until(() => running.ranker.ready());
      assert.equal(await rebuilds(running), 2);
    }
    const expected = names.filter((_, i) => i < 10 || i >= 20);
    assert.deepEqual(await present(bed), expected);
    await until(async () => (await bed.letters()).length > 0);
    const letters = await bed.letters();
    assert.deepEqual(
      letters.map(({ topic, partition, offset, code, item }) => [topic, partition, offset, code, item]),
      [['contest-events', 0, 3, 'internal_fault', null]],
    );
    await bed.append(records.points('m1', 3, 20));
    for (const running of [first, second]) await running.applied(7);
    await first.kill();
    assert.deepEqual(await present(bed), expected, 'the other replica has the same');
  });
});

test('[RK-21] killed before and after the record was set aside, it comes to the same', async () => {
  await withRankerBed(async (bed) => {
    const { bad, records } = await play(bed);
    const parts = { rankingOver: breaking(bad) };
    const first = await bed.start({}, parts);
    // In the middle of its rebuilds.
    await until(async () => (await rebuilds(first)) > 0);
    await first.kill();
    const second = await bed.start({}, parts);
    await second.applied(6);
    await until(async () => (await bed.letters()).length === 1);
    await second.kill();
    await bed.append(records.points('m1', 3, 20));
    const third = await bed.start({}, parts);
    await third.applied(7);
    await until(() => third.ranker.ready());
    assert.deepEqual(
      await present(bed),
      names.filter((_, i) => i < 10 || i >= 20),
    );
    await third.clock.advanceSettled(11_000);
    await third.ranker.close();
    // From a checkpoint after it: nothing is rebuilt any more.
    const fourth = await bed.start({}, parts);
    await until(() => fourth.ranker.ready());
    assert.equal(await rebuilds(fourth), 0);
    assert.equal((await bed.letters()).length, 1, 'one letter, whatever restarts');
  });
});
