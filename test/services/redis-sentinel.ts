/** A Redis master with replicas, watched by Sentinels. */
import { join } from 'node:path';
import { install } from './install.ts';
import { temporaryFolder } from './places.ts';
import { freePort, host } from './ports.ts';
import { createRedisNode, quoted, type RedisNode } from './redis-node.ts';
import { eachNode, withFreshPorts } from './server-process.ts';
import { until } from './until.ts';

export interface SentinelStartOptions {
  /** Default 1. */
  replicas?: number;
  /** Default 3; more than half must agree. */
  sentinels?: number;
  /** A master that does not answer for so long is taken for dead. Default 1,000. */
  downAfterMs?: number;
  /** A failover that has come to nothing is tried again after twice this. Default 3,000. */
  failoverTimeoutMs?: number;
  /** Of the master and replicas; the Sentinels themselves want none. */
  password?: string;
  /** More lines of each master's and replica's redis.conf. */
  config?: readonly string[];
}

export interface RedisSentinel {
  /** The name under which Sentinels know the master. */
  readonly masterName: string;
  /** The first master, then its replicas. */
  readonly nodes: readonly RedisNode[];
  readonly sentinels: readonly RedisNode[];
  /** As ioredis wants them. */
  readonly sentinelAddresses: readonly { host: string; port: number }[];
  /** The node that the Sentinels hold for the master now. */
  master(): Promise<RedisNode>;
  /** The Sentinels agree on a master, and every running replica follows it. */
  untilSettled(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

const masterName = 'main';

export function startRedisSentinel(options: SentinelStartOptions = {}): Promise<RedisSentinel> {
  return withFreshPorts(false, async () => {
    await install(['redis']);
    const folder = temporaryFolder('sentinel');
    const nodes = await createNodes(folder, options);
    const sentinels = await createSentinels(folder, nodes[0]?.port ?? 0, options);
    const all = [...nodes, ...sentinels];
    const master = () => masterOf(nodes, sentinels);
    const untilSettled = () =>
      until('the Sentinels agree and all replicas follow', () => isSettled(nodes, sentinels));
    const set: RedisSentinel = {
      masterName,
      nodes,
      sentinels,
      sentinelAddresses: sentinels.map(({ port }) => ({ host, port })),
      master,
      untilSettled,
      kill: () => eachNode(all, (node) => node.kill()),
      stop: () => eachNode(all, (node) => node.stop()),
      start: async () => {
        await eachNode(nodes, (node) => node.start());
        await eachNode(sentinels, (node) => node.start());
        await untilSettled();
      },
    };
    try {
      await set.start();
    } catch (error) {
      await set.kill();
      throw error;
    }
    return set;
  });
}

async function createNodes(folder: string, options: SentinelStartOptions): Promise<RedisNode[]> {
  const { replicas = 1, password } = options;
  const nodes: RedisNode[] = [];
  for (let index = 0; index <= replicas; index += 1) {
    const port = await freePort();
    const config = [`bind ${host}`, ...replicationLines(password), ...(options.config ?? [])];
    if (index > 0) config.push(`replicaof ${host} ${nodes[0]?.port}`);
    const name = `redis ${port} of a Sentinel set`;
    nodes.push(createRedisNode({ name, port, folder: join(folder, `node-${index}`), config, password }));
  }
  return nodes;
}

/** Of any node that may be a master or a replica. */
export function replicationLines(password: string | undefined): string[] {
  // a full copy begins at once instead of waiting for more replicas
  const lines = ['repl-diskless-sync-delay 0', 'repl-ping-replica-period 1'];
  if (password !== undefined) lines.push(`requirepass ${quoted(password)}`, `masterauth ${quoted(password)}`);
  return lines;
}

async function createSentinels(
  folder: string,
  masterPort: number,
  options: SentinelStartOptions,
): Promise<RedisNode[]> {
  const { sentinels = 3, downAfterMs = 1_000, failoverTimeoutMs = 3_000, password } = options;
  const quorum = Math.floor(sentinels / 2) + 1;
  const config = [
    `bind ${host}`,
    `sentinel monitor ${masterName} ${host} ${masterPort} ${quorum}`,
    `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
    `sentinel failover-timeout ${masterName} ${failoverTimeoutMs}`,
    `sentinel parallel-syncs ${masterName} 8`,
  ];
  if (password !== undefined) config.push(`sentinel auth-pass ${masterName} ${quoted(password)}`);
  const nodes: RedisNode[] = [];
  for (let index = 0; index < sentinels; index += 1) {
    const port = await freePort();
    const own = join(folder, `sentinel-${index}`);
    nodes.push(createRedisNode({ name: `sentinel ${port}`, port, folder: own, config, mode: 'sentinel' }));
  }
  return nodes;
}

const isRunning = (node: RedisNode) => node.pid !== undefined;

async function masterOf(nodes: readonly RedisNode[], sentinels: readonly RedisNode[]): Promise<RedisNode> {
  const asked = sentinels.find(isRunning);
  if (asked === undefined) throw new Error('no Sentinel runs');
  const answer = await asked.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName);
  const port = Number((answer as string[])[1]);
  const found = nodes.find((node) => node.port === port);
  if (found === undefined) throw new Error(`the Sentinels name a master that is not ours: ${String(answer)}`);
  return found;
}

async function isSettled(nodes: readonly RedisNode[], sentinels: readonly RedisNode[]): Promise<boolean> {
  const running = sentinels.filter(isRunning);
  const replicas = nodes.filter(isRunning).length - 1;
  const seen = await Promise.all(running.map((sentinel) => viewOf(sentinel)));
  const master = nodes.find(({ port }) => String(port) === seen[0]?.get('port'));
  if (master === undefined || !isRunning(master)) return false;
  for (const view of seen) {
    if (view.get('port') !== String(master.port) || view.get('flags') !== 'master') return false;
    if (Number(view.get('num-other-sentinels')) < running.length - 1) return false;
    if (Number(view.get('num-slaves')) < replicas) return false;
  }
  return (await followersOf(master)) >= replicas;
}

async function viewOf(sentinel: RedisNode): Promise<Map<string, string>> {
  const flat = (await sentinel.call('SENTINEL', 'MASTER', masterName)) as string[];
  const view = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2) view.set(flat[index] ?? '', flat[index + 1] ?? '');
  return view;
}

/** How many replicas are in sync with a master. */
export async function followersOf(master: RedisNode): Promise<number> {
  const text = String(await master.call('INFO', 'replication'));
  if (!text.includes('role:master')) return -1;
  return [...text.matchAll(/^slave\d+:.*state=online/gm)].length;
}
