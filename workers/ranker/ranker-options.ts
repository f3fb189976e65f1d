/** What a ranker may be told. Plain values; where the number comes from stands beside it. */
export interface RankerOptions {
  /** 0 publishes; r > 0 publishes what a lower one has not for `takeoverMs` x r. */
  replica: number;
  /** Folder of checkpoints; one folder in it for each replica and partition. */
  checkpointFolder: string;

  /** What comes within it goes into one frame. People do not see more than ten changes a second. */
  tickMs: number;
  /** Records in a batch of the log. */
  batchRecordsMax: number;
  /** Records are applied for so long at most before others (answers, sockets) have their turn. */
  sliceMs: number;

  /** Share of a tick that goes into answers while records are being applied, in hundredths: a fifth. */
  answerPercentMax: number;
  /** Questions waiting at most; beyond, they are left unanswered and asked again. */
  questionsMax: number;
  /** A question that waited so long is dropped: edges give up after 0.5 s. */
  questionKeepMs: number;
  /** Longest wait of a question for its `minVersion`. */
  waitMsMax: number;

  /**
   * Channels that one edge may want: every contest of its sockets, and a bound on what a faulty one costs.
   */
  wantedPerEdgeMax: number;
  /** A lease lasts at most so long, whatever was asked. */
  leaseMsMax: number;

  /** A ranker that has caught up asks edges for so long what they want; only then is it ready. */
  newcomerMs: number;
  /** Heads go out so often. */
  headsIntervalMs: number;
  /** Channels that changed within this are in every message of heads. */
  headsChangedMs: number;
  /** Every wanted channel is in some message of heads within this. */
  headsRotationMs: number;
  /** After so much silence of lower replicas this one speaks. */
  takeoverMs: number;

  /** A contest's whole order is computed at most once in it; 0: for every question. */
  orderIntervalMs: number;
  /** Contests up to this size are ordered in the main thread: it takes less than a millisecond. */
  orderInlineEntriesMax: number;
  /** An order that nobody asked for is let go after this. */
  orderKeepMs: number;

  /** `frame_<contest>` and `top_<contest>` are written at most once in it. */
  keepsakeIntervalMs: number;
  /** What is kept for when no ranker answers is of no use after a week. */
  keepsakeExpireMs: number;
  /** Rows in `top_<contest>`. */
  topRowsMax: number;

  /** A checkpoint so often, if anything was applied. */
  checkpointIntervalMs: number;
  /** A checkpoint after so many records in any case: replaying them takes seconds. */
  checkpointRecordsMax: number;
  /** More segments than this are made into one. */
  checkpointSegmentsMax: number;

  /** Large contests are archived so often while they change, with their first pages; 0: only when final. */
  archiveIntervalMs: number;
  archiveIntervalPages: number;
  /** A final match or contest leaves memory after this. */
  finalKeepMs: number;
  /** First pages of what is final that stay readable after that, for `keepsakeExpireMs`: 100,000 rows. */
  finalPagesMax: number;
}

export const rankerDefaults: Omit<RankerOptions, 'checkpointFolder'> = {
  replica: 0,
  tickMs: 100,
  batchRecordsMax: 500,
  sliceMs: 10,
  answerPercentMax: 20,
  questionsMax: 10_000,
  questionKeepMs: 500,
  waitMsMax: 2_000,
  wantedPerEdgeMax: 100_000,
  leaseMsMax: 60_000,
  /** Edges answer within a second of the first of these calls. */
  newcomerMs: 3_000,
  headsIntervalMs: 1_000,
  headsChangedMs: 60_000,
  headsRotationMs: 10_000,
  takeoverMs: 1_000,
  orderIntervalMs: 1_000,
  orderInlineEntriesMax: 20_000,
  orderKeepMs: 30_000,
  keepsakeIntervalMs: 1_000,
  keepsakeExpireMs: 7 * 24 * 3_600_000,
  topRowsMax: 1_000,
  checkpointIntervalMs: 10_000,
  checkpointRecordsMax: 100_000,
  checkpointSegmentsMax: 100,
  archiveIntervalMs: 300_000,
  archiveIntervalPages: 20,
  finalKeepMs: 3_600_000,
  finalPagesMax: 200,
};
