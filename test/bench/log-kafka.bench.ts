import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { systemClock } from '../../channels/clock.ts';
import { createKafkaLog } from '../../workers/log/log.kafka.ts';
import type { ConsumeOptions, Log } from '../../workers/log/log.ts';
import { sharedKafka } from '../services/shared.ts';
import { type BareKafka, openBareKafka, toMessages } from './bare-kafka.ts';
import { type Bench, quantiles, type Row } from './bench.ts';

/**
 * The log on a real Kafka (one broker, started for the run) beside kafkajs's own producer and consumer with
 * the same settings, in turns in the same process.
 */
const prefix = `bench-${randomBytes(4).toString('hex')}-`;
const calls = 200;
const recordsPerCall = 1_000;
const valueBytes = 200;
const rounds = 3;
const events = 400;

type Add = (row: Row) => void;
const thousand = Array.from({ length: recordsPerCall }, (_, i) => ({
  key: `m${i % 16}`,
  value: Buffer.alloc(valueBytes, 0x61),
}));

export const logKafkaBench: Bench = {
  name: 'log-kafka',
  about:
    `Records of ${valueBytes} bytes in calls of ${recordsPerCall.toLocaleString('en')} in 4 partitions of ` +
    'one broker, acks=all; beside: kafkajs in the same run. Processor time is that of this process.',
  async run(add) {
    const brokers = [await sharedKafka()];
    const log = await createKafkaLog({
      clock: systemClock,
      logger: pino({ level: 'silent' }),
      topics: Object.fromEntries(
        ['mine', 'theirs', 'copies', 'mine-live', 'theirs-live'].map((name) => [
          name,
          { partitions: 4, deleteOlderThanMs: 0 },
        ]),
      ),
      onError: fail,
      options: { brokers, topicPrefix: prefix, replication: 1, minInsync: 1 },
    });
    const bare = await openBareKafka(brokers, prefix);
    await appends(add, log, bare);
    await consumed(add, log, bare);
    await single(add, log, bare);
    await latency(add, log, bare);
    await copied(add, log);
    await bare.close();
    await log.close();
    process.exit();
  },
};

async function appends(add: Add, log: Log, bare: BareKafka): Promise<void> {
  const mine = noFigure();
  const theirs = noFigure();
  const records = toMessages(thousand);
  for (let round = 0; round < rounds; round++) {
    await measure(mine, () => repeat(calls, 4, () => log.append('mine', thousand)));
    const send = () => bare.producer.send({ topic: `${prefix}theirs`, messages: records, acks: -1 });
    await measure(theirs, () => repeat(calls, 4, send));
  }
  add(perSecond('appended, 4 calls at a time', mine, theirs, rounds * calls * recordsPerCall));
}

async function consumed(add: Add, log: Log, bare: BareKafka): Promise<void> {
  const total = rounds * calls * recordsPerCall;
  const mine = noFigure();
  const theirs = noFigure();
  await measure(mine, async () => {
    const { done, onBatch } = countTo(total);
    const consumer = await log.consume(
      member('replay', 'mine', async (batch) => onBatch(batch.records.length)),
    );
    await done;
    await consumer.close();
  });
  await measure(theirs, async () => {
    const { done, onBatch } = countTo(total);
    const consumer = await bare.consume(`${prefix}theirs`, onBatch);
    await done;
    await consumer.stop();
  });
  // The bare one's start waits a second for its group.
  theirs.wallMs -= 1_000;
  add(perSecond('consumed from the start', mine, theirs, total));
}

async function single(add: Add, log: Log, bare: BareKafka): Promise<void> {
  const record = thousand[0]!;
  const send = () =>
    bare.producer.send({ topic: `${prefix}theirs-live`, messages: toMessages([record]), acks: -1 });
  const mine: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    mine.push(...(await each(events, () => log.append('mine-live', [record]))));
    theirs.push(...(await each(events, send)));
  }
  add(row('one record appended, p50 / p99', quantiles(mine), quantiles(theirs)));
}

