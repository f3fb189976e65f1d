import type { Logger } from 'pino';
import type { Log } from '../log/log.ts';
import { writtenMark } from '../source/dead-letters.ts';
import { type CheckpointEnvelope, decodeCheckpointEnvelope, lastRecord } from './checkpoint-envelope.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { FinalState } from './finals.ts';
import type { Ranking } from './ranking.ts';

/** A ranking to go on with, and where. */
export interface Restored {
  ranking: Ranking;
  /** Offset of the next record to apply. */
  begin: number;
  /** Offset at which the log ended when this was looked at. */
  end: number;
  last: CheckpointEnvelope['last'];
  letters: CheckpointEnvelope['letters'];
  finals: FinalState[];
  /**
   * The beginning of the log is gone and was not in a checkpoint: what looks like the first record of a
   * match may be a later one.
   */
  beheaded: boolean;
}

export interface RestoreParts {
  log: Log;
  topic: string;
  partition: number;
  store: CheckpointStore;
  logger: Logger;
  create(): Ranking;
  restore(segments: readonly Uint8Array[], head: Uint8Array): Ranking;
}

/**
 * From the checkpoint, if it is whole and the log still is the one it was made from; else from the log's
 * beginning.
 */
export async function restorePartition(parts: RestoreParts): Promise<Restored> {
  const { log, topic, partition, store, logger, create } = parts;
  const bounds = await log.bounds(topic, partition);
  const found = await fromCheckpoint(parts, bounds);
  if ('reason' in found) {
    if (found.reason !== '')
      logger.warn({ reason: found.reason }, 'no checkpoint to use; rebuilding from the log');
    await store.clear();
  }
  const head = 'head' in found ? found.head : null;
  const known = head?.letters ?? { mark: -1, next: 0 };
  const restored = {
    ranking: 'ranking' in found ? found.ranking : create(),
    begin: head?.version ?? bounds.first,
    end: bounds.next,
    last: head?.last ?? null,
    letters: await writtenMark(log, topic, partition, known.next, known.mark),
    finals: head?.finals ?? [],
    beheaded: head === null && bounds.first > 0,
  };
  logger.info({ begin: restored.begin, end: restored.end, restored: head !== null }, 'partition taken');
  return restored;
}

type Found = { ranking: Ranking; head: CheckpointEnvelope } | { reason: string };

async function fromCheckpoint(parts: RestoreParts, bounds: { first: number; next: number }): Promise<Found> {
  const loaded = await parts.store.load();
  if ('reason' in loaded) return { reason: bounds.next > 0 ? loaded.reason : '' };
  try {
    const head = decodeCheckpointEnvelope(loaded.head);
    if (head === null) return { reason: 'its format is not known here' };
    const reason = await differs(parts, head, bounds);
    if (reason !== null) return { reason };
    const ranking = parts.restore(loaded.segments, head.ranking);
    if (ranking.version !== head.version) return { reason: 'its parts are of different versions' };
    return { ranking, head };
  } catch (error) {
    parts.logger.error({ err: error }, 'the checkpoint could not be restored');
    return { reason: 'it could not be restored' };
  }
}

/** Why the log is not the one that the checkpoint was made from, or has a hole after it; null: it is. */
async function differs(
  { log, topic, partition }: RestoreParts,
  { version, last }: CheckpointEnvelope,
  { first, next }: { first: number; next: number },
): Promise<string | null> {
  if (version > next) return `the log ends at ${next}, before its version ${version}`;
  if (version < first)
    return `the log begins at ${first}, after its version ${version}: records between are gone`;
  // Deleted by time, with nothing missing after it: such a log has not been made anew.
  if (last === null || last.offset < first) return null;
  const [record] = await log.read(topic, partition, last.offset, 1);
  if (record === undefined || record.offset !== last.offset) return `record ${last.offset} is not in the log`;
  return lastRecord(record).sum === last.sum ? null : `record ${last.offset} of the log is another one`;
}
