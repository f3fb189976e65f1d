import type { Plan, PlanInput, SitePlan } from './plan-arithmetic.ts';
import { planCapacity } from './plan-arithmetic.ts';
import { type PlanFlags, readPlanFlags } from './plan-flags.ts';

/** Prints what a load takes (docs/capacity.md). Its exit code is 1 where something will not do. */
export function plan(flags: PlanFlags): void {
  const input = readPlanFlags(flags);
  const planned = planCapacity(input);
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ input, plan: planned }, null, 2)}\n`);
  else process.stdout.write(describePlan(input, planned));
  if (planned.problems.length > 0) process.exitCode = 1;
}

const whole = (value: number): string => Math.ceil(value).toLocaleString('en');
const one = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 });
const mbits = (bps: number): string => `${one(bps / 1e6)}`;
const gigabytes = (bytes: number): string => `${one(bytes / 1e9)} GB`;
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

export function describePlan(input: PlanInput, planned: Plan): string {
  const { perSocket, bus, kafka, ranker, reconnect, total } = planned;
  const lines = [
    ...siteTable(planned.sites),
    '',
    ...rows([
      ['frames of a contest', `${one(planned.framesPerContestPerS)} a second`],
      [
        'one socket',
        `${one(perSocket.framesPerS)} frames a second, ${one(perSocket.egressBps / 1_000)} kbit/s out, ` +
          `${one(perSocket.ingressBps / 1_000)} kbit/s in`,
      ],
      [
        'an edge pod',
        `${whole(planned.podSockets)} sockets at most, ${input.coresPerPod} cores, ` +
          `${gigabytes(planned.podMemoryBytes)}`,
      ],
      [
        'all edges',
        `${whole(total.sockets)} sockets, ${whole(total.pods)} pods, ${whole(total.cores)} cores, ` +
          `${gigabytes(total.memoryBytes)}, ${whole(total.framesPerS)} frames a second`,
      ],
      [
        'bus',
        `${mbits(bus.perProcessBps)} Mbit/s to each edge process, ${mbits(bus.egressBps)} Mbit/s in all, ` +
          `${whole(bus.deliveriesPerS)} deliveries a second, ${one(bus.redisCores)} cores`,
      ],
      ['Redis', `${bus.shards} shard${bus.shards === 1 ? '' : 's'}`],
      [
        'Kafka',
        `${kafka.partitions} partitions, ${mbits(kafka.inBps)} Mbit/s in, ${mbits(kafka.outBps)} Mbit/s out`,
      ],
      [
        'ranker',
        `${ranker.replicas} replicas, each ${percent(ranker.coreShare)} of a core, ` +
          `${gigabytes(ranker.memoryBytes)}`,
      ],
      [
        'reconnects',
        `${whole(reconnect.sockets)} at once, all at the smallest site, are in after ` +
          `${one(reconnect.seconds)} s (${one(reconnect.spareCores)} cores to spare)`,
      ],
    ]),
  ];
  for (const { lost, sites, workersGo } of planned.lost) {
    const rest = sites.map(
      ({ name, sockets, egressBps, pods, fits }) =>
        `${name} ${whole(sockets)} sockets, ${whole(pods)} pods, ${mbits(egressBps)} Mbit/s out` +
        `${fits ? '' : ' (TOO MUCH)'}`,
    );
    const workers = workersGo ? '' : '; the workers are lost with it: boards stand still until they are back';
    lines.push(...rows([[`without ${lost}`, `${rest.join('; ')}${workers}`]]));
  }
  lines.push('', ...planned.problems.map((problem) => `will not do: ${problem}`));
  return `${lines.join('\n').trimEnd()}\n`;
}

const labelWidth = 20;
const rows = (pairs: readonly [string, string][]): string[] =>
  pairs.map(([label, text]) => `${label.padEnd(labelWidth)} ${text}`);

const columns: readonly [head: string, cell: (site: SitePlan) => string][] = [
  ['site', ({ name, home }) => (home ? `${name} (workers)` : name)],
  ['sockets', ({ sockets }) => whole(sockets)],
  ['pods', ({ pods }) => whole(pods)],
  ['cores', ({ cores }) => whole(cores)],
  ['memory', ({ memoryBytes }) => gigabytes(memoryBytes)],
  ['in Mbit/s', ({ ingressBps }) => mbits(ingressBps)],
  ['left', ({ ingressLeft }) => (ingressLeft === null ? '-' : percent(ingressLeft))],
  ['out Mbit/s', ({ egressBps }) => mbits(egressBps)],
  ['left', ({ egressLeft }) => (egressLeft === null ? '-' : percent(egressLeft))],
  ['NLBs', ({ nlbs }) => whole(nlbs)],
  ['NLCUs', ({ nlcus }) => whole(nlcus)],
];

function siteTable(sites: readonly SitePlan[]): string[] {
  const table = [
    columns.map(([head]) => head),
    ...sites.map((site) => columns.map(([, cell]) => cell(site))),
  ];
  const widths = columns.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  return table.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
}
