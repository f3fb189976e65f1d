import { ServiceError } from '../../proto/codes.ts';
import type { Batch, ConsumeOptions, Log } from '../../workers/log/log.ts';

/**
 * Death at a chosen step, for what runs inside the test's process: everything the mortal one does to the
 * outside goes through ports, so one whose calls suddenly have no answer any more, and no effect, is as dead
 * as after `kill -9`.
 */
export interface Life {
  /** The same port, for the mortal one. Only methods that answer promises count as steps. */
  lend<T extends object>(port: T): T;
  lendLog(log: Log, onCommitted: (batch: Batch, nextOffset: number) => void): Log;
  readonly dead: boolean;
  /** Resolves at death. */
  readonly died: Promise<void>;
  /** Lets what still waits for an answer fail, so that it can be cleared away. */
  bury(): void;
}

export interface Fate {
  /** Dies at the call of this number; 0: never. */
  steps: number;
  /** Whether the call it dies at still has its effect. */
  hasEffect: boolean;
  /** Whether this call fails, though its life goes on: the other side was not reachable for a moment. */
  isMissed(): boolean;
}

export const longLife: Fate = { steps: 0, hasEffect: false, isMissed: () => false };

export function createLife({ steps, hasEffect, isMissed }: Fate): Life {
  let left = steps;
  let dead = false;
  let die = (): void => undefined;
  let bury = (_reason: Error): void => undefined;
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  const grave = new Promise<never>((_, reject) => {
    bury = reject;
  });
  grave.catch(() => undefined);

  async function step<T>(call: () => Promise<T>): Promise<T> {
    if (dead) return grave;
    if (--left === 0) {
      dead = true;
      if (hasEffect) call().catch(() => undefined);
      die();
      return grave;
    }
    if (isMissed()) {
      // Half of the time what was asked has been done, and only the answer is lost.
      if (isMissed()) call().catch(() => undefined);
      throw new ServiceError('not reachable for a moment', true);
    }
    const answer = await call();
    return dead ? grave : answer;
  }

  function lend<T extends object>(port: T): T {
    return new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        // The one method of a port that answers at once: it only listens.
        if (name === 'onReset') return member.bind(target);
        return (...args: unknown[]) => step(async () => Reflect.apply(member, target, args));
      },
    });
  }

  function lendBatch(batch: Batch, onCommitted: (batch: Batch, nextOffset: number) => void): Batch {
    const { topic, partition, records } = batch;
    async function commit(...args: Parameters<Batch['commit']>): Promise<void> {
      await batch.commit(...args);
      onCommitted(batch, args[1] ?? records[records.length - 1]!.offset + 1);
    }
    return {
      topic,
      partition,
      records,
      ours: () => batch.ours(),
      commit: (...args) => step(() => commit(...args)),
    };
  }

  return {
    lend,
    lendLog(log, onCommitted) {
      const lent = lend(log);
      return {
        partitions: (topic) => log.partitions(topic),
        partitionOf: (topic, key) => log.partitionOf(topic, key),
        append: (...args) => lent.append(...args),
        bounds: (...args) => lent.bounds(...args),
        read: (...args) => lent.read(...args),
        close: () => lent.close(),
        consume: (options: ConsumeOptions) =>
          log.consume({ ...options, onBatch: (batch) => options.onBatch(lendBatch(batch, onCommitted)) }),
      };
    },
    get dead() {
      return dead;
    },
    died,
    bury() {
      dead = true;
      bury(new Error('dead'));
    },
  };
}
