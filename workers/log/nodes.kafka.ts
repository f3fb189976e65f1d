import type { Clock } from '../../channels/clock.ts';
import { connectionFault } from '../../channels/dependency/connection-fault.ts';
import type { Dependency } from '../../channels/dependency/dependency.ts';
import { ServiceError } from '../../proto/codes.ts';
import {
  distrust,
  faultType,
  isFinal,
  isTimeout,
  type KafkaBroker,
  type KafkaCluster,
} from './wire.kafka.ts';

/**
 * The brokers by what they are for: a partition's leader, a group's or a transaction's coordinator. Each step
 * is tried again with growing waits, at whichever broker it is by then.
 */
export interface Nodes {
  /** Leaders as known; refreshes what is known when `topic` has a partition without one. */
  leaders(topic: string): Promise<ReadonlyMap<number, number>>;
  broker(nodeId: number): Promise<KafkaBroker>;
  /** To be called after a fault, before the next look. */
  refresh(): Promise<void>;
  atLeader<T>(topic: string, partition: number, tries: Tries, step: Step<T>): Promise<T>;
  atCoordinator<T>(kind: 'group' | 'transaction', id: string, tries: Tries, step: Step<T>): Promise<T>;
  atAny<T>(tries: Tries, step: Step<T>): Promise<T>;
  /** Asks who is there; the dependency is told. Never rejects. */
  check(): Promise<void>;
  close(): Promise<void>;
}
type Step<T> = (broker: KafkaBroker) => Promise<T>;

export interface Tries {
  /** ms since the epoch: no try begins after it. */
  until: number;
  /** Faults that are an answer for the caller, thrown as they are. */
  stopAt?(error: unknown): boolean;
  /** No more tries once it says so. */
  given?(): boolean;
}

export interface NodesParts {
  cluster: KafkaCluster;
  /** As Kafka has them, with the prefix. */
  topics: readonly string[];
  clock: Clock;
  dependency?: Dependency | undefined;
  retryFirstMs: number;
  retryLongestMs: number;
  checkTimeoutMs: number;
}

/** Without a second try: every fault is the caller's. */
export const once: Tries = { until: 0, stopAt: () => true };

export function createNodes(parts: NodesParts): Nodes {
  const { cluster, topics, clock, dependency } = parts;
  const coordinators = new Map<string, KafkaBroker>();
  let ready = false;
  let closed = false;
  /** Steps in a row that found nobody. One is no news: a leader has moved, a connection was idle too long. */
  let losses = 0;

  /** Connected, with the topics' leaders known. */
  async function prepare(): Promise<void> {
    if (closed) throw new ServiceError('The log is closed.', false);
    if (!ready) {
      await cluster.connect();
      await cluster.addMultipleTargetTopics(topics);
      ready = true;
    }
    await cluster.refreshMetadataIfNecessary();
  }

  async function refresh(): Promise<void> {
    coordinators.clear();
    if (ready && !closed) await cluster.refreshMetadata();
  }

  async function leaders(topic: string): Promise<ReadonlyMap<number, number>> {
    await prepare();
    let found = leadersOf(topic);
    if ([...found.values()].some((leader) => leader < 0) || found.size === 0) {
      await refresh();
      found = leadersOf(topic);
    }
    return found;
  }

  function leadersOf(topic: string): Map<number, number> {
    return new Map(
      cluster.findTopicPartitionMetadata(topic).map(({ partitionId, leader }) => [partitionId, leader]),
    );
  }

  async function leaderOf(topic: string, partition: number): Promise<KafkaBroker> {
    const leader = (await leaders(topic)).get(partition);
    if (leader === undefined || leader < 0) {
      throw new ServiceError(`kafka: partition ${partition} of ${topic} has no leader.`, true);
    }
    return cluster.findBroker({ nodeId: String(leader) });
  }

  async function coordinatorOf(kind: 'group' | 'transaction', id: string): Promise<KafkaBroker> {
    await prepare();
    const key = `${kind} ${id}`;
    const known = coordinators.get(key);
    if (known !== undefined) return cluster.findBroker({ nodeId: String(known.nodeId) });
    const coordinatorType = kind === 'group' ? 0 : 1;
    const found = await cluster.findGroupCoordinator({ groupId: id, coordinatorType });
    coordinators.set(key, found);
    return found;
  }

  async function anyBroker(): Promise<KafkaBroker> {
    await prepare();
    return cluster.findControllerBroker();
  }

  async function persist<T>(tries: Tries, find: () => Promise<KafkaBroker>, step: Step<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      let broker: KafkaBroker | null = null;
      try {
        broker = await find();
        const answer = await step(broker);
        losses = 0;
        dependency?.connected();
        return answer;
      } catch (error) {
        note(error);
        if (broker !== null && isTimeout(error)) distrust(broker);
        if (tries.stopAt?.(error) === true) throw error;
        if (isFinal(error)) throw new ServiceError(connectionFault('kafka', error), false, error);
        const waitMs = backoffMs(failures, parts.retryFirstMs, parts.retryLongestMs);
        const late = closed || tries.given?.() === true || clock.now() + waitMs > tries.until;
        if (late) throw new ServiceError(connectionFault('kafka', error), true, error);
        await sleep(clock, waitMs);
        await refresh().catch(() => undefined);
      }
    }
  }

  function note(error: unknown): void {
    if (faultType(error) !== '' || closed) return;
    losses++;
    if (losses > 1) dependency?.lost(error);
  }

  return {
    leaders,
    async broker(nodeId) {
      await prepare();
      return cluster.findBroker({ nodeId: String(nodeId) });
    },
    refresh,
    atLeader: (topic, partition, tries, step) => persist(tries, () => leaderOf(topic, partition), step),
    atCoordinator: (kind, id, tries, step) => persist(tries, () => coordinatorOf(kind, id), step),
    atAny: (tries, step) => persist(tries, anyBroker, step),
    async check() {
      // A second time at once: the first may have met the one broker of many that is away.
      for (let tries = 0; tries < 2; tries++) {
        const asked = persist(once, anyBroker, () => cluster.refreshMetadata()).then(
          () => true,
          () => false,
        );
        const answered = await Promise.race([asked, sleep(clock, parts.checkTimeoutMs)]);
        if (answered === true || closed) return;
        if (answered === undefined) note(new Error('no answer in time: ETIMEDOUT'));
      }
    },
    async close() {
      closed = true;
      await cluster.disconnect();
    },
  };
}

/** Doubles from the first wait to the longest. */
export function backoffMs(failures: number, firstMs: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 20));
}

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
