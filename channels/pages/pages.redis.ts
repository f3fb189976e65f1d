import type { Cluster, Redis } from 'ioredis';
import { ServiceError } from '../../proto/codes.ts';
import type { Dependency } from '../dependency/dependency.ts';
import { defineScript, toBuffer } from '../redis/script.ts';
import { beside } from '../redis/slots.ts';
import type { Pages } from './pages.ts';

/**
 * Leaderboard pages in Redis. All of a contest are in one slot: page 7 of c1 is the hash `page:{c1}:7` with
 * the fields `epoch`, `version` and `bytes`; the set `pages:{c1}` has the numbers of those kept.
 */
export interface RedisPagesSetup {
  redis: Redis | Cluster;
  dependency: Dependency;
}

/** Pages removed in one step: under a millisecond. */
const removedAtOnce = 500;

export function createRedisPages({ redis, dependency }: RedisPagesSetup): Pages {
  const putScript = defineScript(redis, 'pagesPut', new URL('./put.lua', import.meta.url));
  const removeScript = defineScript(redis, 'pagesRemove', new URL('./remove.lua', import.meta.url));
  let closed = false;

  function live(): void {
    if (closed) throw new ServiceError('The pages are closed.', false);
  }

  return {
    async put(contest, page, epoch, version, bytes, expireMs) {
      live();
      const keys = [`${beside('page', contest)}:${page}`, beside('pages', contest)];
      const values = [page, epoch, version, toBuffer(bytes), Math.ceil(expireMs)];
      await dependency.run('pages_put', () => putScript.run(keys, values));
    },
    async get(contest, page) {
      live();
      const key = `${beside('page', contest)}:${page}`;
      const [epoch, version, bytes] = await dependency.run('pages_get', () =>
        redis.hmgetBuffer(key, 'epoch', 'version', 'bytes'),
      );
      if (!epoch || !version || !bytes) return null;
      return { epoch: epoch.toString(), version: Number(version.toString()), bytes };
    },
    async remove(contest) {
      live();
      const keys = [beside('pages', contest)];
      const values = [`${beside('page', contest)}:`, removedAtOnce];
      for (let left = 1; left > 0; ) {
        left = (await dependency.run('pages_remove', () => removeScript.run(keys, values))) as number;
      }
    },
    async close() {
      closed = true;
    },
  };
}
