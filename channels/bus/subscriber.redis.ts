import type { Clock } from '../clock.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';
import type { RedisConnection } from './connection.redis.ts';
import { faultOf, Interruption, type ResetReason } from './faults.redis.ts';
import { Heartbeat } from './heartbeat.redis.ts';
import type { Layout, TopicPlace } from './layout.redis.ts';
import { Link, type LinkParts } from './link.redis.ts';
import type { Topic } from './topic.redis.ts';

export interface SubscriberParts extends Omit<LinkParts, 'onUp' | 'onDown'> {
  layout: Layout;
  /** The topic of this bus's heartbeats, on a partition that the server has now. */
  beat(): TopicPlace;
  onMessage(topic: string, bytes: Buffer): void;
  onConfirmed(topic: Topic): void;
  /** After an interruption, when all topics are confirmed again. */
  onReset(reason: ResetReason, sentence: string): void;
  /** Redis has lost its memory, though the connection stands. */
  onEpoch(): void;
  /** The server may no longer have what it is thought to have. */
  onMoved(): void;
  onUp(): void;
  onDown(error: Error): void;
  onBeat(roundTripMs: number): void;
}

/**
 * The one subscriber connection to a server. It subscribes in batches to what is wanted there, and again
 * after every reconnect; its heartbeat (heartbeat.redis.ts) proves that messages still come.
 */
export class Subscriber {
  readonly #parts: SubscriberParts;
  readonly #clock: Clock;
  readonly #options: RedisBusOptions;
  readonly #link: Link;
  readonly #topics = new Set<Topic>();
  #toSend: Topic[] = [];
  #flushing = false;
  /** What is to be told when all topics are confirmed again. */
  #interruption: { reason: ResetReason; sentence: string } | null = null;
  /** A topic was refused and is not asked for again yet. */
  #pausing = false;
  #wasUp = false;
  #heartbeat: Heartbeat | null = null;
  #movedErrors = 0;
  #lastFault: Error | null = null;

