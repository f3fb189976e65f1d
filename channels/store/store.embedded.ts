import { type Database, type Key, open, type RootDatabase } from 'lmdb';
import { ServiceError } from '../../proto/codes.ts';
import { lockFolder } from './folder-lock.ts';

/**
 * The data folder of a process that stands alone: one LMDB environment with a table per thing kept, shared by
 * all embedded ports, so that whatever is written in the same moment costs one flush.
 *
 * Reads are synchronous and see what is durable. Writes go through `write` only: actions run one after
 * another, in the order asked for, many to a transaction; the promise resolves when that transaction is on
 * the disk. After `kill -9` or a loss of power everything resolved is there, and a transaction is there whole
 * or not at all.
 */
export interface EmbeddedStore {
  /** The table of this name, made if it is not there. At most `tablesMax` names. */
  table(name: string): Table;
  /**
   * Runs `action` inside the next transaction (reads in it see its own writes and those of the actions
   * before) and resolves with its result once durable. An action must not wait and must not throw after its
   * first write: what it wrote before would stand. Rejects with a retryable ServiceError when the disk
   * refused.
   */
  write<T>(action: () => T): Promise<T>;
  /** Waits for what is being written, then lets go of the folder. */
  close(): Promise<void>;
}

/** Keys are ordered as ordered-binary has it: arrays by their parts, numbers by value, strings by bytes. */
export type Table = Database<Buffer, Key>;

export interface EmbeddedStoreOptions {
  /** The log takes one table per partition; LMDB looks at each once per transaction, so not thousands. */
  tablesMax: number;
}
export const embeddedStoreDefaults: EmbeddedStoreOptions = {
  tablesMax: 200,
};

/** Throws a sentence if another live process owns the folder. */
export function openEmbeddedStore(
  folder: string,
  options: EmbeddedStoreOptions = embeddedStoreDefaults,
): EmbeddedStore {
  const lock = lockFolder(folder);
  let root: RootDatabase<Buffer, Key>;
  try {
    root = open<Buffer, Key>({
      path: folder,
      encoding: 'binary',
      maxDbs: options.tablesMax,
      // Resolve a write when it is on the disk, not when it is visible.
      overlappingSync: false,
      // Otherwise lmdb makes a promise per turn that nobody holds: when the disk refuses, its rejection
      // ends the process.
      eventTurnBatching: false,
    });
  } catch (error) {
    lock.release();
    throw error;
  }
  const tables = new Map<string, Table>();
  let closing: Promise<void> | null = null;

  async function shut(): Promise<void> {
    try {
      await root.close();
    } finally {
      lock.release();
    }
  }

  return {
    table(name) {
      let table = tables.get(name);
      if (table === undefined) {
        if (tables.size >= options.tablesMax) {
          throw new Error(
            `The data folder ${folder} holds at most ${options.tablesMax} tables; "${name}" is one more.`,
          );
        }
        table = root.openDB<Buffer, Key>(name, { encoding: 'binary' });
        tables.set(name, table);
      }
      return table;
    },
    async write(action) {
      if (closing !== null) throw new ServiceError(`The data folder ${folder} is closed.`, false);
      try {
        return await root.transaction(action);
      } catch (error) {
        throw await explain(error, folder);
      }
    },
    close() {
      closing ??= shut();
      return closing;
    },
  };
}

/** lmdb rejects a failed commit with an error that carries a promise rejected with the real one. */
async function explain(error: unknown, folder: string): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  let cause: unknown = error;
  try {
    await error.commitError;
  } catch (commitError) {
    cause = commitError;
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ServiceError(`Writing to the data folder ${folder} failed: ${reason}`, true, cause);
}
