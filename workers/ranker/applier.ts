import { parseRecord } from '../../proto/parse-record.ts';
import { RecordError } from '../../proto/record-error.ts';
import type { ContestEvent } from '../../proto/records.ts';
import type { LogRecord } from '../log/log.ts';
import type { DeadLetterWriter } from '../source/dead-letters.ts';
import { ApplyFault } from './apply-faults.ts';
import type { Places } from './places.ts';
import type { RankerMetrics } from './ranker-metrics.ts';
import type { Ranking, Refusal } from './ranking.ts';

/**
 * Records of the log into the ranking, in slices of a few milliseconds with a turn of the event loop
 * between them, so that a backlog holds up neither answers nor sockets of the same process.
 */
export interface Applier {
  /**
   * Applies what is not applied yet. Rejects when places or dead letters could not be written; they are
   * kept, and the same batch again (or the next) writes them. Rejects with an `ApplyFault` when a record
   * threw: the ranking is not to be used any more then.
   */
  apply(records: readonly LogRecord[]): Promise<void>;
  /** Newest record applied in this life. */
  readonly last: LogRecord | null;
}

export interface ApplierParts {
  ranking: Ranking;
  topic: string;
  partition: number;
  letters: DeadLetterWriter;
  places: Places;
  metrics: Pick<RankerMetrics, 'records' | 'refusals'>;
  sliceMs: number;
  elapsed(): number;
  /** See `Restored.beheaded`. */
  beheaded: boolean;
  /** The epoch that a record at this offset gives to what it creates. */
  epochOf(offset: number, id: string): string;
  /** Records were applied, and places of what they created are written. */
  onApplied(): void;
  /** The record at this offset is not to be applied: it threw on a clean state. */
  isAside(offset: number): boolean;
  onFinal(kind: 'match' | 'contest', id: string, version: number): void;
}

/** Letters waiting before they are written in the middle of a batch. */
const lettersTogether = 2_000;

export function createApplier(parts: ApplierParts): Applier {
  const { ranking, letters, places, metrics, sliceMs, elapsed, onApplied } = parts;
  const outcomes = {
    applied: { partition: String(parts.partition), outcome: 'applied' },
    refused: { partition: String(parts.partition), outcome: 'refused' },
    malformed: { partition: String(parts.partition), outcome: 'malformed' },
  };
  let last: LogRecord | null = null;

  function refuse(logged: LogRecord, refusal: Refusal): void {
    metrics.refusals.inc({ code: refusal.code });
    letters.add(logged.offset, refusal, logged.value);
  }

  function skip(logged: LogRecord, refusal: Refusal, outcome: 'refused' | 'malformed'): void {
    ranking.skip(logged.offset);
    refuse(logged, refusal);
    metrics.records.inc(outcomes[outcome]);
  }

  function applyRecord(logged: LogRecord, record: ContestEvent): void {
    const creates = createsWhat(ranking, record);
    const refusals = ranking.apply(logged.offset, record);
    for (const refusal of refusals) refuse(logged, refusal);
    const whole = refusals.some((refusal) => refusal.item === null);
    metrics.records.inc(whole ? outcomes.refused : outcomes.applied);
    if (creates !== null && !whole) places.add(record);
    if (record.type === 'final' && !whole) noteFinal(logged, record.match, record.contest);
  }

  function applyOrFail(logged: LogRecord, record: ContestEvent): void {
    try {
      applyRecord(logged, record);
    } catch (error) {
      throw new ApplyFault(logged.offset, error);
    }
  }

  function noteFinal(logged: LogRecord, match: string | undefined, contest: string | undefined): void {
    const version = logged.offset + 1;
    if (match !== undefined && ranking.match(match)?.final) parts.onFinal('match', match, version);
    if (contest !== undefined && ranking.contest(contest)?.final) parts.onFinal('contest', contest, version);
  }

  /** Where the log's beginning is gone: whether this record only seems to create a match or contest. */
  async function isHeadless(logged: LogRecord, record: ContestEvent): Promise<boolean> {
    const creates = createsWhat(ranking, record);
    if (creates === null) return false;
    const kept = await places.kept(creates.kind, creates.id);
    return kept !== null && kept.epoch !== parts.epochOf(logged.offset, record.id);
  }

  function parsed(logged: LogRecord): ContestEvent | null {
    try {
      return parseRecord('contest-events', logged.value, logged.timestamp);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      skip(logged, { code: error.code, message: error.message, item: null }, 'malformed');
      return null;
    }
  }

  async function settle(): Promise<void> {
    try {
      if (places.waiting > 0) await places.flush();
    } finally {
      // Who has no place yet cannot be asked for; the others need not wait for the store.
      onApplied();
    }
    if (letters.pending > 0) await letters.flush();
  }

  return {
    async apply(records) {
      let sliceEnds = elapsed() + sliceMs;
      for (const logged of records) {
        if (logged.offset < ranking.version) continue;
        const record = parsed(logged);
        if (record !== null) {
          if (parts.isAside(logged.offset)) skip(logged, asideRefusal, 'refused');
          else if (parts.beheaded && (await isHeadless(logged, record)))
            skip(logged, headless(record), 'refused');
          else applyOrFail(logged, record);
        }
        last = logged;
        if (elapsed() < sliceEnds && letters.pending < lettersTogether) continue;
        await settle();
        await new Promise<void>((resolve) => setImmediate(resolve));
        sliceEnds = elapsed() + sliceMs;
      }
      await settle();
    },
    get last() {
      return last;
    },
  };
}

/** What a record creates if it is accepted now; null: nothing. */
function createsWhat(
  ranking: Ranking,
  record: ContestEvent,
): { kind: 'match' | 'contest'; id: string } | null {
  if (record.type === 'match' && ranking.match(record.match) === null) {
    return { kind: 'match', id: record.match };
  }
  if (record.type === 'contest' && ranking.contest(record.contest) === null) {
    return { kind: 'contest', id: record.contest };
  }
  return null;
}

const asideRefusal: Refusal = {
  code: 'internal_fault',
  message: 'Applying the record failed twice, the second time on a clean state: it was set aside.',
  item: null,
};

function headless(record: ContestEvent): Refusal {
  const what =
    record.type === 'contest' ? `contest ${record.contest}` : `match ${(record as { match: string }).match}`;
  return {
    code: record.type === 'contest' ? 'no_such_contest' : 'no_such_match',
    message: `The first record of ${what} is no longer in the log: its state cannot be known.`,
    item: null,
  };
}
