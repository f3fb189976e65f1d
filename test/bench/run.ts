/**
 * `npm run bench [name ...]`: runs the benches, each in a fresh process, and prints a table of each. To add
 * one, write a `Bench` and put it into the list.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Bench, Row } from './bench.ts';
import { busFramesBench } from './bus-frames.bench.ts';
import { busRedisBench } from './bus-redis.bench.ts';
import { edgeConnectBench } from './edge-connect.bench.ts';
import { edgeFramesBench } from './edge-frames.bench.ts';
import { edgeLatencyBench } from './edge-latency.bench.ts';
import { edgeMemoryBench } from './edge-memory.bench.ts';
import { followersPageBench } from './followers-page.bench.ts';
import { graphGremlinBench } from './graph-gremlin.bench.ts';
import { layoutsBench } from './layouts.bench.ts';
import { logKafkaBench } from './log-kafka.bench.ts';
import { rankerBench } from './ranker.bench.ts';
import { rankerMemoryBenches } from './ranker-memory.bench.ts';

const benches: readonly Bench[] = [
  ...rankerMemoryBenches,
  rankerBench,
  layoutsBench,
  busFramesBench,
  busRedisBench,
  edgeFramesBench,
  edgeConnectBench,
  edgeMemoryBench,
  edgeLatencyBench,
  logKafkaBench,
  graphGremlinBench,
  followersPageBench,
];

async function runChild(name: string): Promise<void> {
  const bench = benches.find((one) => one.name === name);
  if (bench === undefined) throw new Error(`no bench ${name}`);
  await bench.run((row) => process.send?.(row));
  process.disconnect();
}

async function runAll(wanted: readonly string[]): Promise<void> {
  const unknown = wanted.filter((name) => !benches.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    process.stderr.write(
      `no bench ${unknown.join(', ')}; there are ${benches.map(({ name }) => name).join(', ')}\n`,
    );
    process.exitCode = 1;
    return;
  }
  process.stdout.write(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}\n`);
  for (const bench of benches) {
    if (wanted.length > 0 && !wanted.includes(bench.name)) continue;
    process.stdout.write(`\n## ${bench.name}\n\n${bench.about}\n\n`);
    const child = fork(fileURLToPath(import.meta.url), ['--child', bench.name], {
      execArgv: ['--expose-gc'],
    });
    process.stdout.write('| what | measured | beside | target |\n| --- | --- | --- | --- |\n');
    child.on('message', (row) => {
      const { what, measured, beside, target } = row as Row;
      process.stdout.write(`| ${what} | ${measured} | ${beside} | ${target} |\n`);
    });
    const [code] = await once(child, 'exit');
    if (code !== 0) process.exitCode = 1;
  }
}

const args = process.argv.slice(2);
if (args[0] === '--child') await runChild(args[1] ?? '');
else await runAll(args);
