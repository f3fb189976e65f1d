import { ServiceError } from '../../proto/codes.ts';
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';
import { closedError, type ResetReason } from './faults.redis.ts';
import type { Layout, TopicPlace } from './layout.redis.ts';
import { Subscriber } from './subscriber.redis.ts';
import { Topic } from './topic.redis.ts';
import type { Topology } from './topology.redis.ts';

export interface SubscriptionsParts {
  clock: Clock;
  random: Random;
  options: RedisBusOptions;
  layout: Layout;
  topology: Topology;
  /** Name of this bus among all. */
  busId: string;
  onMessage(topic: string, bytes: Buffer): void;
  onReset(reason: ResetReason, sentence: string): void;
  onBeat(roundTripMs: number): void;
  /** A connection has come, or all that are needed are there. */
  onUp(): void;
  onDown(error: Error): void;
}

/** Topics by the server they leave. */
type Homes = Map<string, Topic[]>;
const noHomes: Homes = new Map();

/**
 * What the process listens to, each topic once however many listen, on one connection to each server. Also to
 * one that has nothing of it: by the heartbeats there a process that only appends hears of lost memory.
 */
export class Subscriptions {
  readonly #parts: SubscriptionsParts;
  readonly #wanted = new Map<string, Topic>();
  readonly #subscribers = new Map<string, Subscriber>();
  /** The last one known, by partition. */
  readonly #ownerBefore: string[] = [];
  /** Not wanted any more; who comes back in time stays subscribed. */
  #leaving = new Set<Topic>();
  #cancelLeave: (() => void) | null = null;
  /** Those with somebody who waits for the confirmation. */
  readonly #unconfirmed = new Set<Topic>();
  #closed = false;

  constructor(parts: SubscriptionsParts) {
    this.#parts = parts;
    parts.topology.onChange(() => this.#follow());
    this.#follow();
  }

  get topics(): number {
    return this.#wanted.size;
  }
  get connections(): number {
    return this.#subscribers.size;
  }
  /** To every server that has partitions. */
  get isUp(): boolean {
    return this.#subscribers.size > 0 && [...this.#subscribers.values()].every(({ isUp }) => isUp);
  }

  /** Resolves when Redis has confirmed; then it is to be undone by one `leave`. */
  join(place: TopicPlace): Promise<void> {
    let topic = this.#wanted.get(place.topic);
    if (topic === undefined) {
      if (this.#wanted.size >= this.#parts.options.topicsMax) {
        return Promise.reject(new ServiceError(`${this.#wanted.size} topics are listened to already.`, true));
      }
      topic = new Topic(place);
      this.#wanted.set(topic.topic, topic);
      this.#settle(topic, noHomes);
    }
    topic.count++;
    this.#leaving.delete(topic);
    return topic.phase === 'on' ? Promise.resolve() : this.#confirmed(topic);
  }

  leave(place: TopicPlace): void {
    const topic = this.#wanted.get(place.topic);
    if (topic === undefined || --topic.count > 0) return;
    this.#leaving.add(topic);
    const { clock, options } = this.#parts;
    this.#cancelLeave ??= clock.after(options.unsubscribeDelayMs, () => this.#letGo());
  }

  tick(): void {
    for (const subscriber of this.#subscribers.values()) subscriber.tick();
    const now = this.#parts.clock.now();
    for (const topic of this.#unconfirmed) {
      const waiting = topic.waiting ?? [];
      // In the order they came, so in that of their deadlines.
      while (waiting.length > 0 && waiting[0]!.deadlineAt <= now) {
        const { reject } = waiting.shift()!;
        this.leave(topic);
        reject(new ServiceError(`Redis cannot be reached: ${this.#fault(topic)}`, true));
      }
      if (waiting.length === 0) this.#settled(topic);
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancelLeave?.();
    for (const subscriber of this.#subscribers.values()) subscriber.close(closedError());
    this.#subscribers.clear();
    for (const { waiting } of this.#unconfirmed) {
      for (const one of waiting ?? []) one.reject(closedError());
    }
    this.#unconfirmed.clear();
    this.#wanted.clear();
  }

  #confirmed(topic: Topic): Promise<void> {
    const deadlineAt = this.#parts.clock.now() + this.#parts.options.callTimeoutMs;
    this.#unconfirmed.add(topic);
    return new Promise((resolve, reject) => {
      topic.waiting ??= [];
      topic.waiting.push({ deadlineAt, resolve, reject });
    });
  }

  #onConfirmed(topic: Topic): void {
    for (const one of topic.waiting ?? []) one.resolve();
    this.#settled(topic);
  }

  #settled(topic: Topic): void {
    topic.waiting = null;
    this.#unconfirmed.delete(topic);
  }

  #letGo(): void {
    this.#cancelLeave = null;
    const gone = [...this.#leaving].filter(({ count }) => count === 0);
    this.#leaving = new Set();
    const left: Homes = new Map();
    for (const topic of gone) {
      this.#wanted.delete(topic.topic);
      addTo(left, topic);
    }
    this.#remove(left);
  }

  /** To the server that has it now; from `left` it is to be taken. */
  #settle(topic: Topic, left: Homes): void {
    const key = this.#parts.topology.ownerOf(topic.partition);
    if (topic.home === key) return;
    addTo(left, topic);
    topic.phase = 'off';
    topic.home = key;
    if (key === null) {
      this.#parts.topology.refresh();
      return;
    }
    this.#subscriber(key).add(topic);
  }

