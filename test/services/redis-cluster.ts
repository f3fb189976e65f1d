/** A Redis cluster: masters that share the slots evenly, each with replicas. */
import { join } from 'node:path';
import type { ServerTls } from './certificates.ts';
import { install } from './install.ts';
import { temporaryFolder } from './places.ts';
import { freePorts, host } from './ports.ts';
import { createRedisNode, type RedisNode } from './redis-node.ts';
import { followersOf, replicationLines } from './redis-sentinel.ts';
import { eachNode, withFreshPorts } from './server-process.ts';
import { until } from './until.ts';

export interface ClusterStartOptions {
  /** Default 3. */
  masters?: number;
  /** Replicas of each master. Default 1. */
  replicasEach?: number;
  /** A node that does not answer for so long is taken for dead. Default 1,000. */
  nodeTimeoutMs?: number;
  password?: string;
  tls?: ServerTls;
  /** What was acknowledged by a node outlives its `kill()`. */
  appendonly?: boolean;
  /** Of the first node; the others' are free ones. */
  port?: number;
  /** More lines of each node's redis.conf. */
  config?: readonly string[];
}

export interface RedisCluster {
  /** The masters of the beginning, then their replicas. */
  readonly nodes: readonly RedisNode[];
  /** As ioredis wants them. */
  readonly addresses: readonly { host: string; port: number }[];
  /** The running nodes that hold slots now. */
  masters(): Promise<RedisNode[]>;
  /** The node that answers for a key's slot now. */
  ownerOf(key: string): Promise<RedisNode>;
  /** The running replicas of a running master. */
  replicasOf(master: RedisNode): Promise<RedisNode[]>;
  /** All running nodes say that the cluster is whole and agree who is who; running replicas are in sync. */
  untilSettled(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

interface Seat {
  node: RedisNode;
  busPort: number;
}

const slots = 16_384;

export function startRedisCluster(options: ClusterStartOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicasEach = 1 } = options;
  return withFreshPorts(options.port !== undefined, async () => {
    await install(['redis']);
    const seats = await createSeats(masters * (1 + replicasEach), options);
    const nodes = seats.map(({ node }) => node);
    const untilSettled = () => until('the cluster is whole and in sync', () => isSettled(nodes));
    const cluster: RedisCluster = {
      nodes,
      addresses: nodes.map(({ port }) => ({ host, port })),
      masters: async () =>
        (await viewOf(nodes)).filter(holdsSlots).flatMap(({ port }) => nodeAt(nodes, port)),
      ownerOf: (key) => ownerOf(nodes, key),
      replicasOf: (master) => replicasOf(nodes, master),
      untilSettled,
      kill: () => eachNode(nodes, (node) => node.kill()),
      stop: () => eachNode(nodes, (node) => node.stop()),
      start: async () => {
        await eachNode(nodes, (node) => node.start());
        await untilSettled();
      },
    };
    try {
      await eachNode(nodes, (node) => node.start());
      await meet(seats, masters);
      await untilSettled();
    } catch (error) {
      await cluster.kill();
      throw error;
    }
    return cluster;
  });
}

async function createSeats(count: number, options: ClusterStartOptions): Promise<Seat[]> {
  const { nodeTimeoutMs = 1_000, password, tls } = options;
  const folder = temporaryFolder('cluster');
  const seats: Seat[] = [];
  for (let index = 0; index < count; index += 1) {
    const [free = 0, busPort = 0] = await freePorts(2);
    const port = index === 0 && options.port !== undefined ? options.port : free;
    const config = [
      `bind ${host}`,
      'cluster-enabled yes',
      // ioredis never connects to a cluster of one node that does not know its own address
      `cluster-announce-ip ${host}`,
      `cluster-port ${busPort}`,
      `cluster-node-timeout ${nodeTimeoutMs}`,
      ...replicationLines(password),
      ...(options.appendonly === true ? ['appendonly yes', 'appendfsync everysec'] : []),
      ...(options.config ?? []),
    ];
    const own = join(folder, String(index));
    const name = `redis ${port} of a cluster`;
    seats.push({ node: createRedisNode({ name, port, folder: own, config, password, tls }), busPort });
  }
  return seats;
}

/** Makes one cluster of nodes that know nothing of one another. */
async function meet(seats: readonly Seat[], masters: number): Promise<void> {
  const nodes = seats.map(({ node }) => node);
  const ids = await Promise.all(nodes.map(async (node) => String(await node.call('CLUSTER', 'MYID'))));
  const all = async (act: (node: RedisNode, index: number) => Promise<unknown>) => {
    await Promise.all(nodes.map(act));
  };
  await all(async (node, index) => {
    if (index < masters) {
      const from = Math.floor((slots * index) / masters);
      const to = Math.floor((slots * (index + 1)) / masters) - 1;
      await node.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    }
    // each an epoch of its own, so that none has to be settled between them
    await node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  });
  const first = seats[0];
  if (first === undefined) throw new Error('a cluster has at least one master');
  await all(async (node, index) => {
    if (index > 0) await node.call('CLUSTER', 'MEET', host, first.node.port, first.busPort);
  });
  await all((node) =>
    until('every node of the cluster knows every other', async () => {
      const view = parseView(String(await node.call('CLUSTER', 'NODES')));
      return view.length === nodes.length && view.every(({ flags }) => !flags.includes('handshake'));
    }),
  );
  await all(async (node, index) => {
    if (index < masters) return;
    await node.call('CLUSTER', 'REPLICATE', ids[index % masters] ?? '');
  });
}

interface Seen {
  id: string;
  port: number;
  flags: string[];
  /** The id of its master. */
  follows: string;
  slots: string[];
}

/** The answer of CLUSTER NODES. */
function parseView(text: string): Seen[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', address = '', flags = '', follows = '', , , , , ...own] = line.split(' ');
      const port = Number(/:(\d+)@/.exec(address)?.[1] ?? 0);
      return { id, port, flags: flags.split(','), follows, slots: own };
    });
}

