import { createHash } from 'node:crypto';
import { Packr } from 'msgpackr';
import type { LogRecord } from '../log/log.ts';
import type { FinalState } from './finals.ts';

/** What goes into a checkpoint beside the ranking's own head. */
export interface CheckpointEnvelope {
  /** Version of the ranking. */
  version: number;
  /** The newest record applied, to be recognised on restore. */
  last: LastRecord | null;
  /** Dead letters are written up to here (an offset of contest-events), found before this place of theirs. */
  letters: { mark: number; next: number };
  finals: FinalState[];
  ranking: Uint8Array;
}
export interface LastRecord {
  offset: number;
  /** Hash of key and value, so of its id too. */
  sum: string;
}

const format = 1;
const packr = new Packr({ useRecords: false, int64AsType: 'number' });

export function encodeCheckpointEnvelope(head: CheckpointEnvelope): Uint8Array {
  return packr.pack({ format, ...head });
}

/** null: not of a format known here. */
export function decodeCheckpointEnvelope(bytes: Uint8Array): CheckpointEnvelope | null {
  const head = packr.unpack(bytes) as CheckpointEnvelope & { format: number };
  return head.format === format ? head : null;
}

export function lastRecord(record: LogRecord): LastRecord {
  return {
    offset: record.offset,
    sum: createHash('sha1').update(record.key).update('\n').update(record.value).digest('hex'),
  };
}
