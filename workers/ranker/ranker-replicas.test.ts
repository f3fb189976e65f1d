import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeContestFrame, decodeHeads } from '../../channels/contest/message-codec.ts';
import { contestTopic, headsTopic, newcomerTopic } from '../../channels/contest/messages.ts';
import { createRecords, type Running, until, withRankerBed } from './ranker.testbed.ts';

test('a ranker that comes asks edges what they want, and is ready when they have had the time', async () => {
  await withRankerBed(async (bed) => {
    const asked: number[] = [];
    await bed.bus.subscribe(newcomerTopic(0), (bytes) => asked.push(bytes[0] ?? -1));
    const one = await bed.start({ replica: 1, newcomerMs: 3_000 });
    await until(() => asked.length === 1);
    assert.equal(one.ranker.ready(), false);
    for (let s = 0; s < 3; s += 1) await one.clock.advanceSettled(1_000);
    assert.equal(one.ranker.ready(), true);
    assert.deepEqual(new Set(asked), new Set([1]));
    const times = asked.length;
    assert.ok(times >= 3, `asked ${times} times only`);
    for (let s = 0; s < 3; s += 1) await one.clock.advanceSettled(1_000);
    assert.equal(asked.length, times, 'and then no more');
  });
});

test('a second replica speaks while the first is dead, and only then', async () => {
  await withRankerBed(async (bed) => {
    const records = createRecords();
    await bed.append(records.scoresContest('c1'), records.scoreEntries('c1', ['a', 'b']));
    const frames: number[] = [];
    const heads: number[] = [];
    await bed.bus.subscribe(contestTopic('c1'), (bytes) => frames.push(decodeContestFrame(bytes).version));
    await bed.bus.subscribe(headsTopic(0), (bytes) => heads.push(decodeHeads(bytes).replica));
    let zero = await bed.start();
    const one = await bed.start({ replica: 1 });
    await until(() => zero.ranker.ready() && one.ranker.ready());
    let version = 2;
    const score = async (...alive: Running[]): Promise<void> => {
      await bed.append(records.score('c1', 'a', version));
      version += 1;
      for (const running of alive) await running.applied(version);
      for (const running of alive) await running.clock.advanceSettled(100);
      await until(() => true);
    };
    const pass = async (ms: number, ...alive: Running[]): Promise<void> => {
      for (let at = 0; at < ms; at += 250)
        for (const running of alive) await running.clock.advanceSettled(250);
    };

    await bed.want({ contests: ['c1'] });
    for (let i = 0; i < 3; i += 1) await score(zero, one);
    await pass(2_000, zero, one);
    assert.deepEqual(frames, [3, 4, 5], 'each once');
    assert.deepEqual(new Set(heads), new Set([0]));

    await zero.kill();
    await score(one);
    assert.deepEqual(frames, [3, 4, 5], 'not before a second has gone by');
    await pass(1_000, one);
    await until(() => frames.length === 4);
    await score(one);
    await until(() => frames.length === 5);
    assert.deepEqual(frames.slice(3), [6, 7]);
    heads.length = 0;
    await pass(2_000, one);
    await until(() => heads.includes(1));

    zero = await bed.start();
    await until(() => zero.ranker.ready());
    await bed.want({ renewContests: ['c1'] });
    await pass(2_000, zero, one);
    await score(zero, one);
    await score(zero, one);
    await pass(3_000, zero, one);
    assert.deepEqual(frames.slice(5), [8, 9], 'only the first speaks again');
    heads.length = 0;
    await pass(2_000, zero, one);
    assert.deepEqual(new Set(heads), new Set([0]));
  });
});
