import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from '../../channels/clock.ts';
import { createDependency } from '../../channels/dependency/dependency.ts';
import { ServiceError } from '../../proto/codes.ts';
import { startKafka } from '../../test/services/kafka.ts';
import { copyingCounts, keepAppending, startCopying, verifyCopies } from './copying.conformance.ts';
import { kafkaBed } from './kafka.testbed.ts';

/** Brokers that die while records are appended and copied. @live timeout=400s */
const quick = { retryMinMs: 10, retryMaxMs: 200, retryLongestMs: 200 };

test('[LOG-5] [LOG-10] the only broker is killed: nothing acknowledged is lost or doubled', async (t) => {
  const kafka = await startKafka();
  const bed = kafkaBed({ brokers: kafka.brokers, counts: copyingCounts, options: quick });
  try {
    const log = await bed.open({ appendTimeoutMs: 30_000 });
    const copying = await startCopying(log);
    const appending = keepAppending(log);
    for (let life = 0; life < 2; life++) {
      await delay(1_500);
      await kafka.kill();
      const before = appending.acknowledged.length;
      await delay(500);
      assert.equal(appending.acknowledged.length, before);
      await kafka.start();
    }
    // One that takes connections and says nothing, for longer than anybody waits for an answer.
    kafka.nodes[0]!.pause();
    await delay(7_000);
    kafka.nodes[0]!.resume();
    await delay(2_000);
    await appending.stop();
    const { events } = await verifyCopies(log, appending.acknowledged);
    t.diagnostic(
      `${events} records, ${appending.acknowledged.length} acknowledged, ${appending.refused.length} calls ` +
        `refused, ${copying.errors.length} batches tried again`,
    );
    assert.ok(appending.acknowledged.length > 100);
    await log.close();
  } finally {
    await kafka.kill();
  }
});

test('whether Kafka is there shows, though nobody uses the log; after a stall it is used again', async () => {
  const kafka = await startKafka();
  const logger = pino({ level: 'silent' });
  const parts = { name: 'kafka', clock: systemClock, registry: new Registry(), logger };
  const dependency = createDependency({ ...parts, options: { callTimeoutMs: 20_000 } });
  const until = async (condition: () => boolean) => {
    while (!condition()) await delay(20);
  };
  const bed = kafkaBed({ brokers: kafka.brokers, counts: { events: 1 }, options: quick, dependency });
  try {
    const log = await bed.open();
    assert.equal(dependency.state(), 'ready');
    kafka.nodes[0]!.pause();
    await until(() => dependency.state() !== 'ready');
    assert.equal(dependency.state(), 'kafka: it did not answer in time.');
    await delay(3_000);
    kafka.nodes[0]!.resume();
    await until(() => dependency.state() === 'ready');
    await log.append('events', [{ key: 'k', value: Buffer.from('1') }]);
    await kafka.kill();
    await until(() => dependency.state() === 'kafka: nothing listens at that address.');
    await log.close();
  } finally {
    await kafka.kill();
  }
});

test('[LOG-3] an append that finds no broker is given up after its time', async () => {
  const kafka = await startKafka();
  const bed = kafkaBed({ brokers: kafka.brokers, counts: { events: 1 }, options: quick });
  try {
    const log = await bed.open({ appendTimeoutMs: 1_000, requestTimeoutMs: 1_000 });
    await log.append('events', [{ key: 'k', value: Buffer.from('1') }]);
    await kafka.kill();
    const began = Date.now();
    await assert.rejects(log.append('events', [{ key: 'k', value: Buffer.from('2') }]), (error) => {
      assert.ok(error instanceof ServiceError && error.retryable, String(error));
      assert.match(error.message, /^kafka: /);
      return true;
    });
    assert.ok(Date.now() - began < 10_000);
    await assert.rejects(log.bounds('events', 0), ServiceError);
    await kafka.start();
    while (!(await log.append('events', [{ key: 'k', value: Buffer.from('3') }]).catch(() => null)));
    const texts = (await log.read('events', 0, 0, 10)).map(({ value }) => Buffer.from(value).toString());
    assert.ok(texts.includes('1') && texts.includes('3'));
    assert.equal(new Set(texts).size, texts.length);
    await log.close();
  } finally {
    await kafka.kill();
  }
});

test('[LOG-5] [LOG-10] of three brokers the leader is killed: nothing acknowledged is lost', async (t) => {
  const kafka = await startKafka({ brokers: 3 });
  const bed = kafkaBed({ brokers: kafka.brokers, counts: copyingCounts, options: quick });
  try {
    const log = await bed.open({ appendTimeoutMs: 30_000 });
    const copying = await startCopying(log);
    const appending = keepAppending(log);
    for (let round = 0; round < 3; round++) {
      await delay(1_500);
      const leader = await kafka.leaderOf(`${bed.prefix}events`, round % copyingCounts.events);
      await leader.kill();
      const acknowledged = appending.acknowledged.length;
      while (appending.acknowledged.length < acknowledged + 200) await delay(50);
      await leader.start();
    }
    await delay(1_000);
    await appending.stop();
    const { events } = await verifyCopies(log, appending.acknowledged);
    t.diagnostic(
      `${events} records, ${appending.acknowledged.length} acknowledged, ${appending.refused.length} calls ` +
        `refused, ${copying.errors.length} batches tried again`,
    );
    assert.deepEqual(appending.refused, []);
    await log.close();
  } finally {
    await kafka.kill();
  }
});
