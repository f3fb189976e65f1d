import type { Logger } from 'pino';
import type { Bus, Unsubscribe } from '../../channels/bus/bus.ts';
import type { Clock } from '../../channels/clock.ts';
import {
  decodeContestFrame,
  decodeHeads,
  decodeMatchFrame,
  encodeHeads,
} from '../../channels/contest/message-codec.ts';
import { contestTopic, headsTopic, matchTopic, newcomerTopic } from '../../channels/contest/messages.ts';
import { createHeadsBook } from './heads-book.ts';
import { createPublisher } from './publisher.ts';
import type { RankerMetrics } from './ranker-metrics.ts';
import type { RankerOptions } from './ranker-options.ts';
import type { Ranking } from './ranking.ts';
import { createVoice } from './voice.ts';
import { createWants, type Wants } from './wants.ts';

/**
 * One partition's frames on the bus: what is wanted, when a frame is made, which replica says it, and the
 * heads.
 */
export interface Broadcast {
  readonly wants: Wants;
  /** Records were applied. */
  tick(): void;
  /** To be called once in `headsIntervalMs`: ends leases that ran out, tells heads. */
  heads(): void;
  /** Asks edges to say what they want. */
  askForWants(): void;
  close(): void;
}

export interface BroadcastParts {
  ranking: Ranking;
  partition: number;
  bus: Bus;
  clock: Clock;
  options: RankerOptions;
  logger: Logger;
  metrics: RankerMetrics;
  elapsed(): number;
  /** A frame of the channel was made: state has changed. */
  onFrame(kind: 'contest' | 'match', id: string): void;
  onWanted(contest: string): void;
}

const namesPerHeads = 5_000;
/** At ten frames a second: what comes within a takeover, and some. */
const keptBackMax = 64;

export function createBroadcast(parts: BroadcastParts): Broadcast {
  const { ranking, partition, bus, clock, options, logger, metrics, elapsed, onFrame } = parts;
  const { replica } = options;
  const heads = createHeadsBook({
    partition,
    replica,
    changedWithinMs: options.headsChangedMs,
    rotationMs: options.headsRotationMs,
    intervalMs: options.headsIntervalMs,
    namesMax: namesPerHeads,
  });
  const hearing = createHearing(bus, logger);
  const voice = createVoice({
    replica,
    clock,
    takeoverMs: options.takeoverMs * replica,
    keptBackMax,
    async publish(channel, bytes) {
      const kind = channel.startsWith('c:') ? 'contest' : 'match';
      try {
        await bus.publish(channel, bytes);
        metrics.frames.inc({ kind });
        metrics.frameBytes.inc({ kind }, bytes.byteLength);
      } catch (error) {
        metrics.publishFailures.inc();
        logger.warn({ err: error, channel }, 'the bus did not take a frame; edges will see the gap and ask');
      }
    },
    onFirst: (channel) =>
      hearing.hear(channel, (bytes) => voice.heard(channel, frameVersion(channel, bytes))),
    onTakeover(channel) {
      metrics.takeovers.inc();
      logger.warn({ channel }, 'lower replicas are silent: this one speaks');
    },
  });
  const publisher = createPublisher({
    ranking,
    clock,
    tickMs: options.tickMs,
    elapsed,
    onTick: (ms) => metrics.tickSeconds.observe(ms / 1_000),
    say(channel, version, bytes) {
      const kind = channel.startsWith('c:') ? 'contest' : 'match';
      const id = channel.slice(2);
      // Watched only for its large contests, which have frames of their own.
      if (kind === 'match' && !wants.hearsMatch(id)) return Promise.resolve();
      heads.moved(kind, id, version, clock.now());
      onFrame(kind, id);
      return voice.say(channel, version, bytes);
    },
  });
  const wants: Wants = createWants({
    ranking,
    clock,
    heads,
    wantedPerEdgeMax: options.wantedPerEdgeMax,
    leaseMsMax: options.leaseMsMax,
    onWanted: parts.onWanted,
    onFreed(channel) {
      publisher.forget(channel);
      voice.forget(channel);
      hearing.stop(channel);
    },
  });

  function headsHeard(bytes: Uint8Array): void {
    const heard = decodeHeads(bytes);
    voice.headsHeard(heard.replica, [
      ...heard.contests.map(([id, version]) => [contestTopic(id), version] as const),
      ...heard.matches.map(([id, version]) => [matchTopic(id), version] as const),
    ]);
  }

  let stopChecks: () => void = () => undefined;
  function checkVoice(): void {
    voice.check();
    stopChecks = clock.after(options.takeoverMs / 20, checkVoice);
  }
  if (replica > 0) {
    hearing.hear(headsTopic(partition), headsHeard);
    checkVoice();
  }

  return {
    wants,
    tick: publisher.tick,
    askForWants() {
      bus.publish(newcomerTopic(partition), Uint8Array.of(replica)).catch((error: unknown) => {
        logger.warn({ err: error }, 'edges could not be asked what they want');
      });
    },
    heads() {
      wants.expire();
      for (const message of heads.messages(clock.now(), ranking.version, voice.speaks)) {
        bus.publish(headsTopic(partition), encodeHeads(message)).catch((error: unknown) => {
          logger.warn({ err: error }, 'the bus did not take heads');
        });
      }
    },
    close() {
      publisher.close();
      stopChecks();
      hearing.close();
    },
  };
}

function frameVersion(channel: string, bytes: Uint8Array): number {
  return (channel.startsWith('c:') ? decodeContestFrame(bytes) : decodeMatchFrame(bytes)).version;
}

/** Subscriptions that may be given up before the bus has confirmed them. */
interface Hearing {
  hear(topic: string, onMessage: (bytes: Uint8Array) => void): void;
  stop(topic: string): void;
  close(): void;
}

function createHearing(bus: Bus, logger: Logger): Hearing {
  const topics = new Map<string, { end: Unsubscribe | null }>();

  function stop(topic: string): void {
    topics.get(topic)?.end?.();
    topics.delete(topic);
  }
  return {
    hear(topic, onMessage) {
      const held: { end: Unsubscribe | null } = { end: null };
      topics.set(topic, held);
      const guarded = (bytes: Uint8Array): void => {
        try {
          onMessage(bytes);
        } catch (error) {
          logger.warn({ err: error, topic }, 'a message on the bus could not be read');
        }
      };
      bus.subscribe(topic, guarded).then(
        (end) => {
          if (topics.get(topic) === held) held.end = end;
          else end();
        },
        (error: unknown) => logger.warn({ err: error, topic }, 'could not listen to other replicas'),
      );
    },
    stop,
    close() {
      for (const topic of [...topics.keys()]) stop(topic);
    },
  };
}
