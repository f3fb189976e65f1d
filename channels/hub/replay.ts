import type { History } from '../bus/bus.ts';
import type { Joiner, LogChannel } from './log-channel.ts';
import { LogItem } from './log-item.ts';

/** A read of history made for joiners: what it brought, and after which position it was read. */
export interface Reading {
  history: History;
  since: number;
}

/** Reads of history made for one joiner before it is told that it cannot be recovered. */
const readsMax = 2;

/**
 * What one that joins has missed, up to the channel's head; null: that cannot be told (another epoch, too
 * long ago, no longer kept); 'read': history has to be read for it first.
 */
export function missedBy(
  channel: LogChannel,
  { since, reads }: Joiner,
  reading: Reading | null,
  replayMessagesMax: number,
): LogItem[] | null | 'read' {
  if (since === null) return [];
  if (since.epoch !== channel.epoch) return null;
  const { position } = since;
  if (position === channel.head) return [];
  if (channel.ring?.covers(position)) return channel.ring.after(position);
  if (channel.head - position > replayMessagesMax) return null;
  if (reading !== null && reading.history.epoch === channel.epoch && reading.since <= position) {
    const items = bridge(channel, reading.history, position);
    if (items !== null) return items;
    if (reading.history.first > position + 1) return null;
  }
  return reads < readsMax ? 'read' : null;
}

/** Messages after `position` from history, then from the ring; null if the two do not meet. */
function bridge(channel: LogChannel, history: History, position: number): LogItem[] | null {
  if (position > channel.head) return null;
  const items: LogItem[] = [];
  const ringFirst = channel.ring?.first ?? channel.head + 1;
  let last = position;
  for (const message of history.messages) {
    if (message.position <= position || message.position >= ringFirst) continue;
    if (message.position !== last + 1) return null;
    items.push(new LogItem(channel.no, message));
    last = message.position;
  }
  if (last !== ringFirst - 1) return null;
  return channel.ring === null ? items : items.concat(channel.ring.after(last));
}
