import kafkajs from 'kafkajs';
import type { Clock } from '../../channels/clock.ts';
import { connectionFault } from '../../channels/dependency/connection-fault.ts';
import { ServiceError } from '../../proto/codes.ts';
import { backoffMs, type Nodes, once, sleep, type Tries } from './nodes.kafka.ts';
import type { KafkaLogOptions } from './options.kafka.ts';
import { type Claim, shareOut } from './shares.ts';
import type { StandingTopic } from './topics.kafka.ts';
import { faultType, isFinal } from './wire.kafka.ts';

/**
 * One member of a group of Kafka's (the classic protocol): joins, says what it has, learns what it has from
 * now on, and is heard of while it lives. Partitions stay where they are while members come and go; only what
 * must move is given up (as in KIP-429), so a batch under way holds up no rebalance.
 */
export interface Membership {
  /** Moves the group's offset. Rejects once the member is no longer one. */
  commitOffset(partition: number, nextOffset: number, given: () => boolean): Promise<void>;
  /** The group's offset; null: none yet. */
  committed(partition: number, given: () => boolean): Promise<number | null>;
  /** Rejects where the group has done without this member meanwhile; then `onLost` was called. */
  verify(): Promise<void>;
  /**
   * How long ago the group was last asked something that it has answered, in ms: from that on it leaves this
   * member what it has for a session.
   */
  silentMs(): number;
  /** What this member has has changed by itself. */
  rejoin(): void;
  leave(): Promise<void>;
}

export interface MembershipParts {
  /** For joining and being heard of: a join waits for the others, and all that goes by its connection. */
  waiting: Nodes;
  nodes: Nodes;
  clock: Clock;
  options: KafkaLogOptions;
  group: string;
  topic: StandingTopic;
  claims(): Omit<Claim, 'member'>;
  onAssigned(partitions: readonly number[]): void;
  /** The group has done without this member: whatever it had may be with others. */
  onLost(): void;
  onError(error: unknown): void;
}

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
/** All members of a group must know it. Its number rises with what members tell each other. */
const protocolName = 'rankcast-1';
/** Answers of the group rather than faults. */
const groupTypes: ReadonlySet<string> = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
]);
/** How often at most it is said that the group does not answer. */
const tellEveryMs = 10_000;
const isGroupAnswer = (error: unknown): boolean => groupTypes.has(faultType(error));

