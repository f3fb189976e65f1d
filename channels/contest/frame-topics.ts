import type { Logger } from 'pino';
import type { Bus, Unsubscribe } from '../bus/bus.ts';

/**
 * Bus topics that several listeners share: one subscription, each message decoded once. A message that
 * cannot be decoded is logged and dropped; what it said is then missing like any lost message.
 */
export interface FrameTopics {
  /** Resolves once every message published from now on is heard. */
  listen<F>(
    topic: string,
    decode: (bytes: Uint8Array) => F,
    listener: (frame: F) => void,
  ): Promise<Unsubscribe>;
  readonly size: number;
}

interface Topic {
  listeners: Set<(frame: unknown) => void>;
  subscribed: Promise<Unsubscribe>;
}

export function createFrameTopics(bus: Bus, logger: Logger): FrameTopics {
  const topics = new Map<string, Topic>();

  function open(name: string, decode: (bytes: Uint8Array) => unknown): Topic {
    const listeners = new Set<(frame: unknown) => void>();
    const subscribed = bus.subscribe(name, (bytes) => {
      let frame: unknown;
      try {
        frame = decode(bytes);
      } catch (error) {
        logger.error({ err: error, topic: name }, 'a message of the bus could not be decoded');
        return;
      }
      for (const listener of listeners) listener(frame);
    });
    const topic = { listeners, subscribed };
    topics.set(name, topic);
    return topic;
  }

  function leave(name: string, topic: Topic, listener: (frame: unknown) => void): void {
    topic.listeners.delete(listener);
    if (topic.listeners.size > 0 || topics.get(name) !== topic) return;
    topics.delete(name);
    topic.subscribed.then(
      (unsubscribe) => unsubscribe(),
      () => {},
    );
  }

  return {
    async listen(name, decode, listener) {
      const topic = topics.get(name) ?? open(name, decode);
      const heard = listener as (frame: unknown) => void;
      topic.listeners.add(heard);
      try {
        await topic.subscribed;
      } catch (error) {
        leave(name, topic, heard);
        throw error;
      }
      return () => leave(name, topic, heard);
    },
    get size() {
      return topics.size;
    },
  };
}
