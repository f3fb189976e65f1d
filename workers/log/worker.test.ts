import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createManualClock } from '../../channels/clock.manual.ts';
import type { Batch, ConsumeOptions, Log } from './log.ts';
import { failureShownMs, startWorker } from './worker.ts';

/** A log that only remembers who consumes. */
function makeLog(): { log: Log; consuming: () => ConsumeOptions } {
  let options: ConsumeOptions | null = null;
  const log = {
    async consume(wanted: ConsumeOptions) {
      options = wanted;
      return { close: async () => undefined };
    },
  } as Partial<Log> as Log;
  return { log, consuming: () => options! };
}

test('a worker is not ready while its consumer tells of faults and no batch comes', async () => {
  const clock = createManualClock();
  const { log, consuming } = makeLog();
  const worker = await startWorker({
    name: 'some',
    topic: 'things',
    batchMax: 10,
    log,
    clock,
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
    onBatch: async () => undefined,
  });
  const records = [{ offset: 0, key: 'k', value: new Uint8Array(), timestamp: 0 }];
  const batch = { topic: 'things', partition: 3, records, commit: async () => undefined } as Partial<Batch>;
  consuming().onError(new Error('the group cannot be joined'));
  assert.ok(!worker.ready());
  clock.advance(failureShownMs - 1);
  assert.ok(!worker.ready());
  assert.equal(await consuming().onAssign(3, null), 'committed');
  assert.ok(worker.ready());
  consuming().onError(new Error('nothing can be fetched'));
  assert.ok(!worker.ready());
  await consuming().onBatch(batch as Batch);
  assert.ok(worker.ready());
  consuming().onError(new Error('once'));
  clock.advance(failureShownMs + 1);
  assert.ok(worker.ready());
  await worker.close();
});

test('a worker is ready but for a while after a batch failed, and not once it is closed', async () => {
  const clock = createManualClock();
  const { log, consuming } = makeLog();
  let isWell = false;
  const worker = await startWorker({
    name: 'some',
    topic: 'things',
    batchMax: 10,
    log,
    clock,
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
    async onBatch() {
      if (!isWell) throw new Error('not well');
    },
  });
  const records = [{ offset: 0, key: 'k', value: new Uint8Array(), timestamp: 0 }];
  const commit = async () => undefined;
  const batch: Batch = { topic: 'things', partition: 3, records, ours: () => true, commit };
  assert.equal(await consuming().onAssign(3, null), 'committed');
  assert.ok(worker.ready());
  await assert.rejects(consuming().onBatch(batch), /not well/);
  assert.ok(!worker.ready());
  isWell = true;
  await consuming().onBatch(batch);
  assert.ok(worker.ready());
  isWell = false;
  await assert.rejects(consuming().onBatch(batch));
  clock.advance(failureShownMs + 1);
  assert.ok(worker.ready());
  await assert.rejects(consuming().onBatch(batch));
  await consuming().onRevoke(3);
  assert.ok(worker.ready());
  await worker.close();
  assert.ok(!worker.ready());
});
