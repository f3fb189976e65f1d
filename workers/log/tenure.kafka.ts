import type { Clock } from '../../channels/clock.ts';
import { ServiceError } from '../../proto/codes.ts';
import type { Fetcher } from './fetcher.kafka.ts';
import type { ConsumeOptions, LogRecord } from './log.ts';
import type { Membership } from './membership.kafka.ts';
import { backoffMs } from './nodes.kafka.ts';
import { OpenBatch, type Output } from './open-batch.ts';
import type { KafkaLogOptions } from './options.kafka.ts';
import type { Reader } from './reader.kafka.ts';
import type { StandingTopic } from './topics.kafka.ts';
import type { PlacedOutput, Transactions } from './transactions.kafka.ts';

/** A partition's time with one member: from assign, batch after batch, to revoke. */
export interface Tenure {
  readonly partition: number;
  /** To be given up after the batch under way. */
  readonly leaving: boolean;
  /** Resolves when it is given up. */
  readonly served: Promise<void>;
  leave(): void;
  /** It may be with another member already: as `leave`, and nothing can be committed any more. */
  lose(): void;
}

export interface TenureParts {
  partition: number;
  topic: StandingTopic;
  /** When the one before of this partition in this process has ended. */
  after: Promise<void>;
  consumer: ConsumeOptions;
  fetcher: Fetcher;
  reader: Reader;
  membership: Membership;
  transactions(given: () => boolean): Transactions;
  plan(output: Output): PlacedOutput;
  clock: Clock;
  options: KafkaLogOptions;
}

export function startTenure(parts: TenureParts): Tenure {
  const { partition, topic, consumer, fetcher, membership, clock, options } = parts;
  let leaving = false;
  let lost = false;
  let wake: (() => void) | null = null;
  let pausing = false;
  const transactions = parts.transactions(() => lost);
  /** The group's offset as this member knows it. */
  let committed: number | null = null;
  /** A commit failed: what became of it is not known, or the partition is not ours. */
  let inDoubt = false;
  let committing: Promise<unknown> = Promise.resolve();

  const committer = {
    topic: topic.name,
    commit,
    ours: () => !lost && membership.silentMs() < options.sessionTimeoutMs,
  };

  /** One at a time, in the order of the calls. */
  async function commit(_: number, nextOffset: number, outputs: readonly Output[]): Promise<void> {
    const planned = outputs.map(parts.plan);
    const turn = committing.then(() => commitNow(nextOffset, planned));
    committing = turn.catch(() => undefined);
    await turn;
  }

  async function commitNow(nextOffset: number, planned: readonly PlacedOutput[]): Promise<void> {
    if (lost || inDoubt) {
      const message = `${topic.name}/${partition} is no longer with this member: nothing can be committed.`;
      throw new ServiceError(message, false);
    }
    inDoubt = true;
    if (planned.length === 0) await membership.commitOffset(partition, nextOffset, () => lost);
    else await transactions.commit(planned, nextOffset);
    inDoubt = false;
    committed = nextOffset;
  }

  async function serve(): Promise<void> {
    await parts.after;
    if (!(await persist(takeOver))) return;
    let asked: 'committed' | number = 'committed';
    const assign = async () => {
      asked = await consumer.onAssign(partition, committed);
    };
    if (!(await persist(assign))) return;
    await run(asked);
    fetcher.remove(partition);
    try {
      await consumer.onRevoke(partition);
    } catch (error) {
      consumer.onError(error);
    }
  }

  async function run(asked: 'committed' | number): Promise<void> {
    let position = 0;
    const place = async () => {
      const wanted = asked === 'committed' ? committed : asked;
      position = await withinKept(wanted);
    };
    if (!(await persist(place))) return;
    fetcher.seek(partition, position, onChange);
    for (let failures = 0; !leaving; ) {
      await untilHeard();
      if (leaving) break;
      const records = fetcher.take(partition, consumer.batchMax);
      if (records.length === 0) {
        await untilRecords();
        continue;
      }
      failures = (await deliver(records)) ? 0 : failures + 1;
      if (inDoubt) await resume();
      if (failures > 0) await pause(backoffMs(failures, options.retryMinMs, options.retryMaxMs));
    }
  }

  /** What a batch does elsewhere must be over while the group surely leaves the partition to this member. */
  async function untilHeard(): Promise<void> {
    const silentMaxMs = options.sessionTimeoutMs / 4;
    for (let tries = 1; !leaving && membership.silentMs() > silentMaxMs; tries++) {
      await membership.verify().catch(() => undefined);
      if (membership.silentMs() <= silentMaxMs) return;
      await pause(backoffMs(tries, options.retryMinMs, options.heartbeatMs));
    }
  }

  /** Has earlier owners refused from now on, and reads what they have committed. */
  async function takeOver(): Promise<void> {
    await membership.verify();
    await transactions.begin();
    committed = await membership.committed(partition, () => lost);
    inDoubt = false;
  }

  /** After a commit in doubt: goes on at the group's offset if it moved, else as it would have. */
  async function resume(): Promise<void> {
    const before = committed;
    if (!(await persist(takeOver)) || committed === before || committed === null) return;
    fetcher.seek(partition, committed, onChange);
  }

  /** Whether it succeeded. What is not consumed comes again. */
  async function deliver(records: LogRecord[]): Promise<boolean> {
    const batch = new OpenBatch(committer, partition, records);
    let failed = false;
    try {
      await consumer.onBatch(batch);
    } catch (error) {
      failed = true;
      consumer.onError(error);
    }
    const to = (await batch.end()) ?? (failed ? records[0]!.offset : null);
    if (to !== null) {
      const again = records.filter(({ offset }) => offset >= to);
      if (to < records[0]!.offset) fetcher.seek(partition, to, onChange);
      else if (again.length > 0) fetcher.putBack(partition, again);
    }
    return !failed;
  }

  /** Where there are records from `wanted` on; the oldest kept where there is nothing, which is told. */
  async function withinKept(wanted: number | null): Promise<number> {
    const { first, next } = await parts.reader.range(topic, partition);
    if (wanted === null) return first;
    if (Number.isSafeInteger(wanted) && wanted >= first && wanted <= next) return wanted;
    consumer.onError(
      new ServiceError(
        `Group ${consumer.group}: offset ${wanted} of ${topic.name}/${partition} is not kept ` +
          `(${first} to ${next} are); going on at ${first}.`,
        false,
      ),
    );
    return first;
  }

  async function untilRecords(): Promise<void> {
    const position = fetcher.outOfRange(partition);
    if (position !== null) {
      const seek = async () => {
        fetcher.seek(partition, await withinKept(position), onChange);
      };
      await persist(seek);
      await pause(options.retryFirstMs);
      return;
    }
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    wake = null;
  }

  function onChange(): void {
    if (!pausing) wake?.();
  }

  async function pause(ms: number): Promise<void> {
    if (leaving) return;
    pausing = true;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });
    pausing = false;
    wake = null;
  }

  /** Until it succeeds (true) or the partition is to be given up (false). */
  async function persist(step: () => Promise<void>): Promise<boolean> {
    for (let failures = 1; !leaving; failures++) {
      try {
        await step();
        return true;
      } catch (error) {
        if (leaving) return false;
        consumer.onError(error);
        await pause(backoffMs(failures, options.retryMinMs, options.retryMaxMs));
      }
    }
    return false;
  }

  function leave(): void {
    leaving = true;
    wake?.();
  }

  return {
    partition,
    get leaving() {
      return leaving;
    },
    served: serve(),
    leave,
    lose() {
      lost = true;
      leave();
    },
  };
}
