import type { Clock } from '../../channels/clock.ts';
import { ServiceError } from '../../proto/codes.ts';
import type { ConsumeOptions, Consumer, LogRecord } from './log.ts';
import { type Committing, OpenBatch, type Output } from './open-batch.ts';

/**
 * A consumer group inside one process: shares the partitions of a topic among its members and runs, per
 * partition, the loop assign, batch after batch, revoke. Knows nothing of how records are kept.
 */
export interface Group {
  join(options: ConsumeOptions): Consumer;
  /** Records have come to the partition. */
  wake(partition: number): void;
  /** Takes the partitions from all members; resolves when the batches under way have ended. */
  close(): Promise<void>;
}

/** What a group needs of the log. `read` and the rest see durable records only. */
export interface GroupLog {
  readonly topic: string;
  readonly partitions: number;
  first(partition: number): number;
  next(partition: number): number;
  read(partition: number, offset: number, max: number): LogRecord[];
  committed(partition: number): number | null;
  commit(partition: number, nextOffset: number, outputs: readonly Output[]): Promise<void>;
}

export interface RetryOptions {
  retryMinMs: number;
  retryMaxMs: number;
}

interface Member {
  readonly options: ConsumeOptions;
}

/** A partition's place in the group: who has it, and who should. */
interface Slot {
  readonly partition: number;
  owner: Member | null;
  target: Member | null;
  running: boolean;
  /** Resolves when the present owner has given the partition up. */
  served: Promise<void>;
  wake: (() => void) | null;
  wakeOnRecords: boolean;
}

export function createGroup(log: GroupLog, clock: Clock, retry: RetryOptions): Group {
  const committing: Committing = {
    topic: log.topic,
    // Members are in one process: a partition goes when its batch has ended.
    ours: () => true,
    commit: (partition, nextOffset, outputs) => log.commit(partition, nextOffset, outputs),
  };
  const slots = Array.from({ length: log.partitions }, (_, partition) => newSlot(partition));
  let members: Member[] = [];

  function share(): void {
    assignTargets(slots, members);
    for (const slot of slots) {
      if (slot.target === slot.owner) continue;
      if (slot.running) slot.wake?.();
      else if (slot.target !== null) void run(slot);
    }
  }

  async function run(slot: Slot): Promise<void> {
    slot.running = true;
    while (slot.target !== null) {
      slot.owner = slot.target;
      slot.served = serve(slot, slot.owner);
      await slot.served;
      slot.owner = null;
    }
    slot.running = false;
  }

  /** From assign to revoke. */
  async function serve(slot: Slot, member: Member): Promise<void> {
    // Not within the turn of the call that joined: that caller does not have its consumer yet.
    await nextTurn();
    let offset = await begin(slot, member);
    if (offset === null) return;
    let failures = 0;
    let busy = false;
    while (slot.target === member) {
      if (offset < log.first(slot.partition)) offset = withinKept(slot, member, offset);
      const records = log.read(slot.partition, offset, member.options.batchMax);
      if (records.length === 0) {
        busy = false;
        await untilWoken(slot);
        continue;
      }
      // A long backlog must not keep sockets and timers of the process waiting.
      if (busy) await nextTurn();
      busy = true;
      const outcome = await deliver(slot, member, records);
      failures = outcome.failed ? failures + 1 : 0;
      offset = outcome.nextOffset;
      if (outcome.failed && slot.target === member) await pause(slot, failures);
    }
    try {
      await member.options.onRevoke(slot.partition);
    } catch (error) {
      member.options.onError(error);
    }
  }

  /** Where to begin; null: the partition went elsewhere before the member could take it. */
  async function begin(slot: Slot, member: Member): Promise<number | null> {
    for (let failures = 1; slot.target === member; failures++) {
      try {
        const committed = log.committed(slot.partition);
        const asked = await member.options.onAssign(slot.partition, committed);
        const offset = asked === 'committed' ? committed : asked;
        return offset === null ? log.first(slot.partition) : withinKept(slot, member, offset);
      } catch (error) {
        member.options.onError(error);
        if (slot.target === member) await pause(slot, failures);
      }
    }
    return null;
  }

  function withinKept(slot: Slot, member: Member, offset: number): number {
    const first = log.first(slot.partition);
    const next = log.next(slot.partition);
    if (Number.isSafeInteger(offset) && offset >= first && offset <= next) return offset;
    member.options.onError(
      new ServiceError(
        `Group ${member.options.group}: offset ${offset} of ${log.topic}/${slot.partition} is not kept ` +
          `(${first} to ${next} are); going on at ${first}.`,
        false,
      ),
    );
    return first;
  }

  async function deliver(slot: Slot, member: Member, records: LogRecord[]): Promise<Outcome> {
    const batch = new OpenBatch(committing, slot.partition, records);
    let failed = false;
    try {
      await member.options.onBatch(batch);
    } catch (error) {
      failed = true;
      member.options.onError(error);
    }
    const committed = await batch.end();
    const restart = failed ? records[0]!.offset : records[records.length - 1]!.offset + 1;
    return { failed, nextOffset: committed ?? restart };
  }

  /** Doubles from retryMinMs up to retryMaxMs; ends early when the partition is to go elsewhere. */
  async function pause(slot: Slot, failures: number): Promise<void> {
    const ms = Math.min(retry.retryMaxMs, retry.retryMinMs * 2 ** Math.min(failures - 1, 30));
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve);
      slot.wakeOnRecords = false;
      slot.wake = () => {
        cancel();
        resolve();
      };
    });
    slot.wake = null;
  }

  return {
    join(options) {
      const member: Member = { options };
      members.push(member);
      share();
      return {
        async close() {
          members = members.filter((other) => other !== member);
          share();
          await Promise.all(slots.filter((slot) => slot.owner === member).map((slot) => slot.served));
        },
      };
    },
    wake(partition) {
      const slot = slots[partition]!;
      if (slot.wakeOnRecords) slot.wake?.();
    },
    async close() {
      members = [];
      share();
      await Promise.all(slots.map((slot) => slot.served));
    },
  };
}

interface Outcome {
  failed: boolean;
  nextOffset: number;
}

function newSlot(partition: number): Slot {
  return {
    partition,
    owner: null,
    target: null,
    running: false,
    served: Promise.resolve(),
    wake: null,
    wakeOnRecords: false,
  };
}

/** Evenly, moving as few as possible: who has a partition keeps it within its share. */
function assignTargets(slots: readonly Slot[], members: readonly Member[]): void {
  const held = new Map(members.map((member) => [member, 0]));
  const share = Math.floor(slots.length / Math.max(1, members.length));
  let oneMore = slots.length - share * members.length;
  for (const slot of slots) {
    const count = slot.target === null ? undefined : held.get(slot.target);
    if (count === undefined || count > share || (count === share && oneMore === 0)) {
      slot.target = null;
      continue;
    }
    if (count === share) oneMore--;
    held.set(slot.target!, count + 1);
  }
  for (const slot of slots) {
    if (slot.target !== null || members.length === 0) continue;
    const poorest = members.reduce((a, b) => (held.get(b)! < held.get(a)! ? b : a));
    held.set(poorest, held.get(poorest)! + 1);
    slot.target = poorest;
  }
}

async function untilWoken(slot: Slot): Promise<void> {
  await new Promise<void>((resolve) => {
    slot.wakeOnRecords = true;
    slot.wake = resolve;
  });
  slot.wake = null;
  slot.wakeOnRecords = false;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
