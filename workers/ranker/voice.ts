import type { Clock } from '../../channels/clock.ts';
import type { Heads } from '../../channels/contest/messages.ts';

/**
 * Which replica speaks. Replica 0 publishes every frame. Another keeps each frame back until somebody's
 * frame that covers it has been heard; one that was not heard for `takeoverMs` makes it speak for that
 * channel, beginning with all it kept back. It falls silent again when a lower replica's heads name a
 * version of the channel that covers the last it said. Two that speak at once do no harm: whoever listens
 * takes either's.
 */
export interface Voice {
  /** A frame of this replica; published now, kept back, or dropped as heard already. Never rejects. */
  say(channel: string, version: number, bytes: Uint8Array): Promise<void>;
  /** A frame of anybody on the bus. */
  heard(channel: string, version: number): void;
  /** Heads of anybody on the bus: [channel, version of its last frame]. */
  headsHeard(
    replica: Heads['replica'],
    heads: readonly (readonly [channel: string, version: number])[],
  ): void;
  /** Whether this replica publishes the channel. */
  speaks(channel: string): boolean;
  /** Takes over where it is time to; to be called a few times within `takeoverMs`. */
  check(): void;
  /** The channel is not wanted any more. */
  forget(channel: string): void;
}

export interface VoiceParts {
  replica: number;
  clock: Clock;
  takeoverMs: number;
  /** Frames kept back for a channel; beyond, the oldest goes, and who missed it sees a gap and asks. */
  keptBackMax: number;
  /** Must not reject. */
  publish(channel: string, bytes: Uint8Array): Promise<void>;
  /** A channel is said for the first time: its frames on the bus should be handed to `heard`. */
  onFirst(channel: string): void;
  onTakeover(channel: string): void;
}

interface Kept {
  version: number;
  since: number;
  bytes: Uint8Array;
}
interface Channel {
  speaks: boolean;
  kept: Kept[];
  heardVersion: number;
  saidVersion: number;
}

export function createVoice(parts: VoiceParts): Voice {
  const { replica, clock, takeoverMs, keptBackMax, publish, onFirst, onTakeover } = parts;
  const channels = new Map<string, Channel>();

  function channelOf(name: string): Channel {
    let channel = channels.get(name);
    if (channel === undefined) {
      channel = { speaks: false, kept: [], heardVersion: 0, saidVersion: 0 };
      channels.set(name, channel);
      onFirst(name);
    }
    return channel;
  }

  function heardUpTo(channel: Channel, version: number): void {
    channel.heardVersion = Math.max(channel.heardVersion, version);
    while (channel.kept.length > 0 && channel.kept[0]!.version <= version) channel.kept.shift();
  }

  function takeOver(name: string, channel: Channel): void {
    channel.speaks = true;
    onTakeover(name);
    for (const kept of channel.kept) {
      channel.saidVersion = kept.version;
      void publish(name, kept.bytes);
    }
    channel.kept = [];
  }

  return {
    async say(name, version, bytes) {
      if (replica === 0) return publish(name, bytes);
      const channel = channelOf(name);
      if (channel.speaks) {
        channel.saidVersion = version;
        return publish(name, bytes);
      }
      if (version <= channel.heardVersion) return;
      if (channel.kept.length >= keptBackMax) channel.kept.shift();
      channel.kept.push({ version, since: clock.now(), bytes });
    },
    heard(name, version) {
      const channel = channels.get(name);
      if (channel !== undefined) heardUpTo(channel, version);
    },
    headsHeard(from, heads) {
      if (from >= replica) return;
      for (const [name, version] of heads) {
        const channel = channels.get(name);
        if (channel === undefined) continue;
        heardUpTo(channel, version);
        if (version >= channel.saidVersion) channel.speaks = false;
      }
    },
    speaks: (name) => replica === 0 || (channels.get(name)?.speaks ?? false),
    check() {
      const now = clock.now();
      for (const [name, channel] of channels) {
        if (channel.kept.length > 0 && channel.kept[0]!.since + takeoverMs <= now) takeOver(name, channel);
      }
    },
    forget(name) {
      channels.delete(name);
    },
  };
}
