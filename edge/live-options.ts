import { limits } from '../proto/limits.ts';

export interface LiveOptions {
  authTimeoutMs: number;
  idleMs: number;
  subscriptionsPerSocketMax: number;
  socketsPerUserMax: number;
  framesPerIntervalMax: number;
  framesIntervalMs: number;
  pendingFramesMax: number;
  behindAfterMs: number;
  channelGraceMs: number;
  publishGapMs: number;
  boardRowsMax: number;
  whoUsersMax: number;
  whoQuestionsMax: number;
  whoDelayMs: number;
  whoAgainMs: number;
  whoRetryMaxMs: number;
  ownChangesMax: number;
  sweepEveryMs: number;
  sweepSlices: number;
  closeGraceMs: number;
  drainBatchSockets: number;
  drainStepMs: number;
}

export const liveDefaults: LiveOptions = {
  /** A phone on a bad network needs some seconds; a socket without a token is worth no more. */
  authTimeoutMs: 10_000,
  /** Told to clients in `connected`; the sockets' own option of this name makes it true. */
  idleMs: 60_000,
  subscriptionsPerSocketMax: limits.subscriptionsPerSocketMax,
  /** On this edge's process. A person has a handful of devices and tabs; a program in a loop stops here. */
  socketsPerUserMax: 100,
  /** A client that subscribes to all it may, unsubscribes and pings stays below; a loop does not. */
  framesPerIntervalMax: limits.framesPerTenSecondsMax,
  framesIntervalMs: 10_000,
  /** Requests sent right behind `connect`, while its token is verified; beyond, `too_many_frames`. */
  pendingFramesMax: 128,
  behindAfterMs: limits.behindAfterMs,
  /** A channel nobody is on keeps its state so long: sockets that move come back within it. */
  channelGraceMs: 15_000,
  /** Frames of a contest that come closer together are published as one; rankers tick at 100 ms. */
  publishGapMs: 20,
  boardRowsMax: limits.boardRowsMax,
  /** Users in one `who`. */
  whoUsersMax: 256,
  /** Questions under way at once: a ranker spends a fifth of a tick on answers. */
  whoQuestionsMax: 8,
  /** Users who subscribe within it share a question. */
  whoDelayMs: 5,
  /** Pause after an answer that was too old for some users. */
  whoAgainMs: 100,
  whoRetryMaxMs: 5_000,
  /** Changed scores kept for a user while `who` is under way; beyond, `who` is asked again. */
  ownChangesMax: 256,
  /**
   * One slice of the sockets is looked at for what has run out; all of them each `sweepSlices` times this.
   */
  sweepEveryMs: 100,
  sweepSlices: 10,
  /** A socket whose close frame does not get through is cut after this. */
  closeGraceMs: 5_000,
  /** Sockets told or ended in one step of a drain: about a millisecond of work. */
  drainBatchSockets: 500,
  drainStepMs: 20,
};
