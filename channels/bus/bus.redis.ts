import { randomUUID } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { ServiceError } from '../../proto/codes.ts';
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { Appends } from './appends.redis.ts';
import { checkMessage } from './bounds.ts';
import type { Bus, StoredMessage, Unsubscribe } from './bus.ts';
import { createBusMetrics } from './bus-metrics.redis.ts';
import { type RedisBusOptions, redisBusDefaults } from './bus-options.redis.ts';
import type { RedisConnection } from './connection.redis.ts';
import { closedError, faultOf, type ResetReason, serviceError } from './faults.redis.ts';
import { createLayout, type TopicPlace } from './layout.redis.ts';
import { Listeners } from './listeners.ts';
import { createLogReads, decodePublished } from './log-reads.redis.ts';
import { Questions } from './questions.redis.ts';
import { Shards } from './shards.redis.ts';
import { Subscriptions } from './subscriptions.redis.ts';
import { clusterTopology, singleTopology } from './topology.redis.ts';

/**
 * The bus on Redis 7: one server, one behind Sentinels, or a cluster.
 *
 * Log channels are streams, appended to by a script that finds the position, remembers the id and publishes
 * in one step; everything else is pub/sub, sharded on a cluster. `redis` is the pattern of the connections:
 * the bus makes its own like it, one for commands and one for subscribing to each server that it needs, and
 * never uses a client that sends again by itself what it sent before (see connection.redis.ts for why).
 */
export interface RedisBusSetup {
  redis: Redis | Cluster;
  clock: Clock;
  /** Hears of listeners that threw, handlers that rejected, and faults in the background. */
  onError(error: unknown): void;
  logger?: Logger;
  registry?: Registry;
  /** Told when Redis is reached (again), and why it is not. */
  dependency?: { connected(): void; lost(error: unknown): void };
  random?: Random;
  options?: Partial<RedisBusOptions>;
}

export function createRedisBus(setup: RedisBusSetup): Bus {
  return new RedisBus(setup);
}

class RedisBus implements Bus {
  readonly #setup: RedisBusSetup;
  readonly #options: RedisBusOptions;
  readonly #layout;
  readonly #shards: Shards;
  readonly #subscriptions: Subscriptions;
  readonly #appends: Appends;
  readonly #reads;
  readonly #questions: Questions;
  readonly #metrics;
  /** By the full name of the topic. */
  readonly #topics: Listeners<Buffer>;
  readonly #resets: Listeners<string>;
  #published = 0;
  /** Messages published that wait for a first connection. */
  #early = 0;
  #publishedBytes = 0;
  #refusal = '';
  #cancelTick: () => void;
  #closed = false;