  constructor(parts: SubscriberParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#options = parts.options;
    this.#link = new Link({
      ...parts,
      onUp: (connection) => this.#onUp(connection),
      onDown: (error) => this.#onDown(error),
    });
  }

  get isUp(): boolean {
    return this.#link.connection !== null;
  }
  get lastFault(): Error | null {
    return this.#lastFault;
  }

  add(topic: Topic): void {
    this.#topics.add(topic);
    this.#send(topic);
  }

  remove(topics: readonly Topic[]): void {
    for (const topic of topics) this.#topics.delete(topic);
    const connection = this.#link.connection;
    if (connection === null) return;
    for (const batch of this.#batches(topics)) {
      // What is not known as gone is dropped by `onMessage` when nobody wants it.
      connection
        .send(
          this.#parts.layout.unsubscribeCommand,
          batch.map(({ topic }) => topic),
        )
        .catch(noop);
    }
  }

  /** A gap that is to be told once everything is confirmed: slots have come here from another server. */
  interrupted(reason: ResetReason, sentence: string): void {
    this.#interruption ??= { reason, sentence };
    this.#schedule();
  }

  tick(): void {
    this.#link.tick();
    const connection = this.#link.connection;
    if (connection === null) return;
    // What came while the process was busy is read before it is judged.
    setImmediate(() => {
      if (this.#link.connection === connection) this.#heartbeat?.tick();
    });
  }

  close(error: Error): void {
    this.#link.close(error);
    this.#topics.clear();
  }

  #onUp(connection: RedisConnection): void {
    const { layout, beat, onEpoch } = this.#parts;
    this.#lastFault = null;
    connection.redis.on('moved', () => this.#onMoved(connection));
    // The first command of the connection.
    const heartbeat = new Heartbeat({
      ...this.#parts,
      connection,
      place: beat(),
      onEpoch: () => {
        // Where an interruption is to be told already that covers it.
        if (this.#interruption === null) onEpoch();
      },
      onFault: (error) => this.#link.replace(error),
    });
    this.#heartbeat = heartbeat;
    connection.redis.on(layout.messageEvent, (topic: Buffer, bytes: Buffer) => {
      if (this.#link.connection !== connection) return;
      const name = topic.toString();
      if (name === heartbeat.topic) heartbeat.hear(bytes);
      // A slice of what the socket read would keep all of that alive.
      else this.#parts.onMessage(name, Buffer.from(bytes));
    });
    this.#toSend = [...this.#topics];
    this.#pausing = false;
    this.#flush();
    this.#parts.onUp();
  }

  #onDown(error: Error): void {
    this.#lastFault = error;
    for (const topic of this.#topics) topic.phase = 'off';
    this.#toSend = [];
    if (this.#wasUp) {
      const reason = error instanceof Interruption ? error.reason : 'closed';
      this.#interruption ??= { reason, sentence: `A subscriber connection was replaced: ${error.message}` };
    }
    this.#parts.onMoved();
    this.#parts.onDown(error);
  }

  /**
   * ioredis tells of two things by this event: that a subscription was refused by MOVED, which rejects the
   * command too, and that the server has ended subscriptions since their slot went elsewhere, without saying
   * which.
   */
  #onMoved(connection: RedisConnection): void {
    const errors = this.#movedErrors;
    setImmediate(() => {
      if (this.#link.connection !== connection || this.#movedErrors !== errors) return;
      this.#link.replace(new Interruption('moved', 'Redis has given topics to another server.'));
    });
  }

  #send(topic: Topic): void {
    if (this.#link.connection === null) return;
    this.#toSend.push(topic);
    this.#schedule();
  }
  #schedule(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const connection = this.#link.connection;
    if (connection === null) return;
    const wanted = this.#toSend.filter((topic) => topic.phase === 'off' && this.#topics.has(topic));
    this.#toSend = [];
    const sent = this.#batches(wanted).map((batch) => this.#subscribe(connection, batch));
    void Promise.all(sent).then((confirmed) => {
      if (this.#link.connection !== connection || !confirmed.every(Boolean)) return;
      this.#wasUp = true;
      this.#tellInterruption();
    });
  }

  #tellInterruption(): void {
    if (this.#interruption === null || this.#toSend.length > 0 || this.#pausing) return;
    const { reason, sentence } = this.#interruption;
    this.#interruption = null;
    this.#parts.onReset(reason, sentence);
  }

  async #subscribe(connection: RedisConnection, batch: readonly Topic[]): Promise<boolean> {
    for (const topic of batch) topic.phase = 'sent';
    const names = batch.map(({ topic }) => topic);
    try {
      await connection.send(this.#parts.layout.subscribeCommand, names);
    } catch (error) {
      for (const topic of batch) {
        // One that has gone to another server meanwhile is that one's to confirm.
        if (topic.phase === 'sent' && this.#topics.has(topic)) topic.phase = 'off';
      }
      this.#refused(connection, error);
      return false;
    }
    for (const topic of batch) {
      if (topic.phase !== 'sent' || !this.#topics.has(topic)) continue;
      topic.phase = 'on';
      this.#parts.onConfirmed(topic);
    }
    return true;
  }

  /** The server does not take a topic: it is asked again after a while, or another one is found. */
  #refused(connection: RedisConnection, error: unknown): void {
    if (this.#link.connection !== connection || faultOf(error) === 'lost') return;
    this.#lastFault = error as Error;
    if (faultOf(error) === 'moved') this.#movedErrors++;
    this.#parts.onMoved();
    this.#pausing = true;
    this.#clock.after(this.#options.retryMs, () => {
      if (this.#link.connection !== connection) return;
      this.#pausing = false;
      this.#toSend.push(...this.#topics);
      this.#schedule();
    });
  }

  /** As many commands as there are slots and full batches. */
  #batches(topics: readonly Topic[]): Topic[][] {
    const max = this.#options.subscribeBatchMax;
    const open = new Map<number, Topic[]>();
    const batches: Topic[][] = [];
    for (const topic of topics) {
      let batch = open.get(topic.partition);
      if (batch === undefined || batch.length >= max) {
        batch = [];
        open.set(topic.partition, batch);
        batches.push(batch);
      }
      batch.push(topic);
    }
    return batches;
  }
}

function noop(): void {
  // The connection's end tells.
}
