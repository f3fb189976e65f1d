/**
 * `npm run services`: real Redis, Kafka, Cassandra and Gremlin servers on loopback, for development. Installs
 * what is missing, keeps the data between runs, and prints the addresses as variables of `rankcast`.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { askState, askToStop, control, type ServicesState } from './control.ts';
import { install, type Service, services } from './install.ts';
import {
  addressVariables,
  type LocalServer,
  type LocalServices,
  localPorts,
  startLocalServices,
} from './local-services.ts';
import { servicesDir } from './places.ts';
import { isListening } from './ports.ts';

type UpFlags = Record<`${Service}Port`, number> & { fresh: boolean; detach: boolean };

const program = new Command('services')
  .description('Real servers on loopback, as plain processes. Data is kept in the services folder.')
  .showHelpAfterError();
const which = () => new Argument('[names...]', 'which servers; none: all').choices(services);

const up = program
  .command('up', { isDefault: true })
  .description('start the servers and keep them until Ctrl-C')
  .addArgument(which())
  .option('--fresh', 'throw the data of earlier runs away', false)
  .option('--detach', 'return when they answer; `down` stops them', false);
for (const name of services) {
  const option = new Option(`--${name}-port <port>`, `port of ${name}; the two above it are its own too`);
  up.addOption(
    option.default(localPorts[name]).env(`RANKCAST_SERVICES_${name.toUpperCase()}_PORT`).argParser(parsePort),
  );
}
up.action((names: Service[], flags: UpFlags) => (flags.detach ? detach() : stay(names, flags)));

program
  .command('down')
  .description('stop the servers that run')
  .action(async () => {
    print((await askToStop()) ? 'stopped' : 'none runs');
  });

program
  .command('status')
  .description('which servers run and answer; exit code 1 when one does not')
  .action(async () => {
    const state = await askState();
    if (state === null) print('none runs');
    else print(`${state.state}, process ${state.pid}`);
    let allAnswer = state !== null && state.state === 'up';
    for (const server of state?.servers ?? []) {
      const answers = await isListening(portOf(server.address));
      allAnswer &&= answers;
      const size = server.pid === undefined ? '' : memoryOf(server.pid);
      print(`${server.name.padEnd(10)} ${answers ? 'up  ' : 'down'} ${server.address} ${size}`.trimEnd());
    }
    if (!allAnswer) process.exitCode = 1;
  });

program
  .command('env')
  .description('the addresses of the servers that run: eval "$(... env --export)"')
  .option('--export', 'for a shell', false)
  .action(async (flags: { export: boolean }) => {
    const state = await askState();
    if (state === null || state.state !== 'up') {
      process.stderr.write('no servers run: `npm run services -- up --detach`\n');
      process.exitCode = 1;
      return;
    }
    for (const line of variables(state.servers)) print(flags.export ? `export ${line}` : line);
  });

program
  .command('install')
  .description('fetch what is missing, start nothing')
  .addArgument(which())
  .action((names: Service[]) => install(names.length === 0 ? services : names));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

/** Runs the servers in this process until it is told to end. */
async function stay(names: Service[], flags: UpFlags): Promise<void> {
  let running: LocalServices | undefined;
  let state: ServicesState['state'] = 'starting';
  let enough = (): void => undefined;
  const toldToEnd = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const current = () => ({ pid: process.pid, state, servers: running?.servers ?? [] });
  if (!(await control(current, enough))) return sayWhatRuns();
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      signals += 1;
      // the second time it has no patience; what still runs is killed as this process ends
      if (signals > 1 || state === 'starting') process.exit(130);
      enough();
    });
  }
  running = await startLocalServices({
    names: names.length === 0 ? services : names,
    ports: portsOf(flags),
    fresh: flags.fresh,
  });
  state = 'up';
  print(variables(running.servers).join('\n'));
  print('# Ctrl-C stops them; their data is kept');
  // servers do not hold the process
  const held = setInterval(() => undefined, 1 << 30);
  await toldToEnd;
  clearInterval(held);
  state = 'stopping';
  print('stopping');
  await running.stop();
  process.exit(0);
}

/** Has a process of its own run them, and returns when they answer. */
async function detach(): Promise<void> {
  if ((await askState()) !== null) return sayWhatRuns();
  const words = process.argv.slice(2).filter((word) => word !== '--detach');
  mkdirSync(servicesDir, { recursive: true });
  const logFile = join(servicesDir, 'up.log');
  const log = openSync(logFile, 'w');
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...words], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  let ended = false;
  child.on('exit', () => {
    ended = true;
  });
  for (;;) {
    const state = await askState();
    if (state?.state === 'up') return print(variables(state.servers).join('\n'));
    if (ended) throw new Error(`the servers did not start:\n${readFileSync(logFile, 'utf8').trim()}`);
    await delay(100);
  }
}

async function sayWhatRuns(): Promise<void> {
  const state = await askState();
  print(`# running already, in process ${state?.pid}`);
  if (state !== null) print(variables(state.servers).join('\n'));
}

function variables(servers: readonly LocalServer[]): string[] {
  return servers.map(({ name, address }) => `${addressVariables[name]}=${address}`);
}

function portsOf(flags: UpFlags): typeof localPorts {
  return {
    redis: flags.redisPort,
    kafka: flags.kafkaPort,
    cassandra: flags.cassandraPort,
    gremlin: flags.gremlinPort,
  };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_533) {
    throw new InvalidArgumentError('a port is a whole number from 1 to 65533');
  }
  return port;
}

function portOf(address: string): number {
  return Number(/:(\d+)/.exec(address)?.[1] ?? 0);
}

function memoryOf(pid: number): string {
  try {
    const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return `pid ${pid}, ${Math.round(Number(kib) / 1024)} MiB`;
  } catch {
    return `pid ${pid}`;
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
