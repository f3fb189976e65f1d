export interface DemandOptions {
  wantedMax: number;
  leaseMs: number;
  renewEveryMs: number;
  renewNamesMax: number;
  askDeadlineMs: number;
  wantDelayMs: number;
  wantNamesMax: number;
  framesHeldMax: number;
  headsGraceMs: number;
  headsSilenceMs: number;
  unknownKeptMs: number;
  unknownNamesMax: number;
  placesBatchMax: number;
  retryMinMs: number;
  retryMaxMs: number;
}

export const demandDefaults: DemandOptions = {
  /**
   * Contests and matches that this edge follows at once; beyond, `unavailable`. As many as a ranker grants
   * an edge.
   */
  wantedMax: 100_000,
  /** How long a ranker publishes for an edge that is gone. */
  leaseMs: 30_000,
  /** A third of the lease: two renewals may fail. */
  renewEveryMs: 10_000,
  /** Names in one renewal, about 20 KB. */
  renewNamesMax: 500,
  /** After this without an answer the last state kept is served, marked stale. */
  askDeadlineMs: 500,
  /** Subscriptions of the same moment share a question. */
  wantDelayMs: 2,
  /** Snapshots in one answer: some small contests of 1,000 entries make a megabyte. */
  wantNamesMax: 64,
  /** Frames kept while a snapshot is awaited: six seconds of ticks. Beyond, the oldest go, which is a gap. */
  framesHeldMax: 64,
  /** A head may overtake its frame, for they come on different topics. */
  headsGraceMs: 250,
  /** Heads come each second: after so long without any the ranker is asked whether it lives. */
  headsSilenceMs: 3_500,
  /** A name nobody has created is answered without asking again for so long. */
  unknownKeptMs: 5_000,
  /** Names remembered as unknown; beyond, the oldest are forgotten. */
  unknownNamesMax: 10_000,
  /** As many keys as the lookup takes at once. */
  placesBatchMax: 500,
  /** First pause before asking again. */
  retryMinMs: 250,
  retryMaxMs: 5_000,
};
