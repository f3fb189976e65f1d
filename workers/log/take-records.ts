import { RecordError } from '../../proto/record-error.ts';
import { deadLetter, deadLettersTopic } from '../source/dead-letters.ts';
import type { Batch, LogRecord, NewRecord } from './log.ts';

/** What a batch holds: records that parse, with where they stand, and letters about those that do not. */
export interface Taken<T> {
  records: { record: T; logged: LogRecord }[];
  /** To go with the batch's commit: so each comes once, whatever restarts. */
  letters: (NewRecord & { topic: string })[];
}

/**
 * `parse` throws `RecordError` for what is no record of the topic; anything else it throws is a fault of
 * ours.
 */
export function takeRecords<T>(batch: Batch, parse: (logged: LogRecord) => T): Taken<T> {
  const taken: Taken<T> = { records: [], letters: [] };
  for (const logged of batch.records) {
    try {
      taken.records.push({ record: parse(logged), logged });
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const { topic, partition } = batch;
      const place = { topic, partition, offset: logged.offset, item: null };
      const letter = deadLetter({ ...place, code: error.code, message: error.message }, logged.value);
      taken.letters.push({ topic: deadLettersTopic, ...letter });
    }
  }
  return taken;
}
