import type { Logger } from 'pino';
import type { Bus, Position } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import type { HubOptions } from './hub-options.ts';
import type { LogChannel } from './log-channel.ts';

/**
 * Questions for the heads of channels, in batches: for one that opens, and in rounds over all that are in
 * use.
 */
export interface HeadsQueue {
  /** Shares a round trip with all asked for within `headsDelayMs`. */
  ask(name: string): Promise<Position>;
  /** Begins a round at once (or once the one under way has ended). */
  compareSoon(): void;
  close(): void;
}

interface Asked {
  name: string;
  resolve: (position: Position) => void;
  reject: (error: unknown) => void;
}

interface HeadsParts {
  bus: Bus;
  clock: Clock;
  options: HubOptions;
  logger: Logger;
  channels: ReadonlyMap<string, LogChannel>;
  onHead: (channel: LogChannel, head: Position) => void;
}

export function createHeads(parts: HeadsParts): HeadsQueue {
  return new Heads(parts);
}

class Heads implements HeadsQueue {
  readonly #parts: HeadsParts;
  #asked: Asked[] = [];
  #flushTimer: (() => void) | null = null;
  #roundTimer: () => void;
  #comparing = false;
  #again = false;
  #closed = false;

  constructor(parts: HeadsParts) {
    this.#parts = parts;
    this.#roundTimer = parts.clock.after(parts.options.headsEveryMs, () => this.#round());
  }

  ask(name: string): Promise<Position> {
    const { options, clock } = this.#parts;
    return new Promise((resolve, reject) => {
      this.#asked.push({ name, resolve, reject });
      if (this.#asked.length >= options.headsBatchMax) this.#flush();
      else this.#flushTimer ??= clock.after(options.headsDelayMs, () => this.#flush());
    });
  }

  compareSoon(): void {
    if (this.#comparing) {
      this.#again = true;
      return;
    }
    this.#roundTimer();
    this.#round();
  }

  close(): void {
    this.#closed = true;
    this.#flushTimer?.();
    this.#roundTimer();
    const left = this.#asked;
    this.#asked = [];
    for (const one of left) one.reject(new Error('The hub is closed.'));
  }

  #flush(): void {
    this.#flushTimer?.();
    this.#flushTimer = null;
    const batch = this.#asked;
    this.#asked = [];
    if (batch.length === 0) return;
    this.#parts.bus.heads(batch.map((one) => one.name)).then(
      (heads) => {
        for (let i = 0; i < batch.length; i++) batch[i]!.resolve(heads[i]!);
      },
      (error: unknown) => {
        for (const one of batch) one.reject(error);
      },
    );
  }

  #round(): void {
    if (this.#closed) return;
    const { clock, options } = this.#parts;
    void this.#compare().finally(() => {
      if (!this.#closed) this.#roundTimer = clock.after(options.headsEveryMs, () => this.#round());
    });
  }

  async #compare(): Promise<void> {
    const { channels, options } = this.#parts;
    this.#comparing = true;
    do {
      this.#again = false;
      const used = [...channels.values()].filter((channel) => channel.subscribers.length > 0);
      for (let i = 0; i < used.length && !this.#closed; i += options.headsBatchMax) {
        await this.#compareBatch(used.slice(i, i + options.headsBatchMax));
      }
    } while (this.#again && !this.#closed);
    this.#comparing = false;
  }

  async #compareBatch(batch: LogChannel[]): Promise<void> {
    try {
      const heads = await this.#parts.bus.heads(batch.map((channel) => channel.name));
      for (let i = 0; i < batch.length; i++) this.#parts.onHead(batch[i]!, heads[i]!);
    } catch (error) {
      this.#parts.logger.warn({ err: error }, 'heads of log channels could not be compared');
    }
  }
}