  constructor(setup: RedisBusSetup) {
    const { redis, clock, onError, random = Math.random } = setup;
    this.#setup = setup;
    const options = { ...redisBusDefaults, ...setup.options };
    this.#options = options;
    const cluster = redis.isCluster ? (redis as Cluster) : null;
    const layout = createLayout(options.prefix, cluster !== null);
    this.#layout = layout;
    const topology =
      cluster === null
        ? singleTopology(redis as Redis, options.openTimeoutMs)
        : clusterTopology(cluster, layout, clock, options.openTimeoutMs);
    const parts = { clock, random, options, layout, topology };
    const busId = randomUUID();
    this.#topics = new Listeners(onError);
    this.#resets = new Listeners(onError);
    this.#shards = new Shards({
      ...parts,
      onUp: () => this.#onUp(),
      onDown: (error) => this.#onDown('command', error),
    });
    this.#subscriptions = new Subscriptions({
      ...parts,
      busId,
      onMessage: (topic, bytes) => this.#onMessage(topic, bytes),
      onReset: (reason, sentence) => this.#onReset(reason, sentence),
      onBeat: (roundTripMs) => this.#metrics.beat(roundTripMs),
      onUp: () => this.#onUp(),
      onDown: (error) => this.#onDown('subscriber', error),
    });
    this.#appends = new Appends({ clock, options, layout, shards: this.#shards });
    this.#reads = createLogReads(options, layout, this.#shards);
    this.#questions = new Questions({
      clock,
      options,
      busId,
      publish: (topic, bytes) => this.#publish(layout.topic(topic), bytes),
      subscribe: (topic, onMessage) => this.subscribe(topic, onMessage),
      onError,
    });
    this.#metrics = createBusMetrics(setup.registry, {
      commandConnections: () => this.#shards.size,
      subscriberConnections: () => this.#subscriptions.connections,
      topics: () => this.#subscriptions.topics,
      waiting: () => this.#appends.waiting,
    });
    this.#cancelTick = clock.after(options.heartbeatMs, () => this.#tick());
  }

  publish(topic: string, bytes: Uint8Array): Promise<void> {
    return this.#metrics.timed('publish', this.#publish(this.#layout.topic(topic), bytes));
  }

  subscribe(topic: string, onMessage: (bytes: Uint8Array) => void): Promise<Unsubscribe> {
    return this.#listen(this.#layout.topic(topic), onMessage);
  }

  onReset(listener: (reason: string) => void): Unsubscribe {
    return this.#resets.add('', listener);
  }

  ask(subject: string, question: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    return this.#questions.ask(subject, question, deadlineMs);
  }

  answer(
    subject: string,
    handler: (question: Uint8Array) => Promise<Uint8Array | null>,
  ): Promise<Unsubscribe> {
    return this.#questions.answer(subject, handler);
  }

  async append(channel: string, message: { id: string; at: number; data: Uint8Array }) {
    if (this.#closed) throw closedError();
    checkMessage(channel, message, this.#options.messageBytesMax);
    return await this.#metrics.timed('append', this.#appends.append(channel, message));
  }

  follow(channel: string, onMessage: (message: StoredMessage) => void): Promise<Unsubscribe> {
    const { stream, partition } = this.#layout.log(channel);
    return this.#listen({ topic: stream, partition }, (bytes) => onMessage(decodePublished(bytes)));
  }

  async history(channel: string, since: number, limit: number) {
    if (this.#closed) throw closedError();
    return await this.#metrics.timed('history', this.#reads.history(channel, since, limit));
  }

  async heads(channels: readonly string[]) {
    if (this.#closed) throw closedError();
    return await this.#metrics.timed('heads', this.#reads.heads(channels));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTick();
    this.#questions.close();
    this.#appends.close();
    this.#subscriptions.close();
    this.#shards.close();
    this.#topics.clear();
    this.#resets.clear();
  }

  async #publish({ topic, partition }: TopicPlace, bytes: Uint8Array): Promise<void> {
    if (this.#closed) throw closedError();
    const { publishesMax, publishBytesMax } = this.#options;
    if (this.#published >= publishesMax || this.#publishedBytes >= publishBytesMax) {
      throw new ServiceError(`The bus is behind: ${this.#published} messages wait; try again.`, true);
    }
    this.#published++;
    this.#publishedBytes += bytes.length;
    let connection = this.#shards.connection(partition);
    try {
      if (connection === null || this.#early > 0) connection = await this.#firstConnection(partition);
      const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      await connection.send(this.#layout.publishCommand, [topic, message]);
    } catch (error) {
      if (this.#closed) throw closedError();
      if (connection !== null) this.#shards.after(error, connection);
      throw serviceError('Redis did not take a message', error);
    } finally {
      this.#published--;
      this.#publishedBytes -= bytes.length;
    }
  }

  /**
   * Messages published before there is a connection wait for the first one, and those after them behind
   * them. Once there was one, nothing waits: a state that is late is worth less than one that is refused.
   */
  async #firstConnection(partition: number): Promise<RedisConnection> {
    if (this.#early === 0 && this.#shards.wasUp(partition)) {
      throw new ServiceError(`Redis cannot be reached: ${this.#shards.fault()}`, true);
    }
    this.#early++;
    try {
      return await this.#shards.whenUp(partition, this.#setup.clock.now() + this.#options.callTimeoutMs);
    } finally {
      this.#early--;
    }
  }

  async #listen(place: TopicPlace, onMessage: (bytes: Buffer) => void): Promise<Unsubscribe> {
    if (this.#closed) throw closedError();
    const remove = this.#topics.add(place.topic, onMessage);
    try {
      await this.#subscriptions.join(place);
    } catch (error) {
      remove();
      throw error;
    }
    let here = true;
    return () => {
      if (!here) return;
      here = false;
      remove();
      this.#subscriptions.leave(place);
    };
  }

  #onMessage(topic: string, bytes: Buffer): void {
    const listeners = this.#topics.of(topic);
    if (listeners !== null) this.#topics.deliver(listeners, bytes);
  }

  #onReset(reason: ResetReason, sentence: string): void {
    this.#setup.logger?.warn({ reason }, sentence);
    this.#metrics.reset(reason);
    const listeners = this.#resets.of('');
    if (listeners !== null) this.#resets.deliver(listeners, sentence);
  }

  #onUp(): void {
    if (this.#shards.isUp && this.#subscriptions.isUp) this.#setup.dependency?.connected();
    this.#appends.wake();
  }

  #onDown(kind: 'command' | 'subscriber', error: Error): void {
    this.#metrics.reconnected(kind);
    this.#setup.dependency?.lost(error);
    // What Redis refuses at every attempt, as a wrong password, is said once.
    if (faultOf(error) !== 'final' || error.message === this.#refusal) return;
    this.#refusal = error.message;
    this.#setup.onError(error);
  }

  #tick(): void {
    const { clock } = this.#setup;
    this.#cancelTick = clock.after(this.#options.heartbeatMs, () => this.#tick());
    this.#shards.tick();
    this.#subscriptions.tick();
    this.#appends.tick();
    this.#appends.wake();
    this.#questions.tick();
  }
}
