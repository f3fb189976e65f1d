import type { Clock } from '../clock.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';
import type { RedisConnection } from './connection.redis.ts';
import { faultOf } from './faults.redis.ts';
import type { Layout, TopicPlace } from './layout.redis.ts';
import { Link, type LinkParts } from './link.redis.ts';
import { beatScript } from './scripts.redis.ts';

/** Why messages may have been missed. */
export type ResetReason = 'closed' | 'silent' | 'deaf' | 'moved' | 'epoch';

/** A topic that is wanted, on the subscriber connection of its server. */
export class Topic implements TopicPlace {
  readonly topic: string;
  readonly partition: number;
  /** 'sent': Redis has been asked and has not confirmed yet. */
  phase: 'off' | 'sent' | 'on' = 'off';
  /** It has been heard before: an interruption matters. */
  wasOn = false;
  constructor({ topic, partition }: TopicPlace) {
    this.topic = topic;
    this.partition = partition;
  }
}

export interface SubscriberParts extends Omit<LinkParts, 'onUp' | 'onDown'> {
  layout: Layout;
  /** The topic of this bus's heartbeats, on a partition that the server has now. */
  beat(): TopicPlace;
  onMessage(topic: string, bytes: Buffer): void;
  onConfirmed(topic: Topic): void;
  /** After an interruption, when all topics are confirmed again. */
  onReset(reason: ResetReason, sentence: string): void;
  /** The server may no longer have what it is thought to have. */
  onMoved(): void;
  onUp(): void;
  onDown(error: Error): void;
  onBeat(roundTripMs: number): void;
}

