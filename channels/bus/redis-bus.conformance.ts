import type { Cluster, Redis } from 'ioredis';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from '../clock.ts';
import { createDependency } from '../dependency/dependency.ts';
import {
  connectRedis,
  type RedisConnection,
  type RedisOptions,
  redisDefaults,
} from '../redis/connect-redis.ts';
import type { BusHarness } from './bus.conformance.ts';
import { createRedisBus } from './bus.redis.ts';
import type { Bus } from './bus.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';

/** Buses on a Redis of the test, each with connections of its own, as processes have them. */

export type Where = Pick<RedisOptions, 'url' | 'sentinels' | 'sentinelMaster' | 'cluster'>;

export interface TestBus {
  bus: Bus;
  redis: Redis | Cluster;
  registry: Registry;
  /** What `/readyz` says of Redis. */
  state(): string;
  errors: unknown[];
  resets: string[];
  close(): Promise<void>;
}

let prefixes = 0;
/** For names that nobody else has on the server. */
export const freshPrefix = (): string => `t${process.pid}-${++prefixes}:`;

export function openBus(where: Where, options: Partial<RedisBusOptions>): TestBus {
  const errors: unknown[] = [];
  const resets: string[] = [];
  const registry = new Registry();
  const logger = pino({ level: 'silent' });
  const dependency = createDependency({ name: 'redis', clock: systemClock, registry, logger });
  const connection: RedisConnection = connectRedis({
    options: { ...redisDefaults, ...where },
    clock: systemClock,
    random: Math.random,
    onConnected: dependency.connected,
    onLost: dependency.lost,
  });
  const { redis } = connection;
  const bus = createRedisBus({
    redis,
    clock: systemClock,
    registry,
    dependency,
    options,
    onError: (error) => errors.push(error),
  });
  bus.onReset((reason) => resets.push(reason));
  return {
    bus,
    redis,
    registry,
    state: dependency.state,
    errors,
    resets,
    async close() {
      await bus.close();
      await connection.close();
    },
  };
}

export function redisHarness(where: () => Where): BusHarness {
  return {
    async open(bounds) {
      const options = { ...bounds, prefix: freshPrefix() };
      const opened = [openBus(where(), options), openBus(where(), options)] as const;
      const [one, other] = opened;
      const all: TestBus[] = [...opened];
      const errors: unknown[] = [];
      for (const { errors: own } of all) {
        own.push = (...found) => errors.push(...found);
      }
      return {
        bus: one.bus,
        other: other.bus,
        errors,
        async reopen() {
          await Promise.all(all.splice(0).map((bus) => bus.close()));
          const again = openBus(where(), options);
          all.push(again);
          return again.bus;
        },
        async close() {
          await Promise.all(all.splice(0).map((bus) => bus.close()));
        },
      };
    },
  };
}
