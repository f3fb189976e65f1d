import { pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from '../../channels/clock.ts';
import { repairUser } from '../../workers/followers/repair.ts';
import { openEngines } from '../engines.ts';
import { loadOptions } from '../load-options.ts';
import { ConfigError } from '../options.ts';
import { idProblems } from './flag-checks.ts';

/** Rebuilds a user's sorted sets from the graph and prints what was mended, a line of JSON per list. */
export async function repair(flags: Record<string, unknown>): Promise<void> {
  const user = String(flags['user']);
  const problems = idProblems('--user', user);
  if (problems.length > 0) throw new ConfigError(problems);
  const options = loadOptions(
    { flags, environment: process.env, file: flags['config'] as string | undefined },
    false,
  );
  const logger = pino({ level: options.logLevel }, pino.destination(2));
  const context = { options, clock: systemClock, logger, registry: new Registry() };
  const engines = await openEngines(context, { graph: true, archive: false, shared: true });
  try {
    const { graph, sets, bus } = engines;
    if (graph === null) throw new Error('the graph is not open');
    let interruptions = 0;
    bus.onReset(() => {
      interruptions += 1;
    });
    const mending = { ended: () => false, interruptions: () => interruptions };
    for (const list of await repairUser(graph, sets, user, mending)) {
      process.stdout.write(`${JSON.stringify(list)}\n`);
    }
  } finally {
    await engines.close();
  }
}
