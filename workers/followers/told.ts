import type { Lookup } from '../../channels/lookup/lookup.ts';
import type { Log, LogRecord } from '../log/log.ts';

/**
 * How far a partition of `graph-changes` has been told on feeds: the last record told of, kept in a Lookup as
 * `told_<partition>`. It may be ahead of the group's committed position by the batch in which a
 * worker died.
 */
interface Told {
  offset: number;
  /** The record's timestamp and key: a log that was made anew has another record there, or none. */
  timestamp: number;
  key: string;
}

export async function writeTold(lookup: Lookup, partition: number, last: LogRecord): Promise<void> {
  const told: Told = { offset: last.offset, timestamp: last.timestamp, key: last.key };
  await lookup.put(toldKey(partition), last.offset, Buffer.from(JSON.stringify(told)), 0);
}

/** The first offset of which nothing has been told. */
export async function readTold(lookup: Lookup, log: Log, partition: number): Promise<number> {
  const key = toldKey(partition);
  const [value] = await lookup.get([key]);
  if (value === undefined || value === null) return 0;
  const told = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) as Told;
  const { first, next } = await log.bounds('graph-changes', partition);
  // Deleted by age: consuming begins after it anyway.
  if (told.offset < first) return 0;
  const record =
    told.offset < next ? (await log.read('graph-changes', partition, told.offset, 1))[0] : undefined;
  const { offset, timestamp, key: recordKey } = record ?? {};
  if (offset === told.offset && timestamp === told.timestamp && recordKey === told.key) {
    return told.offset + 1;
  }
  // Of another log. Its high fence would keep out the notes to come.
  await lookup.remove([key]);
  return 0;
}

function toldKey(partition: number): string {
  return `told_${partition}`;
}
