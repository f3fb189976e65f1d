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
import { type EngineNeeds, openEngines } from '../engines.ts';
import { loadOptions } from '../load-options.ts';
import { ConfigError } from '../options.ts';
import { exitCodes } from './command-error.ts';

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
  const end = endSignal();
  const file = flags['config'] as string | undefined;
  const options = loadOptions({ flags, environment: process.env, file }, roles.edge);
  const logger = pino(
    { level: options.logLevel, base: { pid: process.pid } },
    pino.destination({ fd: 2, sync: true }),
  );
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
      edge = await startEdge(context, workers);
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
  if (!end.asked) {
    process.stdout.write(
      `${JSON.stringify({ port: edge?.port ?? null, opsPort, adapter: edge?.adapter ?? null })}\n`,
    );
  }
  process.on('SIGHUP', () => void edge?.reloadCertificate());
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

interface EndSignal {
  readonly asked: boolean;
  readonly signal: Promise<void>;
}

/** The first SIGTERM or SIGINT; a second one ends the process at once. */
function endSignal(): EndSignal {
  let asked = false;
  const signal = new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (asked) process.exit(exitCodes.failed);
        asked = true;
        resolve();
      });
    }
  });
  return {
    get asked() {
      return asked;
    },
    signal,
  };
}