/** From before the append to the batch that holds the record, one at a time. */
async function latency(add: Add, log: Log, bare: BareKafka): Promise<void> {
  let heard: (() => void) | null = null;
  const hear = () => heard?.();
  const consumer = await log.consume(member('live', 'mine-live', async () => hear()));
  await delay(1_000);
  const once = async (append: () => Promise<unknown>) => {
    const heardOf = new Promise<void>((resolve) => {
      heard = resolve;
    });
    await append();
    await heardOf;
    await delay(2);
  };
  const value = thousand[0]!.value;
  let turn = 0;
  const mine = await each(events, () => once(() => log.append('mine-live', [{ key: `m${turn++}`, value }])));
  await consumer.close();
  const theirsConsumer = await bare.consume(`${prefix}theirs-live`, hear);
  const send = () =>
    bare.producer.send({ topic: `${prefix}theirs-live`, messages: [{ key: `m${turn++}`, value }], acks: -1 });
  const theirs = await each(events, () => once(send));
  await theirsConsumer.stop();
  add(row('append to batch, one at a time, 2 ms between (p50 / p99)', quantiles(mine), quantiles(theirs)));
}

/** Consumed and copied in transactions with their offsets. */
async function copied(add: Add, log: Log): Promise<void> {
  const total = 100_000;
  const commits: number[] = [];
  const figure = noFigure();
  const { done, onBatch } = countTo(total);
  await measure(figure, async () => {
    const copy: ConsumeOptions['onBatch'] = async (batch) => {
      const outputs = batch.records.map(({ key, value }) => ({ topic: 'copies', key, value }));
      const start = performance.now();
      await batch.commit(outputs);
      commits.push(performance.now() - start);
      onBatch(batch.records.length);
    };
    const consumer = await log.consume(member('copier', 'mine', copy));
    await done;
    await consumer.close();
  });
  add(perSecond('consumed and copied in transactions of up to 1,000', figure, null, total));
  add(row('a commit with its outputs, 4 partitions at a time, p50 / p99', quantiles(commits), ''));
}

function member(group: string, topic: string, onBatch: ConsumeOptions['onBatch']): ConsumeOptions {
  return {
    group,
    topic,
    batchMax: 1_000,
    onAssign: async () => 'committed',
    onBatch,
    onRevoke: async () => undefined,
    onError: fail,
  };
}

interface Figure {
  wallMs: number;
  cpuMs: number;
}
const noFigure = (): Figure => ({ wallMs: 0, cpuMs: 0 });

async function measure(figure: Figure, act: () => Promise<void>): Promise<void> {
  const before = process.cpuUsage();
  const start = performance.now();
  await act();
  figure.wallMs += performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  figure.cpuMs += (user + system) / 1_000;
}

function perSecond(what: string, mine: Figure, theirs: Figure | null, records: number): Row {
  const tell = ({ wallMs, cpuMs }: Figure) =>
    `${Math.round((records / wallMs) * 1_000).toLocaleString('en')} records/s, processor ` +
    `${((cpuMs / records) * 1_000).toFixed(1)} µs a record`;
  return row(what, tell(mine), theirs === null ? '' : tell(theirs));
}

function row(what: string, measured: string, beside: string): Row {
  return { what, measured, beside, target: '' };
}

async function repeat(times: number, atOnce: number, act: () => Promise<unknown>): Promise<void> {
  let left = times;
  const run = async () => {
    while (left-- > 0) await act();
  };
  await Promise.all(Array.from({ length: atOnce }, run));
}

async function each(times: number, act: () => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await act();
    taken.push(performance.now() - start);
  }
  return taken;
}

function countTo(total: number) {
  let count = 0;
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const onBatch = (records: number): void => {
    count += records;
    if (count >= total) finish();
  };
  return { done, onBatch };
}

function fail(error: unknown): never {
  throw error;
}
