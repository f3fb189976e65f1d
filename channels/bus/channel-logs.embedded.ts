import type { Clock } from '../clock.ts';
import type { EmbeddedStore } from '../store/store.embedded.ts';
import type { History, LogMessage, StoredMessage } from './bus.ts';

/**
 * The messages of all log channels in the data folder.
 *
 * Three tables: messages by (channel, position), positions by (channel, id), and per channel its head, its
 * oldest message and the oldest id still known. A message that is no longer kept while its id must be loses
 * its data first.
 */
export interface ChannelLogs {
  readonly epoch: string;
  /** Resolves once durable, in the order of the calls. `stored` null: the id was there before. */
  append(channel: string, message: LogMessage): Promise<Appended>;
  history(channel: string, since: number, limit: number): History;
  head(channel: string): number;
  /** Stops looking for old messages. */
  close(): void;
}
interface Appended {
  position: number;
  stored: StoredMessage | null;
}

export interface ChannelLogsOptions {
  historyMessagesMax: number;
  historyAgeMs: number;
  messageIdsKept: number;
  historySweepMs: number;
}

export interface ChannelLogsSetup {
  store: EmbeddedStore;
  clock: Clock;
  options: ChannelLogsOptions;
  newEpoch(): string;
  onError(error: unknown): void;
}

/** Channels looked at in one sweep: about a millisecond of reading. */
const sweepChannelsMax = 500;

/** Where a channel stands. */
interface Mark {
  head: number;
  /** Oldest message kept; head + 1 when none is. */
  first: number;
  /** Oldest position whose id is known. */
  idsFrom: number;
}

export function openChannelLogs(setup: ChannelLogsSetup): ChannelLogs {
  const { store, clock, options } = setup;
  const messages = store.table('bus:messages');
  const ids = store.table('bus:ids');
  const marks = store.table('bus:marks');
  const epoch = openEpoch(setup);

  function markOf(channel: string): Mark {
    const bytes = marks.get(channel);
    return bytes === undefined ? { head: 0, first: 1, idsFrom: 1 } : decodeMark(bytes);
  }

  function isOld(channel: string, position: number, before: number): boolean {
    const bytes = messages.get([channel, position]);
    return bytes !== undefined && appendedAt(bytes) < before;
  }

  /** Inside of a write: lets go of what is beyond the bounds. Answers whether the mark has moved. */
  function trim(channel: string, mark: Mark, before: number): boolean {
    const { first, idsFrom } = mark;
    const idsUpTo = mark.head - options.messageIdsKept;
    while (
      mark.first <= mark.head &&
      (mark.head - mark.first >= options.historyMessagesMax || isOld(channel, mark.first, before))
    ) {
      if (mark.first > idsUpTo) stripData(channel, mark.first);
      mark.first++;
    }
    while (mark.idsFrom < mark.first && mark.idsFrom <= idsUpTo) {
      const key = [channel, mark.idsFrom];
      const bytes = messages.get(key);
      if (bytes !== undefined) ids.remove([channel, idOf(bytes)]);
      messages.remove(key);
      mark.idsFrom++;
    }
    return mark.first !== first || mark.idsFrom !== idsFrom;
  }

  function stripData(channel: string, position: number): void {
    const bytes = messages.get([channel, position]);
    if (bytes !== undefined) messages.put([channel, position], bytes.subarray(0, dataAt(bytes)));
  }

  function appendInWrite(channel: string, message: LogMessage, now: number): number | null {
    if (ids.get([channel, message.id]) !== undefined) return null;
    const mark = markOf(channel);
    const position = ++mark.head;
    messages.put([channel, position], encodeMessage(message, now));
    ids.put([channel, message.id], encodePosition(position));
    trim(channel, mark, now - options.historyAgeMs);
    marks.put(channel, encodeMark(mark));
    return position;
  }

  /** Lets go of the old messages of channels that get no new ones. */
  function forget(channels: readonly string[], before: number): Promise<void> {
    return store.write(() => {
      for (const channel of channels) {
        const mark = markOf(channel);
        if (trim(channel, mark, before)) marks.put(channel, encodeMark(mark));
      }
    });
  }

  const stopSweeps = sweepRegularly(clock, options.historySweepMs, setup.onError, {
    next(after, before) {
      const old: string[] = [];
      let last: string | null = null;
      const range = after === null ? {} : { start: after, exclusiveStart: true };
      for (const { key, value } of marks.getRange({ ...range, limit: sweepChannelsMax })) {
        last = String(key);
        const { head, first } = decodeMark(value);
        if (first <= head && isOld(last, first, before)) old.push(last);
      }
      return { old, last };
    },
    forget,
    ageMs: options.historyAgeMs,
  });

  return {
    epoch,
    async append(channel, message) {
      const now = clock.now();
      const outcome = await store.write(() => {
        const position = appendInWrite(channel, message, now);
        if (position !== null) return { position, fresh: true };
        return { position: decodePosition(ids.get([channel, message.id])!), fresh: false };
      });
      const { position, fresh } = outcome;
      const stored = fresh ? { epoch, position, id: message.id, at: message.at, data: message.data } : null;
      return { position, stored };
    },
    history(channel, since, limit) {
      const mark = markOf(channel);
      const before = clock.now() - options.historyAgeMs;
      let first = mark.first;
      while (first <= mark.head && isOld(channel, first, before)) first++;
      const start = Math.max(since + 1, first);
      const found: StoredMessage[] = [];
      const range = { start: [channel, start], end: [channel, mark.head + 1], limit };
      if (limit > 0 && start <= mark.head) {
        for (const { key, value } of messages.getRange(range)) {
          found.push(decodeMessage(value, epoch, (key as [string, number])[1]));
        }
      }
      return { epoch, head: mark.head, first, messages: found };
    },
    head: (channel) => markOf(channel).head,
    close: stopSweeps,
  };
}

