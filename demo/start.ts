/** The entry of `npm start`. */
import { fileURLToPath } from 'node:url';
import { systemClock } from '../client/clock.ts';
import { runDemo } from './demo.ts';
import { startDemoApi } from './demo-api.ts';
import { startGateway } from './gateway.ts';
import { isPageBuilt } from './page-folder.ts';
import { parseStartFlags, startHelp } from './start-options.ts';

async function main(): Promise<number> {
  const options = parseStartFlags(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(startHelp);
    return 0;
  }
  const page = fileURLToPath(new URL('../page/', import.meta.url));
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // the second time, whatever is still ending is left to itself
      if (stop.signal.aborted) process.exit(130);
      stop.abort();
    });
  }
  return await runDemo(options, {
    clock: systemClock,
    fetch,
    startGateway,
    startApi: startDemoApi,
    script: fileURLToPath(new URL('../config/main.js', import.meta.url)),
    page: isPageBuilt(page) ? page : null,
    startSeed: Date.now(),
    print: (text) => process.stdout.write(`${text}\n`),
    printError: (text) => process.stderr.write(`${text}\n`),
    signal: stop.signal,
  });
}

main().then(
  (code) => {
    process.exit(code);
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
