/**
 * `npm run test:live`: the tests on real servers (`*.live.test.ts`). Installs what is missing, starts the
 * servers that the chosen files share, runs the files one at a time, and stops the servers however it ends.
 * The last line is `N passed, N failed[, N skipped]`.
 *
 * Usage: node dist/test/live.js [part of a path ...]
 *
 * A file may say in its first comment `@live timeout=600s` (for all its tests together; else 240 s) and
 * `@live side-by-side` (it measures nothing and may run beside others of that kind).
 */
import { dirname, join, relative } from 'node:path';
import { projectRoot } from './project.ts';
import { install, services } from './services/install.ts';
import { type SharedService, sharedNames, startShared } from './services/shared.ts';
import { createTestRun, findTests, readSource } from './test-run.ts';

const fileTimeoutMs = 240_000;
const sideBySide = 2;

interface LiveFile {
  file: string;
  isSideBySide: boolean;
  timeoutMs: number;
}

const wanted = process.argv.slice(2);
const chosen = findTests('live', wanted).map(readMarks);
if (chosen.length === 0) {
  process.stderr.write(
    wanted.length === 0 ? 'no live test\n' : `no live test matches ${wanted.join(', ')}\n`,
  );
  process.exit(1);
}

const tests = createTestRun();
const interrupted = new AbortController();
const started: { stop(): Promise<void> }[] = [];
const wallTimes: string[] = [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(130);
    tests.fail(`the run was ended by ${signal}`);
    interrupted.abort();
  });
}

try {
  await startServers();
  for (const one of chosen) if (!one.isSideBySide) await runTimed(one);
  const together = chosen.filter((one) => one.isSideBySide);
  const runNext = async () => {
    for (let one = together.shift(); one !== undefined; one = together.shift()) await runTimed(one);
  };
  await Promise.all(Array.from({ length: sideBySide }, runNext));
} catch (error) {
  tests.fail(error instanceof Error ? error.message : String(error));
} finally {
  await Promise.allSettled(started.map((server) => server.stop()));
}
process.stdout.write(`${wallTimes.join('\n')}\n`);
process.exit(tests.close());

async function startServers(): Promise<void> {
  const needed = sharedBy(chosen.map(({ file }) => file));
  const begun = Date.now();
  // of a part only what it surely needs: a file that starts its own servers installs them
  await install(wanted.length === 0 ? services : needed);
  const unset = needed.filter((service) => (process.env[sharedNames[service]] ?? '') === '');
  await Promise.all(
    unset.map(async (service) => {
      const server = await startShared[service]();
      started.push(server);
      process.env[sharedNames[service]] = server.address;
    }),
  );
  const said = needed.map((service) => `${service} ${process.env[sharedNames[service]]}`);
  process.stdout.write(`servers in ${seconds(Date.now() - begun)}: ${said.join(', ') || 'none shared'}\n`);
}

async function runTimed({ file, timeoutMs }: LiveFile): Promise<void> {
  const { signal } = interrupted;
  if (signal.aborted) return;
  const begun = Date.now();
  await tests.runFiles([file], { concurrency: 1, fileTimeoutMs: timeoutMs, signal });
  wallTimes.push(`${seconds(Date.now() - begun).padStart(8)}  ${file}`);
}

function readMarks(file: string): LiveFile {
  const marks = [...readSource(file).matchAll(/^\s*(?:\/\*\*|\*|\/\/).*@live (.*)$/gm)];
  const words = marks.flatMap((mark) => (mark[1] ?? '').split(/[\s,]+/));
  const timeout = words
    .map((word) => /^timeout=(\d+)s$/.exec(word)?.[1])
    .find((found) => found !== undefined);
  return {
    file,
    isSideBySide: words.includes('side-by-side'),
    timeoutMs: timeout === undefined ? fileTimeoutMs : Number(timeout) * 1_000,
  };
}

/** The servers whose `sharedX` or variable a file, or one that it imports, names. */
function sharedBy(files: readonly string[]): SharedService[] {
  const words: Record<SharedService, string> = {
    redis: 'sharedRedis',
    kafka: 'sharedKafka',
    cassandra: 'sharedCassandra',
    gremlin: 'sharedGremlin',
  };
  const found = new Set<SharedService>();
  const seen = new Set<string>();
  const open = [...files];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file) || file.startsWith('test/services/shared')) continue;
    seen.add(file);
    const source = readSource(file);
    for (const service of Object.keys(words) as SharedService[]) {
      if (source.includes(words[service]) || source.includes(sharedNames[service])) found.add(service);
    }
    for (const match of source.matchAll(/(?:from|import\()\s*'(\.[^']+)\.ts'/g)) {
      const target = join(projectRoot, dirname(file), `${match[1]}.js`);
      open.push(relative(projectRoot, target));
    }
  }
  return (Object.keys(words) as SharedService[]).filter((service) => found.has(service));
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
