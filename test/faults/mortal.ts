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

/** Dies at the call number `steps` (0: never); `before` says whether that call still has its effect. */
export function createLife(steps: number, hasEffect: boolean): Life {
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
    const answer = await call();
    return dead ? grave : answer;
  }

  function lend<T extends object>(port: T): T {
    return new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
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
    return { topic, partition, records, commit: (...args) => step(() => commit(...args)) };
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
