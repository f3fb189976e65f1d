import { ServiceError } from '../../proto/codes.ts';
import type { Clock } from '../clock.ts';
import type { EmbeddedStore } from '../store/store.embedded.ts';
import { checkMessage } from './bounds.ts';
import type { Bus, StoredMessage } from './bus.ts';
import { type ChannelLogsOptions, openChannelLogs } from './channel-logs.embedded.ts';
import { type Listener, Listeners } from './listeners.ts';

/**
 * The bus of a process that stands alone: pub/sub and questions inside the process, log channels in its data
 * folder. It has no interruptions, so `onReset` listeners are never called.
 */
export interface EmbeddedBusSetup {
  store: EmbeddedStore;
  clock: Clock;
  /** Names the epoch of a data folder that has none yet; must differ from that of any folder before. */
  newEpoch(): string;
  /** Hears of listeners that threw, handlers that rejected, and faults in the background. */
  onError(error: unknown): void;
  options?: Partial<EmbeddedBusOptions>;
}

export interface EmbeddedBusOptions extends ChannelLogsOptions {
  historyMessagesMax: number;
  historyAgeMs: number;
  messageIdsKept: number;
  historySweepMs: number;
  messageBytesMax: number;
  publishQueueMax: number;
  questionsMax: number;
}
export const embeddedBusDefaults: EmbeddedBusOptions = {
  /** A client that missed more is better served by a list than by a replay. */
  historyMessagesMax: 1_000,
  /** A phone that was off for a week resumes; after that it reads the list. */
  historyAgeMs: 604_800_000,
  /** Writers repeat within seconds; a thousand messages of one user's channel are far more. */
  messageIdsKept: 1_000,
  /** Old messages are hidden at once; this only frees their bytes. */
  historySweepMs: 10_000,
  /** JSON of one notice. */
  messageBytesMax: 65_536,
  /** Messages published in one turn and not yet delivered; above, publishing is refused. */
  publishQueueMax: 100_000,
  /** Questions without an answer yet; above, asking is refused. */
  questionsMax: 10_000,
};

type Handler = (question: Uint8Array) => Promise<Uint8Array | null>;
interface Published {
  readonly listeners: readonly Listener<Uint8Array>[];
  readonly bytes: Uint8Array;
}

const nothing: Promise<void> = Promise.resolve();

export function createEmbeddedBus(setup: EmbeddedBusSetup): Bus {
  const { clock, onError } = setup;
  const options = { ...embeddedBusDefaults, ...setup.options };
  const logs = openChannelLogs({ ...setup, options });
  const topics = new Listeners<Uint8Array>(onError);
  const followers = new Listeners<StoredMessage>(onError);
  const handlers = new Map<string, readonly Handler[]>();
  /** Rejects each question still open. */
  const questions = new Set<(error: ServiceError) => void>();
  let queue: Published[] = [];
  let scheduled = false;
  let closed = false;

  function live(): void {
    if (closed) throw new ServiceError('The bus is closed.', false);
  }

  /**
   * One round: what listeners publish meanwhile goes with the next, so that a circle cannot hold the process.
   */
  function deliverQueue(): void {
    const round = queue;
    queue = [];
    for (const { listeners, bytes } of round) topics.deliver(listeners, bytes);
    scheduled = queue.length > 0;
    if (scheduled) setImmediate(deliverQueue);
  }

  function publish(topic: string, bytes: Uint8Array): Promise<void> {
    if (closed) return Promise.reject(new ServiceError('The bus is closed.', false));
    const listeners = topics.of(topic);
    if (listeners === null) return nothing;
    if (queue.length >= options.publishQueueMax) {
      const sentence = `The bus is behind: ${queue.length} messages wait to be delivered; try again.`;
      return Promise.reject(new ServiceError(sentence, true));
    }
    queue.push({ listeners, bytes });
    if (!scheduled) {
      scheduled = true;
      queueMicrotask(deliverQueue);
    }
    return nothing;
  }

  function ask(subject: string, question: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      live();
      if (questions.size >= options.questionsMax) {
        throw new ServiceError(`${questions.size} questions are open already; try again.`, true);
      }
      const cancel = clock.after(deadlineMs, () => {
        fail(new ServiceError(`Nobody answered "${subject}" within ${deadlineMs} ms.`, true));
      });
      const end = (): void => {
        cancel();
        questions.delete(fail);
      };
      const fail = (error: ServiceError): void => {
        end();
        reject(error);
      };
      questions.add(fail);
      for (const handler of handlers.get(subject) ?? []) {
        nothing
          .then(() => handler(question))
          .then((answer) => {
            if (answer === null || !questions.has(fail)) return;
            end();
            resolve(answer);
          })
          .catch(onError);
      }
    });
  }

  return {
    publish,
    async subscribe(topic, onMessage) {
      live();
      return topics.add(topic, onMessage);
    },
    onReset: () => () => undefined,
    ask,
    async answer(subject, handler) {
      live();
      const own: Handler = (question) => handler(question);
      handlers.set(subject, [...(handlers.get(subject) ?? []), own]);
      return () => {
        const left = (handlers.get(subject) ?? []).filter((other) => other !== own);
        if (left.length === 0) handlers.delete(subject);
        else handlers.set(subject, left);
      };
    },
    async append(channel, message) {
      live();
      checkMessage(channel, message, options.messageBytesMax);
      const { position, stored } = await logs.append(channel, message);
      // Who listens now, not who did when asked: whoever came meanwhile may have read a history without it.
      const listeners = stored === null ? null : followers.of(channel);
      if (listeners !== null) followers.deliver(listeners, stored!);
      return { epoch: logs.epoch, position };
    },
    async follow(channel, onMessage) {
      live();
      return followers.add(channel, onMessage);
    },
    async history(channel, since, limit) {
      live();
      return logs.history(channel, since, limit);
    },
    async heads(channels) {
      live();
      return channels.map((channel) => ({ epoch: logs.epoch, position: logs.head(channel) }));
    },
    async close() {
      if (closed) return;
      closed = true;
      logs.close();
      const error = new ServiceError('The bus was closed before an answer came.', false);
      for (const fail of [...questions]) fail(error);
      topics.clear();
      followers.clear();
      handlers.clear();
      // Writes are in order: when this one is through, so are those before.
      await setup.store.write(() => undefined);
    },
  };
}
