/**
 * The bus: what moves between workers and edges. Pub/sub of opaque bytes, questions with deadlines, and the
 * logs of log channels.
 *
 * Pub/sub is at most once and, per publisher and topic, in order. A listener hears of every interruption
 * after which it may have missed something through `onReset`; what it then does is read since its last
 * position. Bytes handed over are not changed by either side afterwards.
 *
 * Laws, for every implementation:
 * [BUS-1] Every listener of a topic gets every message published after its `subscribe` resolved, byte for
 *   byte, once, in the order of the publisher; messages of other topics never. It may get some that were
 *   published before and were still under way.
 * [BUS-2] After an `Unsubscribe` was called its listener is not called again; other listeners are.
 * [BUS-3] A listener that throws harms neither the publisher nor other listeners nor later messages; it is
 *   reported.
 * [BUS-4] No listener runs inside the call that publishes, appends or asks.
 * [BUS-5] A question goes to all who answer its subject; the first answer that is not null is the answer.
 * [BUS-6] Without an answer within the deadline `ask` rejects with a retryable ServiceError. A handler that
 *   rejects is reported and leaves the question to others.
 * [BUS-7] Positions of a channel start at 1 and rise by exactly one, in the order of the calls; channels do
 *   not touch each other.
 * [BUS-8] An id that was appended before is not appended and not delivered again: the answer is where it
 *   stands. Ids are remembered while their message is kept, and for `messageIdsKept` messages of the channel
 *   at least.
 * [BUS-9] A listener of `follow` gets every message appended after it resolved, once, in the order of
 *   positions, and never before `history` has it.
 * [BUS-10] `history` answers the messages kept with a position above `since`, oldest first, at most `limit`,
 *   with the head and the oldest position kept; for a channel without messages, head 0 and first 1.
 * [BUS-11] A channel keeps its newest `historyMessagesMax` messages; the older go, positions stay.
 * [BUS-12] Messages older than `historyAgeMs` are no longer kept; positions and ids stay.
 * [BUS-13] `heads` answers in the order asked, position 0 for a channel without messages.
 * [BUS-14] What `append` resolved and what `follow` delivered survives the death of the process: positions,
 *   ids, history and epoch go on.
 * [BUS-15] `onReset` is called after every interruption, and never without one.
 * [BUS-16] A message with more than `messageBytesMax` of data, or an id or channel name out of its bounds (1
 *   to 255 bytes), is refused with a ClientError and not appended.
 * [BUS-17] After `close`, calls reject with a ServiceError that is not retryable, and so do questions still
 *   open.
 * [BUS-18] A channel's epoch is the same in all answers, from before its first message on, until messages or
 *   positions may have been lost; then it is one that the channel has not had. Channels need not have the
 *   same.
 */
export interface Bus {
  /** Resolves when handed over to the transport (not when received). */
  publish(topic: string, bytes: Uint8Array): Promise<void>;
  /** Resolves once every message published from now on is delivered to `onMessage`. */
  subscribe(topic: string, onMessage: (bytes: Uint8Array) => void): Promise<Unsubscribe>;
  /**
   * Called after an interruption: messages may be missing on any topic, positions may belong to an old epoch.
   */
  onReset(listener: (reason: string) => void): Unsubscribe;

  /**
   * Asks all who answer `subject`; resolves with the first answer. Rejects with a retryable `ServiceError`
   * when none comes within `deadlineMs`.
   */
  ask(subject: string, question: Uint8Array, deadlineMs: number): Promise<Uint8Array>;
  /** Answers questions. A handler that resolves `null` leaves the question to others. */
  answer(
    subject: string,
    handler: (question: Uint8Array) => Promise<Uint8Array | null>,
  ): Promise<Unsubscribe>;

  /**
   * Appends to a log channel and publishes to its listeners in one step. Positions start at 1 and rise by
   * one. An id appended before (while still kept, and for at least `messageIdsKept` messages) is not appended
   * again: the answer is where it stands. Appends to one channel stand in the order of the calls, also when
   * the caller does not wait for each.
   */
  append(channel: string, message: LogMessage): Promise<Position>;
  /**
   * Messages appended from now on, in order. A hole in the positions is the listener's to see (read
   * `history`).
   */
  follow(channel: string, onMessage: (message: StoredMessage) => void): Promise<Unsubscribe>;
  /** Messages after `since`, oldest first, at most `limit`. `first` is the oldest position still kept. */
  history(channel: string, since: number, limit: number): Promise<History>;
  /** Heads of many channels at once; a channel without messages is at position 0. */
  heads(channels: readonly string[]): Promise<Position[]>;

  close(): Promise<void>;
}

export type Unsubscribe = () => void;

export interface Position {
  epoch: string;
  position: number;
}
export interface LogMessage {
  id: string;
  /** Event time, ms. */
  at: number;
  /** JSON text, UTF-8. */
  data: Uint8Array;
}
export interface StoredMessage extends LogMessage, Position {}
export interface History {
  epoch: string;
  head: number;
  /** Oldest position kept; head + 1 when none is. */
  first: number;
  messages: StoredMessage[];
}
