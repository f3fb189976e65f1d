import { type Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Clock } from '../clock.ts';
import type { Layout } from './layout.redis.ts';

/** Which server a partition is on, and how to connect to it. */
export interface Topology {
  /** Key of the server (`host:port`; `main` where there is one only); null: not known now. */
  ownerOf(partition: number): string | null;
  /** Keys of all servers that have a partition. */
  owners(): Set<string>;
  /** A client for one connection: it has not connected, does not reconnect, and queues nothing. */
  open(key: string): Redis;
  /** Reads it again, soon; calls `onChange` when it is read, changed or not. */
  refresh(): void;
  onChange(listener: () => void): void;
  close(): void;
}

/** One connection, from its opening to its end: see connection.redis.ts. */
const once: RedisOptions & { replyMapping: 'legacy' } = {
  lazyConnect: true,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  reconnectOnError: null,
  enableOfflineQueue: false,
  enableReadyCheck: true,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  // The subscriber connection runs its own heartbeat.
  protocol: 3,
  replyMapping: 'legacy',
  keyPrefix: '',
  readOnly: false,
  enableAutoPipelining: false,
};
const noTimeout = { commandTimeout: undefined, socketTimeout: undefined } as unknown as RedisOptions;

export function singleTopology(redis: Redis, openTimeoutMs: number): Topology {
  const timeouts = { connectTimeout: openTimeoutMs, sentinelCommandTimeout: openTimeoutMs };
  return {
    ownerOf: () => 'main',
    owners: () => new Set(['main']),
    open: () => redis.duplicate({ ...once, ...noTimeout, ...timeouts }),
    refresh: () => undefined,
    onChange: () => undefined,
    close: () => undefined,
  };
}

/** Questions for the slots wait at least so long for one another. */
const refreshPauseMs = 200;

export function clusterTopology(
  cluster: Cluster,
  layout: Layout,
  clock: Clock,
  openTimeoutMs: number,
): Topology {
  const owners: (string | null)[] = new Array(layout.partitions).fill(null);
  const slots = owners.map((_, partition) => layout.slotOf(partition));
  const listeners: (() => void)[] = [];
  let pause: (() => void) | null = null;
  let again = false;
  let closed = false;

  function read(): void {
    if (closed) return;
    for (const [partition, slot] of slots.entries()) owners[partition] = cluster.slots[slot]?.[0] ?? null;
    for (const listener of listeners) listener();
  }
  function refresh(): void {
    if (closed) return;
    if (pause !== null) {
      again = true;
      return;
    }
    again = false;
    pause = clock.after(refreshPauseMs, () => {
      pause = null;
      if (again) refresh();
    });
    if (cluster.status === 'wait') cluster.connect().catch(() => undefined);
    else if (cluster.status === 'ready') cluster.refreshSlotsCache();
  }
  cluster.on('refresh', read);
  read();
  if (owners.includes(null)) refresh();
  return {
    ownerOf: (partition) => owners[partition] ?? null,
    owners: () => new Set(owners.filter((key) => key !== null)),
    open(key) {
      const known = cluster.nodes('all').find(({ options }) => `${options.host}:${options.port}` === key);
      const at = key.lastIndexOf(':');
      const address = { host: key.slice(0, at), port: Number(key.slice(at + 1)) };
      const options = { ...once, ...noTimeout, connectTimeout: openTimeoutMs, ...address };
      return (
        (known ?? cluster.nodes('all')[0])?.duplicate(options) ??
        new Redis({ ...cluster.options.redisOptions, ...options, replyMapping: 'legacy' })
      );
    },
    refresh,
    onChange: (listener) => listeners.push(listener),
    close() {
      closed = true;
      pause?.();
      cluster.off('refresh', read);
    },
  };
}
