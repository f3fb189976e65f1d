/**
 * Runs the tests: unit tests beside the files side by side, then the whole-system ones under test/ one at a
 * time (they start processes and measure nothing, but want the machine to themselves). Those that want real
 * servers (`*.live.test.ts`) are run by live.ts. Ends with the line `N passed, N failed[, N skipped]`.
 *
 * Usage: node dist/test/run.js [part of a path ...]
 */
import { availableParallelism } from 'node:os';
import { createTestRun, findTests } from './test-run.ts';

const fileTimeoutMs = 240_000;

const wanted = process.argv.slice(2);
const chosen = findTests('unaided', wanted);
if (chosen.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(', ')}\n`);
  process.exit(1);
}
const isWhole = (file: string) => file.startsWith('test/');
const tests = createTestRun();
await tests.runFiles(
  chosen.filter((file) => !isWhole(file)),
  // one more than there are cores: some files mostly wait
  { concurrency: availableParallelism() + 1, fileTimeoutMs },
);
await tests.runFiles(chosen.filter(isWhole), { concurrency: 1, fileTimeoutMs });
process.exit(tests.close());
