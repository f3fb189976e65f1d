import { ServiceError } from '../../proto/codes.ts';
import type { Lookup } from './lookup.ts';

/** A lookup for tests: in memory, without expiry, failing at the test's word. */
export class MemoryLookup implements Lookup {
  failing = false;
  /** Keys of each read. */
  readonly reads: string[][] = [];
  readonly #kept = new Map<string, { fence: number; value: Uint8Array }>();

  async put(key: string, fence: number, value: Uint8Array): Promise<void> {
    const kept = this.#kept.get(key);
    if (kept === undefined || fence >= kept.fence) this.#kept.set(key, { fence, value });
  }

  async putIfAbsent(key: string, fence: number, value: Uint8Array): Promise<Uint8Array> {
    if (!this.#kept.has(key)) this.#kept.set(key, { fence, value });
    return this.#kept.get(key)!.value;
  }

  async get(keys: readonly string[]): Promise<(Uint8Array | null)[]> {
    this.reads.push([...keys]);
    if (this.failing) throw new ServiceError('The lookup is away.', true);
    return keys.map((key) => this.#kept.get(key)?.value ?? null);
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#kept.delete(key);
  }

  async close(): Promise<void> {
    this.#kept.clear();
  }
}
