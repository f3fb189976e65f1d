import type { Redis } from 'ioredis';
import { ServiceError } from '../../proto/codes.ts';
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';
import type { RedisConnection } from './connection.redis.ts';
import { closedError, faultOf, serviceError } from './faults.redis.ts';
import type { Layout } from './layout.redis.ts';
import { Link } from './link.redis.ts';
import { allScripts } from './scripts.redis.ts';
import type { Topology } from './topology.redis.ts';

export interface ShardsParts {
  clock: Clock;
  random: Random;
  options: RedisBusOptions;
  layout: Layout;
  topology: Topology;
  /** A connection has come, or all that are needed are there. */
  onUp(): void;
  onDown(error: Error): void;
}

interface Waiting {
  readonly partition: number;
  readonly deadlineAt: number;
  resolve(connection: RedisConnection): void;
  reject(error: ServiceError): void;
}

/**
 * The command connections: one to each server that has partitions. It follows the topology, and holds those
 * who need a server that is away until it is back or their time is up.
 */
export class Shards {
  readonly #parts: ShardsParts;
  readonly #links = new Map<string, Link>();
  #waiting: Waiting[] = [];
  #lastFault: Error | null = null;
  #closed = false;

  constructor(parts: ShardsParts) {
    this.#parts = parts;
    parts.topology.onChange(() => this.#follow());
    this.#follow();
  }

  get size(): number {
    return this.#links.size;
  }
  /** To every server that has partitions. */
  get isUp(): boolean {
    return this.#links.size > 0 && [...this.#links.values()].every(({ connection }) => connection !== null);
  }

  /** A usable connection to the partition's server; null: not now. */
  connection(partition: number): RedisConnection | null {
    const key = this.#parts.topology.ownerOf(partition);
    return key === null ? null : (this.#links.get(key)?.connection ?? null);
  }

  /** Whether there ever was one. */
  wasUp(partition: number): boolean {
    const key = this.#parts.topology.ownerOf(partition);
    return key !== null && this.#links.get(key)?.wasUp === true;
  }

  /** Waits for it until `deadlineAt`, then rejects with a retryable `ServiceError`. */
  whenUp(partition: number, deadlineAt: number): Promise<RedisConnection> {
    if (this.#closed) return Promise.reject(closedError());
    const connection = this.connection(partition);
    if (connection !== null) return Promise.resolve(connection);
    if (this.#waiting.length >= this.#parts.options.readsMax) {
      return Promise.reject(
        new ServiceError(`${this.#waiting.length} calls wait for Redis; try again.`, true),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ partition, deadlineAt, resolve, reject });
    });
  }

  /** Runs a script that may be repeated, through reconnects, for at most `callTimeoutMs`. */
  async script(
    partition: number,
    args: (connection: RedisConnection) => (string | number)[],
  ): Promise<unknown[]> {
    const { clock, options } = this.#parts;
    const deadlineAt = clock.now() + options.callTimeoutMs;
    for (;;) {
      const connection = await this.whenUp(partition, deadlineAt);
      try {
        return (await connection.send('evalsha', args(connection))) as unknown[];
      } catch (error) {
        if (this.#closed) throw closedError();
        const again = this.after(error, connection);
        if (!again || clock.now() + options.retryMs >= deadlineAt) throw serviceError('Redis', error);
      }
      await new Promise<void>((resolve) => clock.after(options.retryMs, resolve));
    }
  }

  /** Does what an error of a command calls for; answers whether the same may be tried again soon. */
  after(error: unknown, connection: RedisConnection): boolean {
    switch (faultOf(error)) {
      case 'lost':
      case 'busy':
        return true;
      case 'moved':
        this.#parts.topology.refresh();
        // A connection to a replica finds the new master only by being made anew.
        if ((error as Error).message.startsWith('READONLY')) connection.end(error as Error);
        return true;
      case 'unscripted':
        for (const { text } of allScripts) connection.send('script', ['LOAD', text]).catch(() => undefined);
        return true;
      case 'full':
      case 'final':
        return false;
    }
  }

  /** Why there is no connection. */
  fault(): string {
    return this.#lastFault?.message ?? 'not connected yet';
  }

  tick(): void {
    for (const link of this.#links.values()) {
      link.tick();
      // So that a connection that is dead is found before it is needed.
      link.connection?.send('ping', []).catch(() => undefined);
    }
    if (this.#waiting.length === 0) return;
    const now = this.#parts.clock.now();
    const left: Waiting[] = [];
    for (const waiting of this.#waiting) {
      if (waiting.deadlineAt > now) left.push(waiting);
      else waiting.reject(new ServiceError(`Redis cannot be reached: ${this.fault()}`, true));
    }
    this.#waiting = left;
  }

  close(): void {
    this.#closed = true;
    this.#parts.topology.close();
    for (const link of this.#links.values()) link.close(closedError());
    this.#links.clear();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closedError());
  }

  #follow(): void {
    if (this.#closed) return;
    const { topology } = this.#parts;
    const owners = topology.owners();
    for (const [key, link] of this.#links) {
      if (owners.has(key)) continue;
      this.#links.delete(key);
      link.close(new Error('The server no longer has any slot.'));
    }
    for (const key of owners) {
      if (!this.#links.has(key))
        this.#links.set(
          key,
          this.#link(() => topology.open(key)),
        );
    }
    this.#wake();
    // Also where the only one that was away has no slots any more.
    if (this.isUp) this.#parts.onUp();
  }

  #link(open: () => Redis): Link {
    return new Link({
      ...this.#parts,
      open,
      onUp: () => {
        this.#wake();
        this.#parts.onUp();
      },
      onDown: (error) => {
        this.#lastFault = error;
        this.#parts.topology.refresh();
        this.#parts.onDown(error);
      },
    });
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const left: Waiting[] = [];
    for (const waiting of this.#waiting) {
      const connection = this.connection(waiting.partition);
      if (connection === null) left.push(waiting);
      else waiting.resolve(connection);
    }
    this.#waiting = left;
  }
}
