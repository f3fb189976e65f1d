import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

/**
 * A Lua script that stands in a file of its own. All of its keys are in one slot. The whole text goes over a
 * connection once; calls keep their order also then.
 */
export interface Script {
  /** Replies as strings. */
  run(keys: readonly string[], values: readonly ScriptValue[]): Promise<unknown>;
  /** Replies as bytes. */
  runBytes(keys: readonly string[], values: readonly ScriptValue[]): Promise<unknown>;
}
export type ScriptValue = string | number | Buffer;

/** `name` is the client's for it, and no other script's. */
export function defineScript(redis: Redis | Cluster, name: string, file: URL): Script {
  redis.defineCommand(name, { lua: readFileSync(file, 'utf8') });
  const commands = redis as unknown as Record<string, (...all: ScriptValue[]) => Promise<unknown>>;
  return {
    run: (keys, values) => commands[name]!(keys.length, ...keys, ...values),
    runBytes: (keys, values) => commands[`${name}Buffer`]!(keys.length, ...keys, ...values),
  };
}

/** Bytes without a copy. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