function openEpoch(setup: ChannelLogsSetup): string {
  const meta = setup.store.table('bus:meta');
  const kept = meta.get('epoch');
  if (kept !== undefined) return kept.toString();
  const epoch = setup.newEpoch();
  // Written before the first append: writes keep their order.
  setup.store.write(() => meta.put('epoch', Buffer.from(epoch))).catch(setup.onError);
  return epoch;
}

interface Sweep {
  /** The channels with old messages among the next ones after `after`, and the last one looked at. */
  next(after: string | null, before: number): { old: string[]; last: string | null };
  forget(channels: readonly string[], before: number): Promise<void>;
  ageMs: number;
}

function sweepRegularly(
  clock: Clock,
  everyMs: number,
  onError: (error: unknown) => void,
  sweep: Sweep,
): () => void {
  let stopped = false;
  let after: string | null = null;
  let cancel = clock.after(everyMs, tick);

  function tick(): void {
    once()
      .catch(onError)
      .finally(() => {
        if (!stopped) cancel = clock.after(everyMs, tick);
      });
  }
  async function once(): Promise<void> {
    const before = clock.now() - sweep.ageMs;
    const { old, last } = sweep.next(after, before);
    after = last;
    if (old.length > 0) await sweep.forget(old, before);
  }
  return () => {
    stopped = true;
    cancel();
  };
}

/** Message: appended at (double) | at (double) | length of id (8 bits) | id | data */
const idAt = 17;
const appendedAt = (bytes: Buffer): number => bytes.readDoubleBE(0);
const dataAt = (bytes: Buffer): number => idAt + bytes[idAt - 1]!;
const idOf = (bytes: Buffer): string => bytes.toString('utf8', idAt, dataAt(bytes));

function encodeMessage(message: LogMessage, now: number): Buffer {
  const idBytes = Buffer.byteLength(message.id);
  const bytes = Buffer.allocUnsafe(idAt + idBytes + message.data.length);
  bytes.writeDoubleBE(now, 0);
  bytes.writeDoubleBE(message.at, 8);
  bytes[idAt - 1] = idBytes;
  bytes.write(message.id, idAt);
  bytes.set(message.data, idAt + idBytes);
  return bytes;
}
function decodeMessage(bytes: Buffer, epoch: string, position: number): StoredMessage {
  return { epoch, position, id: idOf(bytes), at: bytes.readDoubleBE(8), data: bytes.subarray(dataAt(bytes)) };
}

function encodePosition(position: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(position);
  return bytes;
}
const decodePosition = (bytes: Buffer): number => bytes.readDoubleBE(0);

function encodeMark(mark: Mark): Buffer {
  const bytes = Buffer.allocUnsafe(24);
  bytes.writeDoubleBE(mark.head, 0);
  bytes.writeDoubleBE(mark.first, 8);
  bytes.writeDoubleBE(mark.idsFrom, 16);
  return bytes;
}
function decodeMark(bytes: Buffer): Mark {
  return { head: bytes.readDoubleBE(0), first: bytes.readDoubleBE(8), idsFrom: bytes.readDoubleBE(16) };
}