class SilenceError extends Error {
  readonly reason: ResetReason;
  constructor(reason: ResetReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * The one subscriber connection to a server. It subscribes in batches to what is wanted there, again after
 * every reconnect, and proves itself: every `heartbeatMs` it runs, on this very connection, a script that
 * publishes to a topic of its own. No answer: the connection is dead though it looks open. An answer but no
 * message: Redis has forgotten the subscription. Another epoch: Redis has lost its memory.
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
  #wasUp = false;
  #epoch = '';
  #beat: TopicPlace = { topic: '', partition: 0 };
  #beats = 0;
  #answered = 0;
  #heard = 0;
  #beatAt = 0;
  #answerAt = 0;
  #bytes = 0;
  #bytesAt = 0;
  #clusterEpoch = '';
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

  /** A gap that is to be told once everything is confirmed: topics have come here from another server. */
  interrupted(reason: ResetReason, sentence: string): void {
    this.#interruption ??= { reason, sentence };
    this.#schedule();
  }

  tick(): void {
    this.#link.tick();
    const connection = this.#link.connection;
    if (connection === null) return;
    // Answers that came while the process was busy are read before it is judged.
    setImmediate(() => {
      if (this.#link.connection !== connection) return;
      const silence = this.#silence(connection);
      if (silence !== null) this.#link.replace(silence);
      else this.#sendBeat(connection);
    });
  }

  replace(reason: ResetReason, sentence: string): void {
    this.#link.replace(new SilenceError(reason, sentence));
  }

  close(error: Error): void {
    this.#link.close(error);
    this.#topics.clear();
  }

  #onUp(connection: RedisConnection): void {
    const { layout } = this.#parts;
    const beat = this.#parts.beat();
    this.#beat = beat;
    this.#epoch = '';
    this.#lastFault = null;
    connection.redis.on(layout.messageEvent, (topic: Buffer, bytes: Buffer) => {
      if (this.#link.connection !== connection) return;
      const name = topic.toString();
      if (name === beat.topic) this.#heard = Number(bytes);
      // A slice of what the socket read would keep all of that alive.
      else this.#parts.onMessage(name, Buffer.from(bytes));
    });
    connection.redis.on('moved', () => this.#onMoved(connection));
    const now = this.#clock.now();
    this.#answered = this.#heard = this.#beats;
    this.#beatAt = this.#answerAt = this.#bytesAt = now;
    this.#bytes = connection.bytesRead;
    this.#toSend = [...this.#topics];
    // The first command of the connection: it is heard before the first beat is.
    connection.send(layout.subscribeCommand, [beat.topic]).catch((error) => this.#refused(connection, error));
    this.#sendBeat(connection);
    this.#flush();
    this.#parts.onUp();
  }

  #onDown(error: Error): void {
    this.#lastFault = error;
    for (const topic of this.#topics) topic.phase = 'off';
    this.#toSend = [];
    if (this.#wasUp) {
      const reason = error instanceof SilenceError ? error.reason : 'closed';
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
      this.replace('moved', 'Redis has given topics to another server.');
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
    if (this.#interruption === null || this.#toSend.length > 0) return;
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
      for (const topic of batch) if (topic.phase === 'sent') topic.phase = 'off';
      this.#refused(connection, error);
      return false;
    }
    for (const topic of batch) {
      if (topic.phase !== 'sent' || !this.#topics.has(topic)) continue;
      topic.phase = 'on';
      topic.wasOn = true;
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
    this.#clock.after(this.#options.retryMs, () => {
      if (this.#link.connection !== connection) return;
      this.#toSend.push(...this.#topics);
      this.#schedule();
    });
  }

  #sendBeat(connection: RedisConnection): void {
    if (this.#beats > this.#answered) return;
    const { layout } = this.#parts;
    const beat = this.#beat;
    const no = ++this.#beats;
    const sentAt = this.#clock.now();
    this.#beatAt = sentAt;
    const keys = [beatScript.sha, 2, layout.epochKey(beat.partition), beat.topic];
    connection.send('evalsha', [...keys, connection.runId, layout.publishCommand, no]).then(
      (epoch) => {
        if (this.#link.connection !== connection) return;
        this.#answered = no;
        this.#answerAt = this.#clock.now();
        this.#parts.onBeat(this.#answerAt - sentAt);
        this.#onEpoch(String(epoch));
        if (layout.partitions > 1) void this.#askCluster(connection);
      },
      (error: unknown) => {
        if (faultOf(error) !== 'lost') this.#link.replace(beatRefused(error as Error));
      },
    );
  }

  /** Whether slots have gone elsewhere: also where nobody is told so by an error. */
  async #askCluster(connection: RedisConnection): Promise<void> {
    try {
      const info = String(await connection.send('cluster', ['INFO']));
      const epoch = /cluster_current_epoch:(\d+)/.exec(info)?.[1] ?? '';
      if (this.#clusterEpoch !== '' && epoch !== this.#clusterEpoch) this.#parts.onMoved();
      this.#clusterEpoch = epoch;
    } catch {
      // Not allowed, or the connection ended, which is told elsewhere.
    }
  }

  #onEpoch(epoch: string): void {
    const before = this.#epoch;
    this.#epoch = epoch;
    if (before === '' || before === epoch || this.#interruption !== null) return;
    this.#parts.onReset('epoch', 'Redis has lost its memory: channels go on in a new epoch.');
  }

  /** What shows that the connection is no good; null: nothing. */
  #silence(connection: RedisConnection): SilenceError | null {
    const { heartbeatTimeoutMs, heartbeatLateMs } = this.#options;
    const now = this.#clock.now();
    if (connection.bytesRead !== this.#bytes) {
      this.#bytes = connection.bytesRead;
      this.#bytesAt = now;
    }
    if (this.#beats === this.#answered) {
      // Its message may come just behind the answer; not later.
      if (this.#heard === this.#beats || now - this.#answerAt < this.#options.heartbeatMs / 2) return null;
      return new SilenceError('deaf', 'A heartbeat was published and did not come back.');
    }
    const silentMs = now - Math.max(this.#bytesAt, this.#beatAt);
    if (silentMs < heartbeatTimeoutMs && now - this.#beatAt < heartbeatLateMs) return null;
    return new SilenceError('silent', `No answer to a heartbeat for ${now - this.#beatAt} ms.`);
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

function beatRefused(error: Error): SilenceError {
  return new SilenceError(
    faultOf(error) === 'moved' ? 'moved' : 'closed',
    `A heartbeat was refused: ${error.message}`,
  );
}
function noop(): void {
  // The connection's end tells.
}