const isRunning = (node: RedisNode) => node.pid !== undefined;
const holdsSlots = ({ flags, slots: own }: Seen) =>
  flags.includes('master') && !flags.includes('fail') && own.length > 0;

function nodeAt(nodes: readonly RedisNode[], port: number): RedisNode[] {
  return nodes.filter((node) => node.port === port && isRunning(node));
}

/** The cluster as the first running node that belongs to it sees it. */
async function viewOf(nodes: readonly RedisNode[]): Promise<Seen[]> {
  const asked = nodes.find(isRunning);
  if (asked === undefined) throw new Error('no node of the cluster runs');
  return parseView(String(await asked.call('CLUSTER', 'NODES')));
}

async function ownerOf(nodes: readonly RedisNode[], key: string): Promise<RedisNode> {
  const asked = nodes.find(isRunning);
  const slot = Number(await asked?.call('CLUSTER', 'KEYSLOT', key));
  const owner = (await viewOf(nodes)).filter(holdsSlots).find((seen) =>
    seen.slots.some((range) => {
      const [from = '', to = from] = range.split('-');
      return slot >= Number(from) && slot <= Number(to);
    }),
  );
  const [node] = nodeAt(nodes, owner?.port ?? 0);
  if (node === undefined) throw new Error(`no running node holds slot ${slot} of ${key}`);
  return node;
}

async function replicasOf(nodes: readonly RedisNode[], master: RedisNode): Promise<RedisNode[]> {
  const view = await viewOf(nodes);
  const id = view.find(({ port }) => port === master.port)?.id;
  return view.filter(({ follows }) => follows === id).flatMap(({ port }) => nodeAt(nodes, port));
}

/** Who follows whom and who holds what, of the running nodes, in one text. */
function rolesIn(view: readonly Seen[], running: readonly RedisNode[]): string {
  return view
    .filter(({ port }) => nodeAt(running, port).length > 0)
    .map((seen) => `${seen.id} ${seen.flags.includes('fail')} ${seen.follows} ${seen.slots.join(',')}`)
    .sort()
    .join('\n');
}

async function isSettled(nodes: readonly RedisNode[]): Promise<boolean> {
  const running = nodes.filter(isRunning);
  const states = await Promise.all(running.map(async (node) => String(await node.call('CLUSTER', 'INFO'))));
  if (!states.every((state) => state.includes('cluster_state:ok'))) return false;
  const views = await Promise.all(running.map((node) => viewOf([node])));
  const [first, ...others] = views.map((view) => rolesIn(view, running));
  if (others.some((roles) => roles !== first)) return false;
  let inSync = 0;
  for (const seen of (await viewOf(nodes)).filter(holdsSlots)) {
    const [master] = nodeAt(nodes, seen.port);
    const followers = master === undefined ? -1 : await followersOf(master);
    if (followers < 0) return false;
    inSync += 1 + followers;
  }
  return inSync === running.length;
}
