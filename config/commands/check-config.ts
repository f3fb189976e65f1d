import { uwsLoads } from '../../edge/sockets/open-sockets.ts';
import { describeOptions, loadOptions } from '../load-options.ts';

/** Prints every option as `all` would use it, secrets masked; throws `ConfigError` like `all`. */
export function checkConfig(flags: Record<string, unknown>): void {
  const options = loadOptions(
    { flags, environment: process.env, file: flags['config'] as string | undefined },
    true,
  );
  process.stdout.write(`${JSON.stringify(describeOptions(options), null, 2)}\n`);
}

/** Which socket library loads on this machine. */
export async function printAdapter(): Promise<void> {
  const adapter = (await uwsLoads()) ? 'uws' : 'ws';
  process.stdout.write(`${adapter}\n`);
}