  #follow(): void {
    if (this.#closed) return;
    const left: Homes = new Map();
    for (const topic of this.#wanted.values()) this.#settle(topic, left);
    this.#remove(left);
    const { topology, layout } = this.#parts;
    const owners = topology.owners();
    for (const key of owners) this.#subscriber(key);
    for (let partition = 0; partition < layout.partitions; partition++) {
      const key = topology.ownerOf(partition);
      if (key === null) continue;
      const before = this.#ownerBefore[partition];
      this.#ownerBefore[partition] = key;
      // Also where nothing is listened to there: the channels' epochs are others.
      if (before === undefined || before === key) continue;
      this.#subscriber(key).interrupted('moved', `Slots of ${before} are on ${key} now.`);
    }
    for (const [key, subscriber] of this.#subscribers) {
      if (owners.has(key)) continue;
      this.#subscribers.delete(key);
      subscriber.close(new Error('The server no longer has any slot.'));
    }
    // Also where the only one that was away has no slots any more.
    if (this.isUp) this.#parts.onUp();
  }

  #remove(left: Homes): void {
    for (const [home, topics] of left) this.#subscribers.get(home)?.remove(topics);
  }

  #subscriber(key: string): Subscriber {
    let subscriber = this.#subscribers.get(key);
    if (subscriber === undefined) {
      const parts = this.#parts;
      subscriber = new Subscriber({
        ...parts,
        open: () => parts.topology.open(key),
        beat: () => parts.layout.topic(`beat:${parts.busId}`, this.#firstPartition(key)),
        onConfirmed: (topic) => this.#onConfirmed(topic),
        onMoved: () => parts.topology.refresh(),
        onEpoch: () => parts.onReset('epoch', 'Redis has lost its memory: channels go on in another epoch.'),
      });
      this.#subscribers.set(key, subscriber);
    }
    return subscriber;
  }

  #firstPartition(key: string): number {
    const { layout, topology } = this.#parts;
    for (let partition = 0; partition < layout.partitions; partition++) {
      if (topology.ownerOf(partition) === key) return partition;
    }
    return 0;
  }

  #fault({ home }: Topic): string {
    const subscriber = home === null ? undefined : this.#subscribers.get(home);
    return subscriber?.lastFault?.message ?? 'it has not confirmed a subscription';
  }
}

function addTo(homes: Homes, topic: Topic): void {
  if (topic.home === null) return;
  const topics = homes.get(topic.home);
  if (topics === undefined) homes.set(topic.home, [topic]);
  else topics.push(topic);
}
