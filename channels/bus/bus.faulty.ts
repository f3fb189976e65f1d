import { ServiceError } from '../../proto/codes.ts';
import type { Bus, History, LogMessage, Position, StoredMessage, Unsubscribe } from './bus.ts';

/**
 * A bus for tests: all in memory, deliveries at once and in order, and every fault that the contract allows
 * at the test's word: messages lost or held back, reads and questions that fail or wait, memory lost, a new
 * epoch.
 */
export class FaultyBus implements Bus {
  epoch = 'e1';
  /** Messages of log channels kept by `history`. */
  kept = 1_000;
  /** While true: */
  losing = false;
  failing = false;
  /** Calls that wait until `release`. */
  holding = false;
  readonly calls: string[] = [];
  readonly #held: (() => void)[] = [];
  readonly #logs = new Map<string, StoredMessage[]>();
  readonly #followers = new Map<string, Set<(message: StoredMessage) => void>>();
  readonly #topics = new Map<string, Set<(bytes: Uint8Array) => void>>();
  readonly #answers = new Map<string, Set<(question: Uint8Array) => Promise<Uint8Array | null>>>();
  readonly #resets = new Set<(reason: string) => void>();

  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    if (this.losing) return;
    for (const listener of [...(this.#topics.get(topic) ?? [])]) listener(bytes);
  }

  async subscribe(topic: string, onMessage: (bytes: Uint8Array) => void): Promise<Unsubscribe> {
    await this.#call(`subscribe ${topic}`);
    return added(this.#topics, topic, onMessage);
  }

  onReset(listener: (reason: string) => void): Unsubscribe {
    this.#resets.add(listener);
    return () => this.#resets.delete(listener);
  }

  async ask(subject: string, question: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    await this.#call(`ask ${subject}`);
    for (const handler of [...(this.#answers.get(subject) ?? [])]) {
      const answer = await handler(question);
      if (answer !== null) return answer;
    }
    throw new ServiceError(`Nobody answered ${subject} within ${deadlineMs} ms.`, true);
  }

  async answer(
    subject: string,
    handler: (question: Uint8Array) => Promise<Uint8Array | null>,
  ): Promise<Unsubscribe> {
    return added(this.#answers, subject, handler);
  }

  async append(channel: string, message: LogMessage): Promise<Position> {
    const log = this.#log(channel);
    const last = log[log.length - 1];
    const position = (last?.position ?? 0) + 1;
    const stored = { ...message, epoch: this.epoch, position };
    log.push(stored);
    if (log.length > this.kept) log.splice(0, log.length - this.kept);
    if (!this.losing) this.deliver(channel, stored);
    return { epoch: this.epoch, position };
  }

  async follow(channel: string, onMessage: (message: StoredMessage) => void): Promise<Unsubscribe> {
    await this.#call(`follow ${channel}`);
    const unfollow = added(this.#followers, channel, onMessage);
    return () => {
      this.calls.push(`unfollow ${channel}`);
      unfollow();
    };
  }

  async history(channel: string, since: number, limit: number): Promise<History> {
    await this.#call(`history ${channel} ${since}`);
    const log = this.#log(channel);
    const head = log[log.length - 1]?.position ?? 0;
    return {
      epoch: this.epoch,
      head,
      first: log[0]?.position ?? head + 1,
      messages: log.filter((message) => message.position > since).slice(0, limit),
    };
  }

  async heads(channels: readonly string[]): Promise<Position[]> {
    await this.#call(`heads ${channels.length}`);
    return channels.map((channel) => {
      const log = this.#log(channel);
      return { epoch: this.epoch, position: log[log.length - 1]?.position ?? 0 };
    });
  }

  async close(): Promise<void> {
    this.#topics.clear();
    this.#followers.clear();
  }

  /** To those who follow, whatever the log holds. */
  deliver(channel: string, message: StoredMessage): void {
    for (const listener of [...(this.#followers.get(channel) ?? [])]) listener(message);
  }

  /** Everything kept is lost; what comes is of another epoch. */
  loseMemory(): void {
    this.#logs.clear();
    this.epoch = `${this.epoch}+`;
  }

  reset(reason: string): void {
    for (const listener of [...this.#resets]) listener(reason);
  }

  /** Lets the calls held go on. */
  release(): void {
    this.holding = false;
    for (const go of this.#held.splice(0)) go();
  }

  listeners(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0;
  }

  async #call(what: string): Promise<void> {
    this.calls.push(what);
    if (this.holding) await new Promise<void>((resolve) => this.#held.push(resolve));
    if (this.failing) throw new ServiceError('The bus is away.', true);
  }

  #log(channel: string): StoredMessage[] {
    let log = this.#logs.get(channel);
    if (log === undefined) {
      log = [];
      this.#logs.set(channel, log);
    }
    return log;
  }
}

function added<T>(sets: Map<string, Set<T>>, key: string, item: T): Unsubscribe {
  let set = sets.get(key);
  if (set === undefined) {
    set = new Set();
    sets.set(key, set);
  }
  set.add(item);
  return () => {
    set.delete(item);
  };
}
