import type { Cluster, Redis } from 'ioredis';
import { ServiceError } from '../../proto/codes.ts';
import type { Dependency } from '../dependency/dependency.ts';
import { defineScript, type ScriptValue, toBuffer } from '../redis/script.ts';
import { beside } from '../redis/slots.ts';
import { checkKey, checkKeys, checkPut, type LookupOptions, lookupDefaults } from './lookup.limits.ts';
import type { Lookup } from './lookup.ts';

/**
 * Small values in Redis. The key of a value is literal, so that others read it as it is: `GET contest_c1`.
 * Beside it, in its slot, stands its fence where it is not 0: `fence:{contest_c1}`. What has an expiry runs
 * out by the server's clock.
 */
export interface RedisLookupSetup {
  redis: Redis | Cluster;
  dependency: Dependency;
  options?: Partial<LookupOptions>;
}

export function createRedisLookup(setup: RedisLookupSetup): Lookup {
  const { redis, dependency } = setup;
  const options = { ...lookupDefaults, ...setup.options };
  const putScript = defineScript(redis, 'lookupPut', new URL('./put.lua', import.meta.url));
  const absentScript = defineScript(redis, 'lookupAbsent', new URL('./put-if-absent.lua', import.meta.url));
  let closed = false;

  function live(): void {
    if (closed) throw new ServiceError('The lookup is closed.', false);
  }
  function valuesOf(fence: number, value: Uint8Array, expireMs: number): ScriptValue[] {
    return [String(fence), toBuffer(value), String(Math.ceil(expireMs))];
  }

  return {
    async put(key, fence, value, expireMs) {
      live();
      checkPut(key, fence, value, options);
      await dependency.run('lookup_put', () =>
        putScript.run([key, beside('fence', key)], valuesOf(fence, value, expireMs)),
      );
    },
    async putIfAbsent(key, fence, value, expireMs) {
      live();
      checkPut(key, fence, value, options);
      const kept = await dependency.run('lookup_put_if_absent', () =>
        absentScript.runBytes([key, beside('fence', key)], valuesOf(fence, value, expireMs)),
      );
      return kept as Buffer;
    },
    async get(keys) {
      live();
      checkKeys(keys);
      if (keys.length === 0) return [];
      return dependency.run('lookup_get', () =>
        redis.isCluster ? Promise.all(keys.map((key) => redis.getBuffer(key))) : redis.mgetBuffer([...keys]),
      );
    },
    async remove(keys) {
      live();
      for (const key of keys) checkKey(key);
      await dependency.run('lookup_remove', () =>
        Promise.all(keys.map((key) => redis.del(key, beside('fence', key)))),
      );
    },
    async close() {
      closed = true;
    },
  };
}
