import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** A ranker's metrics. Those with a partition are read off the rankings when they are collected. */
export interface RankerMetrics {
  records: Counter<'partition' | 'outcome'>;
  refusals: Counter<'code'>;
  batchFailures: Counter<'partition'>;
  rebuilds: Counter<'partition'>;
  frames: Counter<'kind'>;
  frameBytes: Counter<'kind'>;
  publishFailures: Counter;
  takeovers: Counter;
  tickSeconds: Histogram;
  questions: Counter<'question' | 'outcome'>;
  answerSeconds: Histogram<'question'>;
  checkpointSeconds: Histogram;
  checkpointFailures: Counter;
  archived: Counter;
}

/** One partition as the gauges see it. */
export interface PartitionGauges {
  partition: number;
  version: number;
  /** Records in the log and not yet applied, as last looked at. */
  lag: number;
  contests: number;
  entries: number;
  wanted: number;
  waiting: number;
}

export function createRankerMetrics(
  registry: Registry,
  gauges: () => Iterable<PartitionGauges>,
): RankerMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string, read: (of: PartitionGauges) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['partition'],
      registers,
      collect() {
        this.reset();
        for (const of of gauges()) this.set({ partition: String(of.partition) }, read(of));
      },
    });
  };
  gauge('rankcast_ranker_version', 'Newest version applied.', (of) => of.version);
  gauge('rankcast_ranker_lag_records', 'Records in the log that are not applied yet.', (of) => of.lag);
  gauge('rankcast_ranker_contests', 'Contests in memory.', (of) => of.contests);
  gauge('rankcast_ranker_entries', 'Entries of all contests in memory.', (of) => of.entries);
  gauge('rankcast_ranker_wanted_channels', 'Channels that edges want.', (of) => of.wanted);
  gauge('rankcast_ranker_waiting_questions', 'Questions that wait.', (of) => of.waiting);

  const counter = <L extends string = never>(name: string, help: string, labelNames: L[] = []): Counter<L> =>
    new Counter({ name, help, labelNames, registers });
  const seconds = <L extends string = never>(
    name: string,
    help: string,
    labelNames: L[] = [],
  ): Histogram<L> =>
    new Histogram({
      name,
      help,
      labelNames,
      registers,
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5],
    });
  return {
    records: counter('rankcast_ranker_records_total', 'Records applied, refused or malformed.', [
      'partition',
      'outcome',
    ]),
    refusals: counter('rankcast_ranker_refusals_total', 'Refused records and items, by code.', ['code']),
    batchFailures: counter(
      'rankcast_ranker_failures_total',
      'Batches of records that could not be applied or written out, and are tried again.',
      ['partition'],
    ),
    rebuilds: counter(
      'rankcast_ranker_rebuilds_total',
      'Partitions rebuilt from their checkpoint because a record threw.',
      ['partition'],
    ),
    frames: counter('rankcast_ranker_frames_total', 'Frames published.', ['kind']),
    frameBytes: counter('rankcast_ranker_frame_bytes_total', 'Bytes of frames published.', ['kind']),
    publishFailures: counter('rankcast_ranker_publish_failures_total', 'Frames that the bus did not take.'),
    takeovers: counter('rankcast_ranker_takeovers_total', 'Channels taken over from a silent replica.'),
    tickSeconds: seconds('rankcast_ranker_tick_seconds', 'Making the frames of one tick.'),
    questions: counter('rankcast_ranker_questions_total', 'Questions, by what became of them.', [
      'question',
      'outcome',
    ]),
    answerSeconds: seconds('rankcast_ranker_answer_seconds', 'From a question to its answer.', ['question']),
    checkpointSeconds: seconds('rankcast_ranker_checkpoint_seconds', 'Writing a checkpoint.'),
    checkpointFailures: counter('rankcast_ranker_checkpoint_failures_total', 'Checkpoints not written.'),
    archived: counter('rankcast_ranker_archived_boards_total', 'Leaderboards put into the archive.'),
  };
}
