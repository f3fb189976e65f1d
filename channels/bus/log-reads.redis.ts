import type { History, Position, StoredMessage } from './bus.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';
import type { Layout, LogPlace } from './layout.redis.ts';
import { headsScript, historyScript } from './scripts.redis.ts';
import type { Shards } from './shards.redis.ts';

/**
 * One string for each epoch, however often it comes: channels keep theirs, and most have one of a few. Above
 * so many it begins anew.
 */
const epochsMax = 10_000;
const epochs = new Map<string, string>();
function sameString(epoch: string): string {
  const known = epochs.get(epoch);
  if (known !== undefined) return known;
  if (epochs.size >= epochsMax) epochs.clear();
  epochs.set(epoch, epoch);
  return epoch;
}

export interface LogReads {
  history(channel: string, since: number, limit: number): Promise<History>;
  heads(channels: readonly string[]): Promise<Position[]>;
}

/** Reads of log channels, on the masters: what was appended is read. */
export function createLogReads(options: RedisBusOptions, layout: Layout, shards: Shards): LogReads {
  async function history(channel: string, since: number, limit: number): Promise<History> {
    const place = layout.log(channel);
    const { historyAgeMs, channelIdleMs, historyBytesMax } = options;
    const answer = await shards.script(place.partition, ({ runId }) => [
      historyScript.sha,
      3,
      place.epoch,
      place.stream,
      place.ids,
      runId,
      historyAgeMs,
      channelIdleMs,
      place.phase,
      since,
      limit,
      historyBytesMax,
    ]);
    const epoch = sameString(String(answer[0]));
    const messages: StoredMessage[] = [];
    for (let i = 3; i < answer.length; i += 4) {
      messages.push({
        epoch,
        position: answer[i] as number,
        id: String(answer[i + 1]),
        at: Number(answer[i + 2]),
        // A slice of what the socket read would keep all of that alive.
        data: new Uint8Array(answer[i + 3] as Buffer),
      });
    }
    return { epoch, head: answer[1] as number, first: answer[2] as number, messages };
  }

  async function headsOf(places: readonly LogPlace[], heads: Map<string, Position>): Promise<void> {
    const [{ partition, epoch }] = places as [LogPlace];
    const answer = await shards.script(partition, ({ runId }) => [
      headsScript.sha,
      places.length + 1,
      epoch,
      ...places.map(({ ids }) => ids),
      runId,
      options.channelIdleMs,
      ...places.map(({ phase }) => phase),
    ]);
    for (const [index, { channel }] of places.entries()) {
      const position = answer[2 * index + 2] as number;
      heads.set(channel, { epoch: sameString(`${answer[0]}.${answer[2 * index + 1]}`), position });
    }
  }

  return {
    history,
    async heads(channels) {
      const byPartition = new Map<number, LogPlace[]>();
      for (const channel of new Set(channels)) {
        const place = layout.log(channel);
        const places = byPartition.get(place.partition);
        if (places === undefined) byPartition.set(place.partition, [place]);
        else places.push(place);
      }
      const heads = new Map<string, Position>();
      await Promise.all([...byPartition.values()].map((places) => headsOf(places, heads)));
      return channels.map((channel) => heads.get(channel)!);
    },
  };
}

/** A message as append.lua publishes it: epoch, position, at, bytes of the id; a line break; id and data. */
export function decodePublished(bytes: Buffer): StoredMessage {
  const end = bytes.indexOf(10);
  const [epoch, position, at, idBytes] = bytes.toString('latin1', 0, end).split(' ') as [
    string,
    string,
    string,
    string,
  ];
  const dataAt = end + 1 + Number(idBytes);
  return {
    epoch: sameString(epoch),
    position: Number(position),
    at: Number(at),
    id: bytes.toString('utf8', end + 1, dataAt),
    data: new Uint8Array(bytes.subarray(dataAt)),
  };
}
