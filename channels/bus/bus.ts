/**
 * The bus: what moves between workers and edges. Pub/sub of opaque bytes, questions with deadlines, and the logs of
 * log channels.
 *
 * Pub/sub is at most once and, per publisher and topic, in order. A listener hears of every interruption after which
 * it may have missed something through `onReset`; what it then does is read since its last position. Bytes handed
 * over are not changed by either side afterwards.
 */
export interface Bus {
  /** Resolves when handed over to the transport (not when received). */
  publish(topic: string, bytes: Uint8Array): Promise<void>;
  /** Resolves once every message published from now on is delivered to `onMessage`. */
  subscribe(topic: string, onMessage: (bytes: Uint8Array) => void): Promise<Unsubscribe>;
  /** Called after an interruption: messages may be missing on any topic, positions may belong to an old epoch. */
  onReset(listener: (reason: string) => void): Unsubscribe;

  /**
   * Asks all who answer `subject`; resolves with the first answer. Rejects with a retryable `ServiceError` when none
   * comes within `deadlineMs`.
   */
  ask(subject: string, question: Uint8Array, deadlineMs: number): Promise<Uint8Array>;
  /** Answers questions. A handler that resolves `null` leaves the question to others. */
  answer(
    subject: string,
    handler: (question: Uint8Array) => Promise<Uint8Array | null>,
  ): Promise<Unsubscribe>;

  /**
   * Appends to a log channel and publishes to its listeners in one step. Positions start at 1 and rise by one. An id
   * appended before (while still kept, and for at least `messageIdsKept` messages) is not appended again: the
   * answer is where it stands. Appends to one channel stand in the order of the calls, also when the caller does not
   * wait for each.
   */
  append(channel: string, message: LogMessage): Promise<Position>;
  /** Messages appended from now on, in order. A hole in the positions is the listener's to see (read `history`). */
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
