import type { Clock } from '../clock.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';
import type { RedisConnection } from './connection.redis.ts';
import { faultOf, Interruption } from './faults.redis.ts';
import type { Layout, TopicPlace } from './layout.redis.ts';
import { allScripts, beatScript } from './scripts.redis.ts';

export interface HeartbeatParts {
  clock: Clock;
  options: RedisBusOptions;
  layout: Layout;
  connection: RedisConnection;
  /** A topic of this bus alone, on a partition that the server has. */
  place: TopicPlace;
  onBeat(roundTripMs: number): void;
  /** The server has another epoch than before, on the same connection. */
  onEpoch(): void;
  /** Slots may have gone elsewhere. */
  onMoved(): void;
  /** The connection is no good. */
  onFault(error: Interruption): void;
}

/**
 * The proof that one subscriber connection still brings messages. Every `heartbeatMs` it runs, on that very
 * connection, a script that publishes to a topic of its own, and sees to the epoch. No answer: the
 * connection is dead though it looks open. An answer but no message: Redis has forgotten the subscription.
 * Another epoch: Redis has lost its memory. A refusal because the server cannot work now is an answer:
 * nothing is published then by anyone, so nothing is missed.
 */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  /** Numbers of the beat sent last, answered last, heard last. */
  #sent = 0;
  #answered = 0;
  #heard = 0;
  #sentAt = 0;
  #answeredAt = 0;
  #bytes = 0;
  #bytesAt = 0;
  #epoch = '';
  #clusterEpoch = '';
  #isSubscribed = false;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#bytesAt = parts.clock.now();
    this.#subscribe();
  }

  get topic(): string {
    return this.#parts.place.topic;
  }

  hear(bytes: Buffer): void {
    this.#heard = Number(bytes);
  }

  /** To be called every `heartbeatMs`, after what has arrived was read: judges, and sends the next beat. */
  tick(): void {
    if (!this.#isSubscribed) return;
    const fault = this.#fault();
    if (fault !== null) this.#parts.onFault(fault);
    else if (this.#sent === this.#answered) this.#send();
  }

  #subscribe(): void {
    const { connection, layout, clock, options, onMoved } = this.#parts;
    connection.send(layout.subscribeCommand, [this.topic]).then(
      () => {
        this.#isSubscribed = true;
        this.#send();
      },
      (error: unknown) => {
        if (!connection.usable) return;
        if (faultOf(error) === 'moved') onMoved();
        clock.after(options.retryMs, () => this.#subscribe());
      },
    );
  }

  #send(): void {
    const { connection, layout, place, clock } = this.#parts;
    const no = ++this.#sent;
    this.#sentAt = clock.now();
    const keys = [beatScript.sha, 2, layout.epochKey(place.partition), place.topic];
    connection.send('evalsha', [...keys, connection.runId, layout.publishCommand, no]).then(
      (epoch) => this.#onAnswer(no, String(epoch)),
      (error: unknown) => this.#onRefusal(no, error as Error),
    );
  }

  #onAnswer(no: number, epoch: string): void {
    const { connection, clock, layout, onBeat, onEpoch } = this.#parts;
    if (!connection.usable) return;
    this.#answered = no;
    this.#answeredAt = clock.now();
    onBeat(this.#answeredAt - this.#sentAt);
    const before = this.#epoch;
    this.#epoch = epoch;
    if (before !== '' && before !== epoch) onEpoch();
    if (layout.partitions > 1) void this.#askCluster();
  }

  #onRefusal(no: number, error: Error): void {
    const { connection, clock, onMoved, onFault } = this.#parts;
    if (!connection.usable) return;
    const fault = faultOf(error);
    if (fault === 'moved') {
      onFault(new Interruption('moved', `A heartbeat was refused: ${error.message}`));
      return;
    }
    if (fault === 'unscripted') {
      for (const { text } of allScripts) connection.send('script', ['LOAD', text]).catch(() => undefined);
    }
    this.#answered = this.#heard = no;
    this.#answeredAt = clock.now();
    onMoved();
  }

  /** Whether slots have gone elsewhere: also where nobody is told so by an error. */
  async #askCluster(): Promise<void> {
    try {
      const info = String(await this.#parts.connection.send('cluster', ['INFO']));
      const epoch = /cluster_current_epoch:(\d+)/.exec(info)?.[1] ?? '';
      if (this.#clusterEpoch !== '' && epoch !== this.#clusterEpoch) this.#parts.onMoved();
      this.#clusterEpoch = epoch;
    } catch {
      // Not allowed, or the connection ended, which is told elsewhere.
    }
  }

  /** What shows that the connection is no good; null: nothing. */
  #fault(): Interruption | null {
    const { connection, clock } = this.#parts;
    const { heartbeatMs, heartbeatTimeoutMs, heartbeatLateMs } = this.#parts.options;
    const now = clock.now();
    if (connection.bytesRead !== this.#bytes) {
      this.#bytes = connection.bytesRead;
      this.#bytesAt = now;
    }
    if (this.#sent === this.#answered) {
      // Its message may come just behind the answer; not later.
      if (this.#heard === this.#sent || now - this.#answeredAt < heartbeatMs / 2) return null;
      return new Interruption('deaf', 'A heartbeat was published and did not come back.');
    }
    const waitedMs = now - this.#sentAt;
    const silentMs = now - Math.max(this.#bytesAt, this.#sentAt);
    if (silentMs < heartbeatTimeoutMs && waitedMs < heartbeatLateMs) return null;
    return new Interruption('silent', `No answer to a heartbeat for ${waitedMs} ms.`);
  }
}
