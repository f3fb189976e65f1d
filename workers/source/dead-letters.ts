import { createHash } from 'node:crypto';
import type { CodeName } from '../../proto/codes.ts';
import type { Log, NewRecord } from '../log/log.ts';

/**
 * Dead letters: what was refused, where it stood and why, one record of the topic `dead-letters` each.
 *
 * A letter about a record of the log is written exactly once, whatever restarts: all letters of one record
 * are appended together, letters of a partition in the order of its offsets and to one partition of the
 * topic, so the last one written there says how far the writing had come.
 */
export const deadLettersTopic = 'dead-letters';

/** Long enough to recognise a record by; the whole stands in the log. Bytes. */
export const clippedBytesMax = 2_048;

export interface DeadLetter {
  /**
   * `<topic>/<partition>/<offset>/<item>`, or `<topic>/in/<hash of the record>/<item>` where it never had a
   * place: the same refusal always has the same id.
   */
  id: string;
  topic: string;
  /** null with `offset`: refused at the way in, so it never had a place. */
  partition: number | null;
  offset: number | null;
  code: CodeName;
  message: string;
  /** Index of the refused item of an `entries` record; null: the whole record. */
  item: number | null;
  /** The record's text (msgpack: base64), at most its first `clippedBytesMax` bytes. */
  record: string;
}

export function deadLetter(letter: Omit<DeadLetter, 'id' | 'record'>, record: Uint8Array): NewRecord {
  const { topic, partition, offset, item } = letter;
  const place = offset ?? createHash('sha1').update(record).digest('hex').slice(0, 16);
  const id = `${topic}/${partition ?? 'in'}/${place}/${item ?? 'all'}`;
  const whole: DeadLetter = { id, ...letter, record: clipRecord(record) };
  return { key: letterKey(topic, partition), value: Buffer.from(JSON.stringify(whole)) };
}

export function readDeadLetter(value: Uint8Array): DeadLetter {
  return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) as DeadLetter;
}

function clipRecord(record: Uint8Array): string {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength).subarray(0, clippedBytesMax);
  // 0x7f and above: the first byte of msgpack maps and arrays; text begins below.
  if (bytes.length > 0 && bytes[0]! >= 0x7f) return bytes.toString('base64');
  return bytes.toString();
}

const letterKey = (topic: string, partition: number | null): string => `${topic}/${partition ?? 'in'}`;

export interface DeadLetterWriter {
  /** Keeps a letter until `flush`; nothing at or below the mark. Letters of one record come in one go. */
  add(
    offset: number,
    refusal: { code: CodeName; message: string; item: number | null },
    record: Uint8Array,
  ): void;
  /** Appends what was added. After a failure it is kept and goes with the next flush, unless it stands. */
  flush(): Promise<void>;
  readonly pending: number;
  /** Offset of the newest record of the partition with letters written or waiting; -1 before any. */
  readonly mark: number;
  /** All letters of the partition stand before this place in `dead-letters`, those waiting excepted. */
  readonly next: number;
}

/** Writes the letters of one partition of `topic`. `silent`: another replica writes them. */
export function createDeadLetterWriter(
  log: Log,
  topic: string,
  partition: number,
  written: WrittenMark,
  silent: boolean,
): DeadLetterWriter {
  let waiting: { offset: number; letter: NewRecord }[] = [];
  /** An append failed, and may have written all the same. */
  let unsure = false;
  let { mark, next } = written;
  return {
    add(offset, refusal, record) {
      if (silent || offset <= written.mark) return;
      waiting.push({ offset, letter: deadLetter({ topic, partition, offset, ...refusal }, record) });
      mark = offset;
    },
    async flush() {
      if (unsure) {
        const found = await writtenMark(log, topic, partition, next, written.mark);
        waiting = waiting.filter(({ offset }) => offset > found.mark);
        next = found.next;
        unsure = false;
      }
      if (waiting.length === 0) return;
      const sent = waiting;
      waiting = [];
      try {
        const letters = sent.map(({ letter }) => letter);
        const places = await log.append(deadLettersTopic, letters);
        next = places[places.length - 1]!.offset + 1;
      } catch (error) {
        waiting = [...sent, ...waiting];
        unsure = true;
        throw error;
      }
    },
    get pending() {
      return waiting.length;
    },
    get mark() {
      return mark;
    },
    get next() {
      return next;
    },
  };
}

/** Letters of a partition are written up to `mark` (an offset of it); all of them stand before `next`. */
export interface WrittenMark {
  mark: number;
  next: number;
}

/**
 * How far the letters of a partition have been written: looks through the letters at `from` and after.
 * `next` is where a later look may begin when it is handed `mark` as `known`.
 */
export async function writtenMark(
  log: Log,
  topic: string,
  partition: number,
  from: number,
  known: number,
): Promise<WrittenMark> {
  const key = letterKey(topic, partition);
  const shelf = log.partitionOf(deadLettersTopic, key);
  const bounds = await log.bounds(deadLettersTopic, shelf);
  let mark = known;
  // A topic shorter than remembered was made anew: all of it is looked through.
  let at = from > bounds.next ? bounds.first : Math.max(from, bounds.first);
  while (at < bounds.next) {
    const records = await log.read(deadLettersTopic, shelf, at, 1_000);
    if (records.length === 0) break;
    for (const record of records) {
      at = record.offset + 1;
      if (record.key === key) mark = Math.max(mark, readDeadLetter(record.value).offset ?? -1);
    }
  }
  return { mark, next: at };
}

/**
 * Letters of the topic's first partition from `from` on, or from the oldest kept; `next` is where to go on.
 */
export async function readDeadLetters(
  log: Log,
  from: number,
  limit: number,
): Promise<{ next: number; items: DeadLetter[] }> {
  const { first, next } = await log.bounds(deadLettersTopic, 0);
  const start = Math.min(Math.max(from, first), next);
  const records = start < next ? await log.read(deadLettersTopic, 0, start, limit) : [];
  // Offsets may be left out between records, and at the end.
  const last = records[records.length - 1];
  const end = limit > 0 && last === undefined ? next : start;
  return {
    next: last === undefined ? end : last.offset + 1,
    items: records.map((record) => readDeadLetter(record.value)),
  };
}
