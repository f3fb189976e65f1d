/** Bounds and times of the bus on Redis. All processes on one Redis must have the same of the first block. */
export interface RedisBusOptions {
  prefix: string;
  historyMessagesMax: number;
  historyAgeMs: number;
  channelIdleMs: number;
  messageIdsKept: number;
  messageBytesMax: number;
  historyBytesMax: number;
  heartbeatMs: number;
  heartbeatTimeoutMs: number;
  heartbeatLateMs: number;
  replyTimeoutMs: number;
  openTimeoutMs: number;
  reconnectMinMs: number;
  reconnectMaxMs: number;
  callTimeoutMs: number;
  retryMs: number;
  publishesMax: number;
  publishBytesMax: number;
  appendsMax: number;
  appendBytesMax: number;
  appendBatchMax: number;
  scriptsInFlightMax: number;
  readsMax: number;
  topicsMax: number;
  subscribeBatchMax: number;
  unsubscribeDelayMs: number;
  questionsMax: number;
  answersMax: number;
}

export const redisBusDefaults: RedisBusOptions = {
  /** Before every key and topic: several gateways may share one Redis. */
  prefix: '',
  /** A client that missed more is better served by a list than by a replay. */
  historyMessagesMax: 1_000,
  /** A phone that was off for a week resumes; after that it reads the list. */
  historyAgeMs: 604_800_000,
  /**
   * Nothing is left of a channel that got no message for 30 days: most users' feeds are silent for good.
   * Longer than `historyAgeMs`. One that begins again does so in another epoch.
   */
  channelIdleMs: 2_592_000_000,
  /** Writers repeat within seconds; a thousand messages of one user's channel are far more. */
  messageIdsKept: 1_000,
  /** JSON of one notice. */
  messageBytesMax: 65_536,
  /** One read of history: about 5 ms of the server's time. The rest comes with the next. */
  historyBytesMax: 4_194_304,
  /**
   * With the next: a subscriber connection that went silent is found within 2 s (one beat until it is asked,
   * the timeout, one beat until that is seen), and a server that does something else for a second is not
   * taken for dead.
   */
  heartbeatMs: 400,
  heartbeatTimeoutMs: 1_100,
  /** Other messages come but no answer to a heartbeat: as long as a million subscriptions may take. */
  heartbeatLateMs: 10_000,
  /** A command connection that owes answers and has given none for so long is given up. */
  replyTimeoutMs: 2_000,
  /** Connecting, the handshake and loading the scripts. */
  openTimeoutMs: 2_000,
  /** Half of it is chance, so that a thousand processes do not come back at once. */
  reconnectMinMs: 50,
  reconnectMaxMs: 1_000,
  /** Appends, reads and subscriptions go on through a reconnect; then the caller hears to try again. */
  callTimeoutMs: 5_000,
  /** Pause after an answer like TRYAGAIN, LOADING or CLUSTERDOWN. */
  retryMs: 50,
  /** Published and not answered yet; above, publishing is refused. A second's worth of a busy server. */
  publishesMax: 100_000,
  publishBytesMax: 67_108_864,
  /** Appended and not answered yet; above, appending is refused. */
  appendsMax: 100_000,
  appendBytesMax: 67_108_864,
  /** Messages of one channel in one step: a millisecond in which Redis does nothing else. */
  appendBatchMax: 32,
  /** Steps of appends under way to one server. What waits behind them goes in fuller batches. */
  scriptsInFlightMax: 512,
  /** Reads that wait for a server or its answer. */
  readsMax: 10_000,
  /** Topics and channels listened to; above, subscribing is refused. About a gigabyte here and there. */
  topicsMax: 2_500_000,
  /** Names in one SUBSCRIBE. */
  subscribeBatchMax: 1_000,
  /** Who left may come back at once, and those who leave together go in one command. */
  unsubscribeDelayMs: 1_000,
  /** Questions without an answer yet; above, asking is refused. */
  questionsMax: 10_000,
  /** Questions of others being answered; those beyond are left to others (and asked again). */
  answersMax: 10_000,
};
