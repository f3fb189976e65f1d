/** What the runners share: finding test files, running them, and the closing line. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { projectRoot } from './project.ts';

const dist = fileURLToPath(new URL('..', import.meta.url));

/** The source of a built file. */
const sourceOf = (file: string) => join(projectRoot, file.replace(/\.js$/, '.ts'));

/** What stands in a test file's source. */
export const readSource = (file: string) => readFileSync(sourceOf(file), 'utf8');

/**
 * The built test files, from the root of the build, sorted; `live` ones want real servers. With parts of
 * paths only those that have one of them.
 */
export function findTests(kind: 'live' | 'unaided', wanted: readonly string[]): string[] {
  const found = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js') && file.endsWith('.live.test.js') === (kind === 'live'))
    .filter((file) => !file.includes('node_modules'))
    // what an older build left behind has no source any more
    .filter((file) => existsSync(sourceOf(file)))
    .sort();
  if (wanted.length === 0) return found;
  return found.filter((file) => wanted.some((part) => file.includes(part)));
}

export interface RunFilesOptions {
  concurrency: number;
  /** A file that takes longer fails: a hang must not eat the whole run. */
  fileTimeoutMs: number;
  signal?: AbortSignal;
}

export interface TestRun {
  runFiles(files: readonly string[], options: RunFilesOptions): Promise<void>;
  /** A failure outside a test file. */
  fail(sentence: string): void;
  /** Prints the failures again and the line `N passed, N failed[, N skipped]`; answers the exit code. */
  close(): number;
}

export function createTestRun(): TestRun {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  const failures: string[] = [];
  const ofFile = (name: string) => name.endsWith('.test.js');

  async function runFiles(files: readonly string[], options: RunFilesOptions): Promise<void> {
    if (files.length === 0) return;
    const { concurrency, fileTimeoutMs: timeout, signal } = options;
    const paths = files.map((file) => join(dist, file));
    const stream = run({ files: paths, concurrency, timeout, ...(signal === undefined ? {} : { signal }) });
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

  return {
    runFiles,
    fail(sentence) {
      totals.failed += 1;
      failures.push(sentence);
    },
    close() {
      for (const failure of failures) process.stdout.write(`failed: ${failure}\n`);
      const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
      process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed${skipped}\n`);
      return totals.failed > 0 || totals.passed === 0 ? 1 : 0;
    },
  };
}