export function startMembership(parts: MembershipParts): Membership {
  const { waiting, nodes, clock, options, group, topic } = parts;
  let memberId = '';
  let generation = -1;
  let leaving = false;
  let rejoining = false;
  let wake: (() => void) | null = null;
  /** Those who wait for the next time that this member knows what it has. */
  let onSynced: (() => void)[] = [];
  /** Of performance.now(), which no setting of the clock moves. */
  let heardAt = Number.NEGATIVE_INFINITY;
  let toldAt = Number.NEGATIVE_INFINITY;

  async function run(): Promise<void> {
    for (let failures = 0; !leaving; ) {
      try {
        await join();
        failures = 0;
        await stay();
      } catch (error) {
        if (faultType(error) === 'UNKNOWN_MEMBER_ID') lose(memberId);
        else if (!isGroupAnswer(error) && !leaving) {
          failures++;
          await afterFault(error, failures);
        }
      }
    }
  }

  async function afterFault(error: unknown, failures: number): Promise<void> {
    if (isFinal(error) || failures >= 5) tell(error);
    const firstMs = isFinal(error) ? options.retryMaxMs : options.retryFirstMs;
    await pause(backoffMs(failures, firstMs, Math.max(firstMs, options.retryLongestMs)));
    await waiting.refresh().catch(() => undefined);
  }

  function tell(error: unknown): void {
    const now = performance.now();
    if (now - toldAt < tellEveryMs) return;
    toldAt = now;
    parts.onError(new ServiceError(connectionFault('kafka', error), !isFinal(error), error));
  }

  /** As of when it was asked: the answer may have been long on its way. */
  function heard(askedAt: number): void {
    heardAt = Math.max(heardAt, askedAt);
  }

  /** Ends early when the member leaves or has to join again. */
  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (leaving) return resolve();
      const cancel = clock.after(ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });
  }

  async function join(): Promise<void> {
    rejoining = false;
    const userData = Buffer.from(JSON.stringify(parts.claims()));
    const metadata = MemberMetadata.encode({ version: 1, topics: [topic.wireName], userData });
    let askedAt = performance.now();
    const joined = await waiting.atCoordinator('group', group, once, (broker) =>
      broker.joinGroup({
        groupId: group,
        sessionTimeout: options.sessionTimeoutMs,
        rebalanceTimeout: options.rebalanceTimeoutMs,
        memberId,
        groupProtocols: [{ name: protocolName, metadata }],
      }),
    );
    memberId = joined.memberId;
    generation = joined.generationId;
    heard(askedAt);
    if (leaving) return;
    const groupAssignment = joined.leaderId === memberId ? assign(joined.members) : [];
    askedAt = performance.now();
    const synced = await waiting.atCoordinator('group', group, once, (broker) =>
      broker.syncGroup({ groupId: group, generationId: generation, memberId, groupAssignment }),
    );
    heard(askedAt);
    const assigned = MemberAssignment.decode(synced.memberAssignment)?.assignment[topic.wireName] ?? [];
    if (!leaving) parts.onAssigned(assigned);
    const told = onSynced;
    onSynced = [];
    for (const resolve of told) resolve();
  }

  function assign(members: readonly { memberId: string; memberMetadata: Buffer }[]) {
    const claims = members.map((member) => ({
      member: member.memberId,
      ...claimsOf(MemberMetadata.decode(member.memberMetadata)?.userData),
    }));
    return [...shareOut(claims, topic.partitions)].map(([member, partitions]) => ({
      memberId: member,
      memberAssignment: MemberAssignment.encode({
        version: 1,
        assignment: { [topic.wireName]: partitions },
        userData: Buffer.alloc(0),
      }),
    }));
  }

  /** Heard of at every beat, until the group changes. */
  async function stay(): Promise<void> {
    while (!leaving && !rejoining) {
      await pause(options.heartbeatMs);
      if (leaving || rejoining) return;
      try {
        await beat(waiting, memberId);
      } catch (error) {
        if (isGroupAnswer(error) || isFinal(error)) throw error;
        // It keeps what it has, since Kafka may be away for all; no batch begins meanwhile.
        if (silentMs() > options.sessionTimeoutMs) tell(error);
        await waiting.refresh().catch(() => undefined);
      }
    }
  }

  async function beat(by: Nodes, id: string): Promise<void> {
    const askedAt = performance.now();
    try {
      await by.atCoordinator('group', group, once, (broker) =>
        broker.heartbeat({ groupId: group, groupGenerationId: generation, memberId: id }),
      );
    } catch (error) {
      // Members are joining, and this one is still one of them.
      if (faultType(error) === 'REBALANCE_IN_PROGRESS' && id === memberId) heard(askedAt);
      throw error;
    }
    if (id === memberId) heard(askedAt);
  }

  function silentMs(): number {
    return performance.now() - heardAt;
  }

  /** Whoever finds it out first says so; the loop joins anew. */
  function lose(id: string): void {
    if (id !== memberId || id === '') return;
    memberId = '';
    rejoining = true;
    parts.onLost();
    wake?.();
  }

  function lostError(): ServiceError {
    return new ServiceError(
      `Group ${group} has done without this member: its part of ${topic.name} is with others.`,
      false,
    );
  }

  function tries(given: () => boolean): Tries {
    return {
      until: clock.now() + options.appendTimeoutMs,
      given,
      stopAt: isGroupAnswer,
    };
  }

  const running = run();

  return {
    async commitOffset(partition, nextOffset, given) {
      const offsets = [{ partition, offset: String(nextOffset) }];
      const topics = [{ topic: topic.wireName, partitions: offsets }];
      const until = clock.now() + options.appendTimeoutMs + options.sessionTimeoutMs;
      for (;;) {
        if (given()) throw lostError();
        const id = memberId;
        const groupGenerationId = generation;
        try {
          await nodes.atCoordinator('group', group, tries(given), (broker) =>
            broker.offsetCommit({ groupId: group, groupGenerationId, memberId: id, topics }),
          );
          return;
        } catch (error) {
          if (faultType(error) === 'UNKNOWN_MEMBER_ID') {
            lose(id);
            throw lostError();
          }
          if (!isGroupAnswer(error)) throw error;
          if (clock.now() > until) throw new ServiceError(connectionFault('kafka', error), true, error);
        }
        // Members are joining: this one commits as what it is after that.
        if (groupGenerationId === generation) await synced();
      }
    },
    async committed(partition, given) {
      const topics = [{ topic: topic.wireName, partitions: [{ partition }] }];
      const { responses } = await nodes.atCoordinator('group', group, tries(given), (broker) =>
        broker.offsetFetch({ groupId: group, topics }),
      );
      const offset = Number(responses[0]?.partitions[0]?.offset ?? -1);
      return offset < 0 ? null : offset;
    },
    async verify() {
      const id = memberId;
      try {
        await beat(nodes, id);
      } catch (error) {
        const type = faultType(error);
        if (type === 'UNKNOWN_MEMBER_ID') {
          lose(id);
          throw lostError();
        }
        if (!isGroupAnswer(error)) throw new ServiceError(connectionFault('kafka', error), true, error);
      }
    },
    silentMs,
    rejoin() {
      rejoining = true;
      wake?.();
    },
    async leave() {
      leaving = true;
      wake?.();
      for (const resolve of onSynced) resolve();
      const id = memberId;
      // Also ends a join under way, which waits for others.
      if (id !== '') await sayGoodbye(id);
      await running;
      if (memberId !== '' && memberId !== id) await sayGoodbye(memberId);
    },
  };

  /** At the latest one heartbeat after this the member knows more, or is no member any more. */
  async function synced(): Promise<void> {
    if (leaving) return;
    wake?.();
    await Promise.race([
      new Promise<void>((resolve) => onSynced.push(resolve)),
      sleep(clock, options.heartbeatMs),
    ]);
  }

  async function sayGoodbye(id: string): Promise<void> {
    const limits = { until: clock.now() + options.requestTimeoutMs, stopAt: isGroupAnswer };
    try {
      await nodes.atCoordinator('group', group, limits, (broker) =>
        broker.leaveGroup({ groupId: group, memberId: id }),
      );
    } catch {
      // Then the group does without it after the session's timeout.
    }
  }
}

function claimsOf(userData: Buffer | undefined): Omit<Claim, 'member'> {
  try {
    const { held, leaving } = JSON.parse(String(userData)) as Omit<Claim, 'member'>;
    return { held, leaving };
  } catch {
    return { held: [], leaving: [] };
  }
}
