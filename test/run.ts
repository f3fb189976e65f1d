/**
 * Runs the tests: unit tests beside the files side by side, then the whole-system ones under test/ one at a
 * time (they start processes and measure nothing, but want the machine to themselves). Ends with the line
 * `N passed, N failed[, N skipped]`.
 *
 * Usage: node dist/test/run.js [part of a path ...]
 */
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { projectRoot } from './project.ts';

const dist = fileURLToPath(new URL('..', import.meta.url));
/** One test file may take this long: a hang must not eat the whole run. */
const fileTimeoutMs = 240_000;

const found = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && !file.endsWith('.live.test.js'))
  .filter((file) => !file.includes('node_modules'))
  // what an older build left behind has no source any more
  .filter((file) => existsSync(join(projectRoot, file.replace(/\.js$/, '.ts'))))
  .sort();
const wanted = process.argv.slice(2);
const chosen =
  wanted.length === 0 ? found : found.filter((file) => wanted.some((part) => file.includes(part)));
if (chosen.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(', ')}\n`);
  process.exit(1);
}
const isWhole = (file: string) => file.startsWith('test/');

const totals = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];

/** Runs files and adds what happened to the totals. */
async function runFiles(files: string[], concurrency: number): Promise<void> {
  if (files.length === 0) return;
  const paths = files.map((file) => join(dist, file));
  const stream = run({ files: paths, concurrency, timeout: fileTimeoutMs });
  const ofFile = (name: string) => name.endsWith('.test.js');
  stream.on('test:pass', (event) => {
    if (event.details.type === 'suite') return;
    if (event.skip !== undefined && event.skip !== false) totals.skipped += 1;
    else if (!ofFile(event.name)) totals.passed += 1;
  });
  stream.on('test:fail', (event) => {
    if (event.details.type === 'suite') return;
    totals.failed += 1;
    failures.push(`${event.file === undefined ? '' : `${relative(dist, event.file)}: `}${event.name}`);
  });
  const report = stream.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await new Promise((resolve, reject) => {
    report.on('end', resolve);
    report.on('error', reject);
  });
}

await runFiles(
  chosen.filter((file) => !isWhole(file)),
  Math.max(2, availableParallelism()),
);
await runFiles(chosen.filter(isWhole), 1);
for (const failure of failures) process.stdout.write(`failed: ${failure}\n`);
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed${skipped}\n`);
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0);
