import type { Logger } from 'pino';
import type { Clock } from '../../channels/clock.ts';
import type { CheckpointEnvelope } from './checkpoint-envelope.ts';
import { encodeCheckpointEnvelope } from './checkpoint-envelope.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { RankerMetrics } from './ranker-metrics.ts';
import type { Ranking } from './ranking.ts';

/** When a partition's checkpoints are taken. Taking one is a step of the main thread, writing it is not. */
export interface Checkpoints {
  /** To be called where everything applied is settled: takes one if it is time. */
  offer(): void;
  /** Takes one now and waits for it; a failure is in the log. */
  now(): Promise<void>;
  /** Resolves when none is being written. */
  idle(): Promise<void>;
  /** Something left memory: the next one is whole. */
  shrink(): void;
  /** Version of the newest one written. */
  readonly version: number;
}

export interface CheckpointsParts {
  ranking: Ranking;
  store: CheckpointStore;
  clock: Clock;
  logger: Logger;
  metrics: Pick<RankerMetrics, 'checkpointSeconds' | 'checkpointFailures'>;
  intervalMs: number;
  recordsMax: number;
  segmentsMax: number;
  /** What goes beside the ranking's own head. */
  head(): Omit<CheckpointEnvelope, 'version' | 'ranking'>;
}

/** Taken before the ranking drops changes and has to write everything instead. */
const segmentBytesSoon = 16 * 1024 * 1024;

export function createCheckpoints(parts: CheckpointsParts): Checkpoints {
  const { ranking, store, clock, logger, metrics, intervalMs, recordsMax, segmentsMax } = parts;
  let version = ranking.version;
  let takenAt = clock.now();
  let whole = false;
  let running: Promise<void> | null = null;

  async function write(segment: Uint8Array, head: CheckpointEnvelope, all: boolean): Promise<void> {
    const started = clock.now();
    try {
      await store.save(segment, encodeCheckpointEnvelope(head), all);
      version = head.version;
      metrics.checkpointSeconds.observe((clock.now() - started) / 1_000);
    } catch (error) {
      metrics.checkpointFailures.inc();
      logger.error({ err: error }, 'a checkpoint could not be written; the next one holds all of it');
    }
  }

  function take(): Promise<void> {
    takenAt = clock.now();
    const taken = ranking.checkpoint(whole || store.segments > segmentsMax);
    whole = false;
    const head = { ...parts.head(), version: ranking.version, ranking: taken.head };
    running = write(taken.segment, head, taken.whole).finally(() => {
      running = null;
    });
    return running;
  }

  return {
    offer() {
      if (running !== null) return;
      const behind = ranking.version - version;
      if (behind === 0 && !whole) return;
      const much = behind >= recordsMax || ranking.segmentBytes > segmentBytesSoon;
      if (clock.now() - takenAt < intervalMs && !much) return;
      void take();
    },
    async now() {
      await running;
      if (ranking.version !== version || whole) await take();
    },
    idle: async () => {
      await running;
    },
    shrink() {
      whole = true;
    },
    get version() {
      return version;
    },
  };
}
