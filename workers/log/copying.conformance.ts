import assert from 'node:assert/strict';
import type { Consumer, Log } from './log.ts';
import { decode, encode, readAll } from './member.conformance.ts';

/**
 * What the fault tests have go on while servers and members die: records are appended to `events`, and
 * members of a group copy each of them to `copies`, in the transaction that says it was consumed.
 */
export const copyingCounts = { events: 4, copies: 2 };

export interface Appending {
  /** What was acknowledged: partition, offset and text. */
  readonly acknowledged: { partition: number; offset: number; text: string }[];
  readonly refused: unknown[];
  stop(): Promise<void>;
}

/** Some calls at a time, for as long as it is not stopped; what is refused is not sent again. */
export function keepAppending(log: Log, callers = 4, pauseMs = 5): Appending {
  const acknowledged: Appending['acknowledged'] = [];
  const refused: unknown[] = [];
  let stopped = false;
  const run = async (caller: number): Promise<void> => {
    for (let turn = 0; !stopped; turn++) {
      const records = Array.from({ length: 1 + (turn % 5) }, (_, i) => {
        return { key: `k${caller}.${turn % 13}.${i}`, value: encode(`${caller}.${turn}.${i}`) };
      });
      try {
        const places = await log.append('events', records);
        for (const [i, place] of places.entries()) {
          acknowledged.push({ ...place, text: Buffer.from(records[i]!.value).toString() });
        }
      } catch (error) {
        refused.push(error);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const running = Promise.all(Array.from({ length: callers }, (_, caller) => run(caller)));
  return {
    acknowledged,
    refused,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

export interface Copying {
  readonly consumer: Consumer;
  readonly errors: unknown[];
}

/** A member that copies. `workMs`: how long it takes over a batch. */
export async function startCopying(
  log: Log,
  hear: { onBatch?(partition: number): void; workMs?: number; onRevoke?(partition: number): void } = {},
): Promise<Copying> {
  const errors: unknown[] = [];
  const consumer = await log.consume({
    group: 'copier',
    topic: 'events',
    batchMax: 50,
    onAssign: async () => 'committed',
    async onBatch(batch) {
      hear.onBatch?.(batch.partition);
      if (hear.workMs !== undefined) await new Promise((resolve) => setTimeout(resolve, hear.workMs));
      await batch.commit(
        batch.records.map((record) => ({
          topic: 'copies',
          key: `from ${batch.partition}`,
          value: encode(`${record.offset} ${decode(record)}`),
        })),
      );
    },
    async onRevoke(partition) {
      hear.onRevoke?.(partition);
    },
    onError: (error) => errors.push(error),
  });
  return { consumer, errors };
}

/** Waits until all of `events` is copied; everything acknowledged stands, and is copied once and in order. */
export async function verifyCopies(
  log: Log,
  acknowledged: Appending['acknowledged'],
): Promise<{ events: number; copies: number }> {
  const events = await Promise.all(
    Array.from({ length: copyingCounts.events }, (_, partition) => readAll(log, 'events', partition)),
  );
  for (const { partition, offset, text } of acknowledged) {
    const found = events[partition]!.find((record) => record.offset === offset);
    assert.equal(found === undefined ? undefined : decode(found), text, `events/${partition} at ${offset}`);
  }
  const texts = events.flatMap((records) => records.map(decode));
  assert.equal(new Set(texts).size, texts.length, 'a record stands twice');
  const expected = events.map((records) => records.map((record) => `${record.offset} ${decode(record)}`));
  const wanted = expected.reduce((all, list) => all + list.length, 0);
  let copies = await copiesOf(log);
  while (copies.reduce((all, list) => all + list.length, 0) < wanted) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    copies = await copiesOf(log);
  }
  assert.deepEqual(copies, expected);
  return { events: texts.length, copies: wanted };
}

async function copiesOf(log: Log): Promise<string[][]> {
  const copies: string[][] = Array.from({ length: copyingCounts.events }, () => []);
  for (let shelf = 0; shelf < copyingCounts.copies; shelf++) {
    for (const record of await readAll(log, 'copies', shelf)) {
      copies[Number(record.key.split(' ')[1])]!.push(decode(record));
    }
  }
  return copies;
}
