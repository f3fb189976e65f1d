import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Batch, Consumer, Log, LogRecord, NewRecord, Place } from './log.ts';

/** What the laws of the log are told with: members that keep what they were given, and texts as records. */

export interface JoinOptions {
  group: string;
  topic?: string;
  batchMax?: number;
  holders?: Map<number, Member>;
  onBatch?: (batch: Batch) => Promise<void>;
  onAssign?: (partition: number, committed: number | null) => Promise<'committed' | number>;
  onRevoke?: (partition: number) => void;
}

/** Wakes those who wait for a condition whenever something has happened. */
export class Wake {
  #waiting: (() => void)[] = [];
  all(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.next();
  }
}

/** A member of a group that keeps what it was given. */
export class Member {
  readonly held = new Set<number>();
  readonly errors: unknown[] = [];
  readonly wake = new Wake();
  started = 0;
  consumer: Consumer | null = null;
  readonly #records: { partition: number; text: string }[] = [];

  take(batch: Batch): void {
    for (const record of batch.records) {
      this.#records.push({ partition: batch.partition, text: decode(record) });
    }
  }
  count(): number {
    return this.#records.length;
  }
  all(): string[] {
    return this.#records.map((record) => record.text);
  }
  of(partition: number): string[] {
    return this.#records.filter((record) => record.partition === partition).map((record) => record.text);
  }
  until(condition: () => boolean): Promise<void> {
    return this.wake.until(condition);
  }
  async close(): Promise<void> {
    await this.consumer?.close();
  }
}

export async function join(log: Log, options: JoinOptions): Promise<Member> {
  const member = new Member();
  member.consumer = await log.consume({
    group: options.group,
    topic: options.topic ?? 'events',
    batchMax: options.batchMax ?? 100,
    async onAssign(partition, committed) {
      const offset = (await options.onAssign?.(partition, committed)) ?? 'committed';
      const holder = options.holders?.get(partition);
      assert.equal(holder, undefined, `partition ${partition} is with two members`);
      options.holders?.set(partition, member);
      member.held.add(partition);
      member.wake.all();
      return offset;
    },
    async onBatch(batch) {
      assert.ok(member.held.has(batch.partition), 'a batch of a partition it does not have');
      member.started++;
      member.wake.all();
      await options.onBatch?.(batch);
      member.take(batch);
      member.wake.all();
    },
    async onRevoke(partition) {
      options.onRevoke?.(partition);
      options.holders?.delete(partition);
      member.held.delete(partition);
      member.wake.all();
    },
    onError(error) {
      member.errors.push(error);
      member.wake.all();
    },
  });
  return member;
}

export async function anyOf(members: readonly Member[], condition: () => boolean): Promise<void> {
  while (!condition()) await Promise.race(members.map((member) => member.wake.next()));
}

export function spread(members: readonly Member[]): number {
  const sizes = members.map((member) => member.held.size);
  return Math.max(...sizes) - Math.min(...sizes);
}

export const encode = (value: string): Uint8Array => new TextEncoder().encode(value);
export const decode = (record: LogRecord): string => new TextDecoder().decode(record.value);
export const text = (key: string, value: string): NewRecord => ({ key, value: encode(value) });
export const textsOf = (records: readonly LogRecord[]): string[] => records.map(decode);
export const sorted = (texts: string[]): string[] => [...texts].sort();
export const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
export const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => String(from + i));

export async function appendNumbers(log: Log, topic: string, from: number, to: number): Promise<Place[]> {
  return log.append(
    topic,
    numbers(from, to).map((n) => text(`k${n}`, n)),
  );
}

export async function readAll(log: Log, topic: string, partition: number): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  let { first: offset } = await log.bounds(topic, partition);
  for (;;) {
    const records = await log.read(topic, partition, offset, 1_000);
    if (records.length === 0) return all;
    all.push(...records);
    offset = records[records.length - 1]!.offset + 1;
  }
}

/** A key for each partition. */
export function keysOf(log: Log, topic: string): string[] {
  const keys: string[] = [];
  for (let n = 0; keys.filter(Boolean).length < log.partitions(topic); n++) {
    keys[log.partitionOf(topic, `key${n}`)] ??= `key${n}`;
  }
  return keys;
}

/** From SEED or new; printed, since it repeats what happened. */
export function seedOf(t: TestContext): number {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`SEED=${seed}`);
  return seed;
}
