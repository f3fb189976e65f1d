import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Clock } from '../../channels/clock.ts';
import { ClientError, type CodeName } from '../../proto/codes.ts';
import { limits } from '../../proto/limits.ts';
import { isIngestTopic, parseRecord, recordKey } from '../../proto/parse-record.ts';
import { type AnyRecord, type IngestTopic, ingestTopics } from '../../proto/records.ts';
import type { Log, NewRecord } from '../log/log.ts';
import { type DeadLetter, deadLetter, deadLettersTopic, readDeadLetters } from './dead-letters.ts';

/**
 * The way in: records from back ends (NDJSON) and from edges into the log.
 *
 * Each line stands for itself: a refused one is answered with its number, a code and a sentence, and
 * becomes a dead letter; the others are taken. What is taken is durable when the answer comes, in the order
 * of the lines.
 */
export interface Ingest {
  /**
   * Throws `ClientError`: `unknown_topic`; `body_too_large` (more lines than a request may have: nothing
   * was taken); `unavailable` (too much under way: nothing was taken). Throws `ServiceError` when the log
   * fails: some or all lines may have been taken, and sending them again is harmless.
   */
  ingest(topic: string, ndjson: Uint8Array): Promise<Ingested>;
  /** One record made inside; trusted to be well-formed. */
  submit(topic: IngestTopic, record: AnyRecord): Promise<{ partition: number; version: number }>;
  /** What was refused, from `from` on, at most `limit`; `next` is where to go on. */
  deadLetters(from: number, limit: number): Promise<{ next: number; items: DeadLetter[] }>;
}
interface Ingested {
  taken: number;
  /**
   * For each key, in order of first appearance: the version at which all of its lines taken here are
   * covered.
   */
  versions: { key: string; version: number }[];
  refused: { line: number; code: CodeName; message: string }[];
}

export interface IngestOptions {
  /** Lines of one request. Some seconds of a busy match; a request must not hold up the others for long. */
  linesMax: number;
  /** Bytes of all requests not yet answered. Beyond, `unavailable`: the sender waits and tries again. */
  bytesUnderWayMax: number;
}
export const ingestDefaults: IngestOptions = { linesMax: 10_000, bytesUnderWayMax: 64 * 1024 * 1024 };

export interface IngestParts {
  log: Log;
  clock: Clock;
  options: IngestOptions;
  logger: Logger;
  registry: Registry;
}

export function createIngest({ log, clock, options, logger, registry }: IngestParts): Ingest {
  const lines = new Counter({
    name: 'rankcast_ingest_records_total',
    help: 'Records that came in, by topic and by whether they were taken.',
    labelNames: ['topic', 'outcome'],
    registers: [registry],
  });
  let bytesUnderWay = 0;

  async function takeLines(topic: IngestTopic, ndjson: Uint8Array): Promise<Ingested> {
    const sorted = sortLines(topic, splitLines(ndjson, options.linesMax), clock.now());
    const versions = new Map<string, number>();
    if (sorted.taken.length > 0) {
      const places = await log.append(topic, sorted.taken);
      for (let i = 0; i < places.length; i += 1) {
        versions.set(sorted.taken[i]!.key, places[i]!.offset + 1);
      }
    }
    if (sorted.letters.length > 0) await log.append(deadLettersTopic, sorted.letters);
    lines.inc({ topic, outcome: 'taken' }, sorted.taken.length);
    lines.inc({ topic, outcome: 'refused' }, sorted.refused.length);
    if (sorted.refused.length > 0) {
      logger.info({ topic, refused: sorted.refused.length, first: sorted.refused[0] }, 'refused records');
    }
    return {
      taken: sorted.taken.length,
      versions: [...versions].map(([key, version]) => ({ key, version })),
      refused: sorted.refused,
    };
  }

  return {
    async ingest(topic, ndjson) {
      if (!isIngestTopic(topic)) {
        throw new ClientError(
          'unknown_topic',
          `No topic "${topic}" takes records: ${ingestTopics.join(', ')} do.`,
        );
      }
      if (bytesUnderWay + ndjson.byteLength > options.bytesUnderWayMax && bytesUnderWay > 0) {
        throw new ClientError(
          'unavailable',
          `${bytesUnderWay} bytes are being written for others; at most ${options.bytesUnderWayMax} may be.`,
        );
      }
      bytesUnderWay += ndjson.byteLength;
      try {
        return await takeLines(topic, ndjson);
      } finally {
        bytesUnderWay -= ndjson.byteLength;
      }
    },
    async submit(topic, record) {
      const value = Buffer.from(JSON.stringify(record));
      const places = await log.append(topic, [{ key: recordKey(topic, record), value }]);
      lines.inc({ topic, outcome: 'taken' });
      return { partition: places[0]!.partition, version: places[0]!.offset + 1 };
    },
    deadLetters: (from, limit) => readDeadLetters(log, from, limit),
  };
}

interface Line {
  /** From 1. */
  no: number;
  bytes: Uint8Array;
}

/** Lines that are not blank, without the white space around them. Throws `body_too_large`. */
function splitLines(ndjson: Uint8Array, linesMax: number): Line[] {
  const lines: Line[] = [];
  let no = 0;
  for (let at = 0; at < ndjson.byteLength; ) {
    const found = ndjson.indexOf(0x0a, at);
    const end = found < 0 ? ndjson.byteLength : found;
    no += 1;
    const bytes = trimmed(ndjson, at, end);
    at = end + 1;
    if (bytes.byteLength === 0) continue;
    if (lines.length === linesMax) {
      throw new ClientError(
        'body_too_large',
        `A request may have ${linesMax} lines; nothing of it was taken.`,
      );
    }
    lines.push({ no, bytes });
  }
  return lines;
}

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0d;

function trimmed(bytes: Uint8Array, start: number, end: number): Uint8Array {
  while (start < end && isSpace(bytes[start]!)) start += 1;
  while (end > start && isSpace(bytes[end - 1]!)) end -= 1;
  return bytes.subarray(start, end);
}

interface Sorted {
  taken: NewRecord[];
  letters: NewRecord[];
  refused: Ingested['refused'];
}

function sortLines(topic: IngestTopic, lines: readonly Line[], now: number): Sorted {
  const sorted: Sorted = { taken: [], letters: [], refused: [] };
  for (const { no, bytes } of lines) {
    try {
      const record = parseLine(topic, bytes, now);
      sorted.taken.push({ key: recordKey(topic, record), value: bytes });
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      const { code, message } = error;
      sorted.refused.push({ line: no, code, message });
      const letter = { topic, partition: null, offset: null, code, message, item: null };
      sorted.letters.push(deadLetter(letter, bytes));
    }
  }
  return sorted;
}

function parseLine(topic: IngestTopic, bytes: Uint8Array, now: number): AnyRecord {
  // Anything else would be taken for MessagePack, which has no lines.
  if (bytes.byteLength <= limits.recordBytesMax && bytes[0] !== 0x7b) {
    throw new ClientError('bad_json', 'The line is not one JSON object: it does not begin with "{".');
  }
  return parseRecord(topic, bytes, now);
}
