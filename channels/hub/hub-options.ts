export interface HubOptions {
  ringMessagesMax: number;
  ringBytesMax: number;
  replayMessagesMax: number;
  headsEveryMs: number;
  headsBatchMax: number;
  headsDelayMs: number;
  idleGraceMs: number;
  retryMinMs: number;
  retryMaxMs: number;
  healTriesMax: number;
  channelsMax: number;
}

export const hubDefaults: HubOptions = {
  /** A socket that reconnects within seconds has missed a handful; older ones are read from history. */
  ringMessagesMax: 64,
  /**
   * A few messages of the greatest size, many usual ones; feeds are one per user, so this is memory times
   * users.
   */
  ringBytesMax: 65_536,
  /** More than a screen can show; a client further behind reads its lists anew instead. */
  replayMessagesMax: 500,
  /** How long a lost last message may stay unseen. */
  headsEveryMs: 10_000,
  /** One round trip; longer scripts would hold up the store. */
  headsBatchMax: 256,
  /** Joins of the same moment share one question; nobody notices two milliseconds. */
  headsDelayMs: 2,
  /** A client that changes networks is back within this. */
  idleGraceMs: 15_000,
  retryMinMs: 100,
  /** A store that is down is not asked more often than this by each channel. */
  retryMaxMs: 5_000,
  /** Reads of a hole that brought nothing, after which it is told as a gap. */
  healTriesMax: 5,
  /** Followed channels; joining another is answered `unavailable`. About a gigabyte of memory. */
  channelsMax: 2_000_000,
};
