import type { Clock } from '../../channels/clock.ts';
import { createFetcher } from './fetcher.kafka.ts';
import type { ConsumeOptions, Consumer } from './log.ts';
import { startMembership } from './membership.kafka.ts';
import type { Nodes } from './nodes.kafka.ts';
import type { Output } from './open-batch.ts';
import type { KafkaLogOptions } from './options.kafka.ts';
import type { Reader } from './reader.kafka.ts';
import { startTenure, type Tenure } from './tenure.kafka.ts';
import type { StandingTopic } from './topics.kafka.ts';
import { createTransactions, type PlacedOutput } from './transactions.kafka.ts';

export interface ConsumerParts {
  consumer: ConsumeOptions;
  topic: StandingTopic;
  /** Shared by all of the process. */
  nodes: Nodes;
  /** This consumer's own, for joins and for fetches: they wait at the brokers, and so does what is behind. */
  newNodes(): Nodes;
  reader: Reader;
  plan(output: Output): PlacedOutput;
  clock: Clock;
  options: KafkaLogOptions;
}

/** A member of a group: what the group gives it, each partition by itself. */
export function startConsumer(parts: ConsumerParts): Consumer {
  const { consumer, topic, nodes, reader, clock, options } = parts;
  const joining = parts.newNodes();
  const fetching = parts.newNodes();
  const group = options.topicPrefix + consumer.group;
  const { onError } = consumer;
  const shared = { topic, clock, options };
  const fetcher = createFetcher({ ...shared, nodes: fetching, onError });
  const tenures = new Map<number, Tenure>();
  /** By partition: when what this process had of it is given up. */
  const ended = new Map<number, Promise<void>>();
  let closing: Promise<void> | null = null;

  const membership = startMembership({
    ...shared,
    waiting: joining,
    nodes,
    group,
    onError,
    claims() {
      const all = [...tenures.values()];
      return {
        held: all.filter(({ leaving }) => !leaving).map(({ partition }) => partition),
        leaving: all.filter(({ leaving }) => leaving).map(({ partition }) => partition),
      };
    },
    onAssigned(partitions) {
      for (const tenure of tenures.values()) {
        if (!partitions.includes(tenure.partition)) tenure.leave();
      }
      if (closing !== null) return;
      for (const partition of partitions) if (!tenures.has(partition)) start(partition);
    },
    onLost() {
      for (const tenure of tenures.values()) tenure.lose();
      // Nothing of it may be claimed; what comes back begins when this has ended.
      tenures.clear();
    },
  });

  function start(partition: number): void {
    const tenure = startTenure({
      ...shared,
      partition,
      after: ended.get(partition) ?? Promise.resolve(),
      consumer,
      fetcher,
      reader,
      membership,
      transactions: (given) => createTransactions({ ...shared, nodes, group, partition, given }),
      plan: parts.plan,
    });
    tenures.set(partition, tenure);
    const served = tenure.served.catch(onError).then(() => {
      if (ended.get(partition) === served) ended.delete(partition);
      if (tenures.get(partition) !== tenure) return;
      tenures.delete(partition);
      if (closing === null) membership.rejoin();
    });
    ended.set(partition, served);
  }

  async function close(): Promise<void> {
    for (const tenure of tenures.values()) tenure.leave();
    await Promise.all(ended.values());
    await membership.leave();
    await fetcher.close();
    await Promise.all([joining.close(), fetching.close()]);
  }

  return {
    close() {
      closing ??= close();
      return closing;
    },
  };
}
