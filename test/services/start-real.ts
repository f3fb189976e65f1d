/**
 * `npm run start:real`: the demo on real servers, every role a process of its own: an edge, two ranker
 * replicas, a graph and two followers workers, over Redis, Kafka, Gremlin and Cassandra. Takes the servers
 * that the environment names (`RANKCAST_REDIS_URL` and the like), or those of `npm run services`, or starts
 * them. Flags are those of `npm start`; `--fresh` also empties servers that it starts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { askState } from './control.ts';
import {
  addressVariables,
  type LocalServer,
  type LocalServices,
  startLocalServices,
} from './local-services.ts';

const cli = fileURLToPath(new URL('../../config/main.js', import.meta.url));
const demo = fileURLToPath(new URL('../../demo/start.js', import.meta.url));
/** Apart from that of `npm start`: its progress belongs to the servers' data. */
const folder = '.rankcast/real';
/** A worker that ended is started again after so long, as a cluster's scheduler would. */
const restartMs = 1_000;

interface WorkerProcess {
  name: string;
  args: readonly string[];
  child: ChildProcess | null;
}
const workers: WorkerProcess[] = [
  { name: 'ranker-0', args: ['worker', 'ranker', 'archive', '--replica', '0'], child: null },
  { name: 'ranker-1', args: ['worker', 'ranker', 'archive', '--replica', '1'], child: null },
  { name: 'graph', args: ['worker', 'graph'], child: null },
  { name: 'followers-0', args: ['worker', 'followers'], child: null },
  { name: 'followers-1', args: ['worker', 'followers'], child: null },
];
let ending = false;

/** Where servers are, and what processes are told of them. */
interface Servers {
  addresses: { name: string; address: string }[];
  environment: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

/** The servers of the environment, all four; null where any is not named. */
function namedServers(): Servers | null {
  const addresses = Object.entries(addressVariables).map(([name, variable]) => ({
    name,
    address: process.env[variable] ?? '',
  }));
  if (addresses.some(({ address }) => address === '')) return null;
  const kept = Object.entries(process.env).filter(([name]) => !/^RANKCAST_(TEST|SERVICES)_/.test(name));
  return { addresses, environment: Object.fromEntries(kept), stop: async () => undefined };
}

async function localServers(fresh: boolean): Promise<Servers> {
  const running = await askState();
  let own: LocalServices | null = null;
  let servers: readonly LocalServer[] = running?.state === 'up' ? running.servers : [];
  if (servers.length < Object.keys(addressVariables).length) {
    process.stdout.write('Starting Redis, Kafka, Cassandra and a Gremlin server.\n');
    own = await startLocalServices({ fresh });
    servers = own.servers;
  } else if (fresh) {
    throw new Error('--fresh: the servers run already; end them first (npm run services -- down)');
  }
  return {
    addresses: servers.map(({ name, address }) => ({ name, address })),
    environment: environmentOf(servers),
    stop: async () => own?.stop(),
  };
}

function environmentOf(servers: readonly LocalServer[]): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('RANKCAST_'));
  const addresses = servers.map(({ name, address }) => [addressVariables[name], address]);
  return {
    ...Object.fromEntries([...inherited, ...addresses]),
    // one broker and one node: no copies to be had
    RANKCAST_KAFKA_REPLICATION: '1',
    RANKCAST_KAFKA_MIN_INSYNC: '1',
    RANKCAST_CASSANDRA_REPLICATION: '1',
  };
}

function startWorker(worker: WorkerProcess, env: NodeJS.ProcessEnv): Promise<void> {
  const log = openSync(join(folder, `${worker.name}.log`), 'a');
  const args = [cli, ...worker.args, '--data', join(folder, worker.name), '--ops-port', '0'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', log] });
  closeSync(log);
  worker.child = child;
  child.once('exit', (code, signal) => {
    worker.child = null;
    if (ending) return;
    process.stdout.write(`${worker.name} ended by ${signal ?? `code ${code}`}; it is started again.\n`);
    delay(restartMs).then(() => {
      if (!ending) void startWorker(worker, env);
    });
  });
  return new Promise((resolve) => {
    child.stdout?.once('data', () => resolve());
    child.once('exit', () => resolve());
  });
}

async function main(): Promise<number> {
  const flags = process.argv.slice(2);
  const fresh = flags.includes('--fresh');
  const servers = namedServers() ?? (await localServers(fresh));
  const env = servers.environment;
  if (fresh) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const [first, ...others] = workers;
    // alone, for it makes the topics and the keyspace
    if (first !== undefined) await startWorker(first, env);
    await Promise.all(others.map((worker) => startWorker(worker, env)));
    for (const { name, address } of servers.addresses)
      process.stdout.write(`  ${name.padEnd(12)} ${address}\n`);
    for (const { name, child } of workers)
      process.stdout.write(`  ${name.padEnd(12)} process ${child?.pid}\n`);
    process.stdout.write('Any worker may be ended with kill -9: nothing is lost, and it comes back.\n\n');
    return await runDemo(flags, env);
  } finally {
    ending = true;
    await Promise.all(workers.map(({ child }) => endChild(child)));
    await servers.stop();
  }
}

/** Ctrl-C reaches the demo as it reaches this process; both wait for its end. */
function runDemo(flags: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const args = [demo, '--workers-apart', '--folder', folder, ...flags];
  const child = spawn(process.execPath, args, { env, stdio: 'inherit' });
  process.on('SIGINT', () => {
    ending = true;
  });
  process.on('SIGTERM', () => {
    ending = true;
    child.kill('SIGTERM');
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function endChild(child: ChildProcess | null): Promise<void> {
  if (child === null) return Promise.resolve();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  return ended;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
