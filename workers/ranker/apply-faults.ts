/**
 * Records whose application threw: a fault of ours, which may have left the state half-changed. The first
 * time the partition is rebuilt and the record tried again; one that throws on a clean state as well does so
 * in every replica, and is set aside ([RK-21]).
 */
export interface ApplyFaults {
  /** The record threw. */
  note(partition: number, offset: number): 'again' | 'aside';
  isAside(partition: number, offset: number): boolean;
}

/** Rejects a batch: what stood at `offset` threw, and the state can no longer be trusted. */
export class ApplyFault extends Error {
  readonly offset: number;
  constructor(offset: number, cause: unknown) {
    super(`applying the record at ${offset} failed`, { cause });
    this.name = 'ApplyFault';
    this.offset = offset;
  }
}

/** Places remembered; beyond, the oldest are forgotten, which costs a try more. */
const placesMax = 10_000;

export function createApplyFaults(): ApplyFaults {
  const tries = new Map<string, number>();
  const place = (partition: number, offset: number): string => `${partition}/${offset}`;
  return {
    note(partition, offset) {
      const key = place(partition, offset);
      const count = (tries.get(key) ?? 0) + 1;
      tries.set(key, count);
      const [oldest] = tries.keys();
      if (tries.size > placesMax && oldest !== undefined) tries.delete(oldest);
      return count > 1 ? 'aside' : 'again';
    },
    isAside: (partition, offset) => (tries.get(place(partition, offset)) ?? 0) > 1,
  };
}
