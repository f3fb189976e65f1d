import { ServiceError } from '../../proto/codes.ts';
import type { Batch, LogRecord, NewRecord } from './log.ts';

export type Output = NewRecord & { topic: string };

/** How the batches of a partition are committed. */
export interface Committing {
  readonly topic: string;
  /** Whether the partition is with this member as far as it knows. */
  ours(): boolean;
  commit(partition: number, nextOffset: number, outputs: readonly Output[]): Promise<void>;
}

/** A batch for as long as its `onBatch` runs; then nothing can be committed with it. */
export class OpenBatch implements Batch {
  readonly topic: string;
  readonly partition: number;
  readonly records: LogRecord[];
  readonly #log: Committing;
  #open = true;
  #committed: number | null = null;
  #committing: Promise<void> = Promise.resolve();

  constructor(log: Committing, partition: number, records: LogRecord[]) {
    this.topic = log.topic;
    this.partition = partition;
    this.records = records;
    this.#log = log;
  }

  ours(): boolean {
    return this.#open && this.#log.ours();
  }

  async commit(outputs: readonly Output[] = [], nextOffset?: number): Promise<void> {
    const place = `${this.topic}/${this.partition}`;
    if (!this.#open)
      throw new ServiceError(`The batch of ${place} has ended: it cannot be committed.`, false);
    const after = this.records[this.records.length - 1]!.offset + 1;
    const to = nextOffset ?? after;
    if (!Number.isSafeInteger(to) || to < 0 || to > after) {
      throw new RangeError(`Offset ${to} of ${place} cannot be committed: this batch ends at ${after}.`);
    }
    const commit = this.#log.commit(this.partition, to, outputs);
    this.#committing = commit.then(
      () => {
        this.#committed = to;
      },
      () => undefined,
    );
    await commit;
  }

  /** No commit from now on; answers the offset that was committed, if one was. */
  async end(): Promise<number | null> {
    this.#open = false;
    await this.#committing;
    return this.#committed;
  }
}
