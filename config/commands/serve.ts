import { type Logger, pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { systemClock } from '../../channels/clock.ts';
import type { Edge } from '../../edge/edge.ts';
import {
  type Part,
  type PartContext,
  type Roles,
  startEdge,
  startOps,
  startWorkers,
  type WorkerRole,
  workerRoleNames,
} from '../compose.ts';
import { type EngineNeeds, embeddedServers, openEngines } from '../engines.ts';
import { loadOptions } from '../load-options.ts';
import { ConfigError, type Options } from '../options.ts';
import { exitCodes } from './command-error.ts';
import type { EdgeProcesses } from './edge-processes.ts';
import { type EndSignal, endSignal } from './end-signal.ts';
import { supervisedProcess } from './supervised.ts';

/** Roles as named on the command line; none: all. */
export function workerRoles(names: readonly string[]): WorkerRole[] {
  const unknown = names.filter((name) => !(workerRoleNames as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw new ConfigError(
      unknown.map((name) => `${name} is no worker; there are ${workerRoleNames.join(', ')}`),
    );
  }
  if (names.includes('archive') && !names.includes('ranker')) {
    throw new ConfigError(['the archive worker keeps the boards of a ranker: name ranker beside it']);
  }
  return names.length === 0 ? [...workerRoleNames] : (names as WorkerRole[]);
}

function needsOf({ edge, workers }: Roles): EngineNeeds {
  return {
    graph: workers.includes('graph') || workers.includes('followers'),
    archive: edge || workers.includes('ranker'),
    shared: !edge || workers.length < workerRoleNames.length,
  };
}

/**
 * Runs the roles until SIGTERM or SIGINT: then drains, closes in the order of the data's way, and exits 0.
 * The first line on stdout is JSON with the ports; the log goes to stderr.
 */
export async function serve(flags: Record<string, unknown>, roles: Roles): Promise<void> {
  // Before anything is open: process 1 of a container is not ended by a signal that nobody handles.
  const supervised = supervisedProcess();
  const atOnce: (() => void)[] = [];
  const end = supervised?.end ?? endSignal(atOnce);
  const file = flags['config'] as string | undefined;
  const options = loadOptions({ flags, environment: process.env, file }, roles.edge);
  const logger = pino(
    { level: options.logLevel, base: { pid: process.pid } },
    pino.destination({ fd: 2, sync: true }),
  );
  if (supervised === null && options.processes > 1) {
    await serveProcesses(options, roles, { end, atOnce, logger });
    return;
  }
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const surroundings = { options, clock: systemClock, logger, registry };
  const engines = await openEngines(surroundings, needsOf(roles));
  const context: PartContext = { ...surroundings, engines };

  const workers: Part[] = [];
  let edge: Edge | null = null;
  let opsPort = 0;
  const close = () =>
    closeAll(logger, [
      async () => edge?.drain(),
      ...workers.reverse().map((part) => () => part.close()),
      () => engines.close(),
    ]);
  try {
    await startWorkers(context, roles.workers, workers, () => end.asked);
    if (roles.edge && !end.asked) {
      edge = await startEdge(context, workers, supervised ?? undefined);
      opsPort = edge.opsPort;
    } else if (!end.asked) {
      const ops = await startOps(context, workers);
      opsPort = ops.port;
      workers.push({ name: 'ops', ready: () => true, close: () => ops.close() });
    }
  } catch (error) {
    await close();
    throw error;
  }
  const adapter = edge?.adapter ?? null;
  if (supervised !== null && edge !== null) supervised.tellListening(edge.port, edge.adapter);
  else if (!end.asked) printLine({ port: edge?.port ?? null, opsPort, adapter });
  const reload = (): void => void edge?.reloadCertificate();
  process.on('SIGHUP', reload);
  supervised?.onReload(reload);
  await end.signal;
  logger.info('asked to end');
  const closed = await close();
  logger.info('ended');
  // what others left open (a timer of a library) must not keep a drained process
  process.exit(closed ? 0 : exitCodes.failed);
}

/** In this order, each whatever became of the others: what is written last must be written. */
async function closeAll(logger: Logger, steps: readonly (() => Promise<unknown>)[]): Promise<boolean> {
  let well = true;
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      well = false;
      logger.error({ err: error }, 'a part could not be closed');
    }
  }
  return well;
}

/** An edge of several processes; this one takes no sockets: it starts, watches and ends the others. */
async function serveProcesses(
  options: Options,
  roles: Roles,
  { end, atOnce, logger }: { end: EndSignal; atOnce: (() => void)[]; logger: Logger },
): Promise<void> {
  const faults = processesFaults(options, roles);
  if (faults.length > 0) throw new ConfigError(faults);
  const { StartError, startEdgeProcesses } = await import('./edge-processes.ts');
  let edge: EdgeProcesses;
  try {
    const [program = '', args] = [process.argv[1], process.argv.slice(2)];
    edge = await startEdgeProcesses({ options, program, args, clock: systemClock, logger });
  } catch (error) {
    if (error instanceof StartError) process.exit(error.exitCode);
    throw error;
  }
  atOnce.push(() => edge.kill());
  process.on('SIGHUP', () => edge.reload());
  const { port, opsPort, adapter } = edge;
  printLine({ port, opsPort, adapter, processes: options.processes });
  void end.signal.then(() => {
    logger.info('asked to end');
    edge.end();
  });
  process.exit(await edge.ended);
}

function processesFaults(options: Options, roles: Roles): string[] {
  if (!roles.edge || roles.workers.length > 0) {
    return ['--processes is an option of `edge`: `all` is one process, and workers scale by starting more'];
  }
  return embeddedServers(options, needsOf(roles)).map(
    ({ server, flags }) =>
      `${server} is embedded, which belongs to one process: for --processes give ${flags}`,
  );
}

function printLine(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
