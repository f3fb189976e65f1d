import type { Redis } from 'ioredis';
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';
import { RedisConnection } from './connection.redis.ts';

export interface LinkParts {
  clock: Clock;
  random: Random;
  options: RedisBusOptions;
  /** A client that has not connected yet and does not reconnect by itself. */
  open: () => Redis;
  onUp(connection: RedisConnection): void;
  /** The connection ended, or could not be made; another one is tried. */
  onDown(error: Error): void;
}

/** Always one connection to a server, or the next attempt at it. */
export class Link {
  /** The usable one. */
  connection: RedisConnection | null = null;
  wasUp = false;
  readonly #parts: LinkParts;
  #current: RedisConnection | null = null;
  #openedAt = 0;
  #failures = 0;
  #cancelRetry: (() => void) | null = null;
  #closed = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#open();
  }

  /** To be called about every `heartbeatMs`: gives up what does not get anywhere. */
  tick(): void {
    const { clock, options } = this.#parts;
    if (this.#current === null) return;
    if (this.connection === null) {
      if (clock.now() - this.#openedAt < options.openTimeoutMs) return;
      this.replace(new Error(`No connection within ${options.openTimeoutMs} ms.`));
    } else if (this.connection.stalled(options.replyTimeoutMs)) {
      this.replace(new Error(`No answer within ${options.replyTimeoutMs} ms.`));
    }
  }

  /** Ends the connection and makes another. */
  replace(error: Error): void {
    this.#current?.end(error);
  }

  /** For good, and by us: `onDown` is not called. */
  close(error: Error): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#current?.end(error);
  }

  #open(): void {
    const { clock, open, onUp } = this.#parts;
    const connection = new RedisConnection(open(), clock, (error) => this.#onEnd(error));
    this.#current = connection;
    this.#openedAt = clock.now();
    void connection.open().then(() => {
      if (!connection.usable) return;
      this.#failures = 0;
      this.connection = connection;
      this.wasUp = true;
      onUp(connection);
    });
  }

  #onEnd(error: Error): void {
    this.#current = null;
    this.connection = null;
    if (this.#closed) return;
    const { clock, random, options, onDown } = this.#parts;
    const { reconnectMinMs, reconnectMaxMs } = options;
    const longest = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** Math.min(this.#failures++, 20));
    this.#cancelRetry = clock.after(longest / 2 + (random() * longest) / 2, () => this.#open());
    onDown(error);
  }
}
