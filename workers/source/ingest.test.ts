import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import pino from 'pino';
import { Registry } from 'prom-client';
import { createManualClock } from '../../channels/clock.manual.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import { createEmbeddedLog } from '../log/log.embedded.ts';
import type { Log } from '../log/log.ts';
import { logTopics } from '../log/topics.ts';
import { clippedBytesMax, createDeadLetterWriter, readDeadLetter, writtenMark } from './dead-letters.ts';
import { createIngest, type Ingest, type IngestOptions, ingestDefaults } from './ingest.ts';

const now = 1_700_000_000_000;

async function withIngest(
  body: (ingest: Ingest, log: Log) => Promise<void>,
  options: Partial<IngestOptions> = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-ingest-'));
  const store = openEmbeddedStore(folder);
  const clock = createManualClock(now);
  const fail = (error: unknown): never => {
    throw error;
  };
  const log = createEmbeddedLog({ store, clock, topics: logTopics, onError: fail });
  const logger = pino({ level: 'silent' });
  const ingest = createIngest({
    log,
    clock,
    options: { ...ingestDefaults, ...options },
    logger,
    registry: new Registry(),
  });
  try {
    await body(ingest, log);
  } finally {
    await log.close();
    await store.close();
    await rm(folder, { recursive: true });
  }
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const points = (match: string, id: string, at = now): string =>
  JSON.stringify({ type: 'points', id, at, match, player: 'p1', points: 4 });

async function letters(log: Log): Promise<ReturnType<typeof readDeadLetter>[]> {
  return (await log.read('dead-letters', 0, 0, 1_000)).map((record) => readDeadLetter(record.value));
}

test('lines are taken in order with each key’s version; refused ones become letters', async () => {
  await withIngest(async (ingest, log) => {
    const body = [
      points('m1', 'a'),
      '  ',
      `\t${points('m2', 'b')} \r`,
      '{"type":"points"',
      points('m1', 'late', now + 60_001),
      '[1]',
      '{"type":"goal","id":"x","at":1}',
      points('m1', 'c'),
    ].join('\n');
    const answer = await ingest.ingest('contest-events', bytes(body));
    assert.equal(answer.taken, 3);
    assert.deepEqual(
      answer.versions.map(({ key }) => key),
      ['m1', 'm2'],
    );
    assert.deepEqual(
      answer.refused.map(({ line, code }) => [line, code]),
      [
        [4, 'bad_json'],
        [5, 'future_at'],
        [6, 'bad_json'],
        [7, 'unknown_type'],
      ],
    );
    const partition = log.partitionOf('contest-events', 'm1');
    const stored = await log.read('contest-events', partition, 0, 10);
    assert.equal(
      answer.versions[0]!.version,
      stored.filter((record) => record.key === 'm1').at(-1)!.offset + 1,
    );
    assert.ok(stored.every((record) => record.value[0] === 0x7b));
    const written = await letters(log);
    assert.deepEqual(
      written.map(({ topic, partition, offset, code, item }) => [topic, partition, offset, code, item]),
      answer.refused.map(({ code }) => ['contest-events', null, null, code, null]),
    );
    assert.equal(written[2]!.record, '[1]');
    assert.equal(written[2]!.message, answer.refused[2]!.message);
  });
});

test('a line is as long as a record may be; a longer one is refused and its letter clipped', async () => {
  await withIngest(async (ingest, log) => {
    const long = `{"type":"points","id":"${'x'.repeat(1_048_600)}"}`;
    const answer = await ingest.ingest('contest-events', bytes(`${long}\n${points('m1', 'a')}\n`));
    assert.deepEqual(
      [answer.taken, answer.refused[0]!.code, answer.refused[0]!.line],
      [1, 'record_too_large', 1],
    );
    assert.equal((await letters(log))[0]!.record.length, clippedBytesMax);
  });
});

test('too many lines: nothing is taken; another topic: said by name', async () => {
  await withIngest(
    async (ingest, log) => {
      const body = bytes([points('m1', 'a'), points('m1', 'b'), points('m1', 'c')].join('\n'));
      const is = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;
      await assert.rejects(ingest.ingest('contest-events', body), is('body_too_large'));
      const partition = log.partitionOf('contest-events', 'm1');
      assert.equal((await log.bounds('contest-events', partition)).next, 0);
      await assert.rejects(ingest.ingest('graph-changes', bytes('{}')), is('unknown_topic'));
      const empty = await ingest.ingest('contest-events', bytes('\n\n \n\n\n'));
      assert.deepEqual(empty, { taken: 0, versions: [], refused: [] });
    },
    { linesMax: 2 },
  );
});

test('more bytes under way than allowed are put off; one request alone is always taken', async () => {
  await withIngest(
    async (ingest) => {
      const body = bytes(points('m1', 'a'));
      const first = ingest.ingest('contest-events', body);
      await assert.rejects(
        ingest.ingest('contest-events', body),
        (error) => error instanceof ClientError && error.code === 'unavailable',
      );
      assert.equal((await first).taken, 1);
      assert.equal((await ingest.ingest('contest-events', body)).taken, 1);
    },
    { bytesUnderWayMax: 10 },
  );
});

test('a record made inside is answered with its partition and version', async () => {
  await withIngest(async (ingest, log) => {
    const command = { id: 'c1', at: now, kind: 'follow', from: 'u2', to: 'u1' } as const;
    const place = await ingest.submit('graph-commands', command);
    assert.deepEqual(place, { partition: log.partitionOf('graph-commands', 'u1:u2'), version: 1 });
    const [record] = await log.read('graph-commands', place.partition, 0, 1);
    assert.deepEqual(JSON.parse(Buffer.from(record!.value).toString()), command);
  });
});

test('letters of a partition are written once, whatever is applied again', async () => {
  await withIngest(async (ingest, log) => {
    const refusal = { code: 'no_such_match', message: 'There is no match m1.', item: null } as const;
    const write = async (from: number, known: number, offsets: number[], silent = false): Promise<number> => {
      const mark = await writtenMark(log, 'contest-events', 2, from, known);
      const writer = createDeadLetterWriter(log, 'contest-events', 2, mark, silent);
      for (const offset of offsets) {
        writer.add(offset, { ...refusal, item: 0 }, bytes('{}'));
        writer.add(offset, { ...refusal, item: 1 }, bytes('{}'));
      }
      await writer.flush();
      return writer.next;
    };
    await write(0, -1, [3, 5], true);
    assert.deepEqual(await letters(log), []);
    const next = await write(0, -1, [3, 5]);
    await ingest.ingest('contest-events', bytes('nonsense'));
    await write(next, 5, [3, 5, 6]);
    await write(0, -1, [3, 5, 6, 7]);
    await write(99, -1, [6, 7]);
    const offsets = (await letters(log)).map(({ offset, item }) => `${offset}/${item}`);
    assert.deepEqual(offsets, ['3/0', '3/1', '5/0', '5/1', 'null/null', '6/0', '6/1', '7/0', '7/1']);
    assert.equal(new Set((await letters(log)).map(({ id }) => id)).size, 9);
  });
});

test('letters that were written though their append failed are not written again', async () => {
  await withIngest(async (_ingest, log) => {
    let failures = 2;
    const failing: Log = {
      ...log,
      append: async (topic, records) => {
        const places = await log.append(topic, records);
        failures -= 1;
        if (failures >= 0) throw new ServiceError('kafka did not answer within 5000 ms.', true);
        return places;
      },
    };
    const writer = createDeadLetterWriter(failing, 'contest-events', 0, { mark: -1, next: 0 }, false);
    const add = (offset: number) =>
      writer.add(offset, { code: 'bad_json', message: 'No.', item: null }, bytes('x'));
    add(1);
    await assert.rejects(writer.flush(), /did not answer/);
    add(2);
    await assert.rejects(writer.flush(), /did not answer/);
    await writer.flush();
    assert.equal(writer.pending, 0);
    assert.equal(writer.next, 2);
    add(3);
    await writer.flush();
    assert.deepEqual(
      (await letters(log)).map(({ offset }) => offset),
      [1, 2, 3],
    );
  });
});

test('letters that could not be written are kept for the next try', async () => {
  await withIngest(async (_ingest, log) => {
    let broken = true;
    const failing: Log = {
      ...log,
      append: (topic, records) => (broken ? Promise.reject(new Error('down')) : log.append(topic, records)),
    };
    const writer = createDeadLetterWriter(failing, 'contest-events', 0, { mark: -1, next: 0 }, false);
    writer.add(1, { code: 'bad_json', message: 'No.', item: null }, bytes('x'));
    await assert.rejects(writer.flush(), /down/);
    writer.add(2, { code: 'bad_json', message: 'No.', item: null }, bytes('x'));
    broken = false;
    await writer.flush();
    assert.equal(writer.pending, 0);
    assert.deepEqual(
      (await letters(log)).map(({ offset }) => offset),
      [1, 2],
    );
  });
});
