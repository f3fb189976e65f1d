import type { EmbeddedStore, Table } from '../../channels/store/store.embedded.ts';
import type { LogRecord, NewRecord } from './log.ts';

/**
 * One partition in the data folder: a table of its own from offset to record, so that appends fill pages from
 * the right and a read is one scan.
 */
export interface StoredPartition {
  readonly topic: string;
  readonly partition: number;
  /** Oldest offset kept. */
  first(): number;
  /** The offset after the last durable record. */
  next(): number;
  /** Records from `offset` on, at most `max` and about `bytesMax` (at least one). */
  read(offset: number, max: number, bytesMax: number): LogRecord[];
  /** Inside of a write of the store. Answers the offset. */
  append(record: NewRecord, timestamp: number): number;
  /** After a write that failed: where the next record goes is read from the table again. */
  recover(): void;
  /** Deletes records from the front that are older than `before`, at most `max`; answers how many. */
  trim(before: number, max: number): Promise<number>;
}

/** `meta` keeps what must outlive the records: the first offset, so that offsets are never given twice. */
export function openPartition(
  store: EmbeddedStore,
  meta: Table,
  topic: string,
  partition: number,
): StoredPartition {
  const table = store.table(`log:${topic}:${partition}`);
  const firstKey = ['first', topic, partition];
  let first = readNumber(meta.get(firstKey)) ?? 0;
  let appendAt: number | null = null;

  function lastNext(): number {
    for (const offset of table.getKeys({ reverse: true, limit: 1 })) return Number(offset) + 1;
    return first;
  }

  function trimInWrite(before: number, max: number): number {
    let removed = 0;
    const old: number[] = [];
    for (const { key, value } of table.getRange({ start: first, limit: max })) {
      if (value.readDoubleBE(0) >= before) break;
      old.push(Number(key));
    }
    for (const offset of old) {
      table.remove(offset);
      removed++;
    }
    if (removed > 0) meta.put(firstKey, writeNumber(old[removed - 1]! + 1));
    return removed;
  }

  return {
    topic,
    partition,
    first: () => first,
    next: lastNext,
    read(offset, max, bytesMax) {
      const records: LogRecord[] = [];
      let bytes = 0;
      for (const { key, value } of table.getRange({ start: offset, limit: max })) {
        records.push(decodeRecord(Number(key), value));
        bytes += value.length;
        if (bytes >= bytesMax) break;
      }
      return records;
    },
    append(record, timestamp) {
      appendAt ??= lastNext();
      const offset = appendAt;
      table.put(offset, encodeRecord(record, timestamp));
      appendAt = offset + 1;
      return offset;
    },
    recover() {
      appendAt = null;
    },
    async trim(before, max) {
      const removed = await store.write(() => trimInWrite(before, max));
      first = readNumber(meta.get(firstKey)) ?? 0;
      return removed;
    },
  };
}

export function readNumber(bytes: Buffer | undefined): number | null {
  return bytes === undefined ? null : bytes.readDoubleBE(0);
}
export function writeNumber(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

/** timestamp (double) | key's length (16 bits) | key | value */
const headBytes = 10;

function encodeRecord(record: NewRecord, timestamp: number): Buffer {
  const keyBytes = Buffer.byteLength(record.key);
  const bytes = Buffer.allocUnsafe(headBytes + keyBytes + record.value.length);
  bytes.writeDoubleBE(timestamp, 0);
  bytes.writeUInt16BE(keyBytes, 8);
  bytes.write(record.key, headBytes);
  bytes.set(record.value, headBytes + keyBytes);
  return bytes;
}

function decodeRecord(offset: number, bytes: Buffer): LogRecord {
  const valueAt = headBytes + bytes.readUInt16BE(8);
  return {
    offset,
    key: bytes.toString('utf8', headBytes, valueAt),
    value: bytes.subarray(valueAt),
    timestamp: bytes.readDoubleBE(0),
  };
}
