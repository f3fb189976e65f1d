import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, quantile, type Row } from './bench.ts';
import { Crowd, nowMs } from './crowd.ts';
import { hello, startEdgeWorld } from './edge-world.ts';
import { cpuMsOf, openFilesMax } from './process-usage.ts';
import { startRawUws } from './raw-uws.ts';

/**
 * From the moment a back end posts a record to the moment that each socket has the user's own new rank: HTTP,
 * log, ranking, bus, edge, socket. The record changes every score. Clients and server share the machine, so
 * the wall time of SOCKETS clients reading is within. TEAMS, SOCKETS, EVENTS, TICK_MS.
 */
const sockets = Math.min(Number(process.env['SOCKETS'] ?? 1_000), openFilesMax() - 500);
const teams = Math.max(Number(process.env['TEAMS'] ?? 20_000), sockets);
const events = Number(process.env['EVENTS'] ?? 150);
const tickMs = Number(process.env['TICK_MS'] ?? 50);
const warmUps = 10;

export const edgeLatencyBench: Bench = {
  name: 'edge-latency',
  about:
    "A record posted to ingest until a socket has its user's new rank: " +
    `${teams.toLocaleString('en')} teams, ` +
    `${sockets.toLocaleString('en')} sockets, tick ${tickMs} ms, ${events} records apart; beside it raw ` +
    `uWebSockets.js, told to send the same bytes to as many clients of the same kind.`,
  async run(add) {
    const world = await startEdgeWorld(teams, ['--tick-ms', String(tickMs)]);
    const { gateway } = world;
    const crowd = new Crowd();
    const raw = await startRawUws();
    const rawCrowd = new Crowd();
    try {
      const firsts = Array.from({ length: sockets }, (_, i) => hello(gateway.token(`u${i}`), ['contest:c']));
      await crowd.open(gateway.port, sockets, firsts, ['ranks']);
      await rawCrowd.open(raw.port, sockets, [], []);
      await delay(2_000);
      const ours = noDelays();
      const theirs = noDelays();
      for (let i = 0; i < events + warmUps; i += 1) {
        const counts = i >= warmUps;
        const { ranks, board } = await round(crowd, gateway.pid, counts ? ours : noDelays(), () =>
          world.score().then(() => {}),
        );
        // Anywhere within a tick.
        await delay(tickMs + ((i * 37) % tickMs));
        await round(rawCrowd, raw.pid, counts ? theirs : noDelays(), () => raw.order(ranks, board));
        await delay(tickMs);
      }
      report(ours, theirs, add);
    } finally {
      crowd.close();
      rawCrowd.close();
      raw.stop();
      await gateway.remove();
    }
  },
};

/** ms, of each record. */
interface Delays {
  /** Of each socket. */
  each: number[];
  last: number[];
  cpu: number[];
}
const noDelays = (): Delays => ({ each: [], last: [], cpu: [] });

/** One record, until every socket has its rank and the board. */
async function round(crowd: Crowd, pid: number, delays: Delays, act: () => Promise<void> | void) {
  const ranks = await crowd.arm('ranks', sockets, true);
  const board = await crowd.arm('board', sockets);
  const cpu = cpuMsOf(pid);
  const start = nowMs();
  const acted = act();
  const { times, payload } = await ranks.reached;
  const boards = await board.reached;
  await acted;
  for (const time of times) delays.each.push(time - start);
  delays.last.push(times.at(-1)! - start);
  delays.cpu.push(cpuMsOf(pid) - cpu);
  return { ranks: payload, board: boards.payload };
}

function report(ours: Delays, theirs: Delays, add: (row: Row) => void): void {
  const row = (what: string, of: (delays: Delays) => number[], target: string): void =>
    add({ what, measured: ofMs(of(ours)), beside: `raw ${ofMs(of(theirs))}`, target });
  row(
    'until a socket has it: p50 / p99',
    (delays) => delays.each,
    'p99 <= 150 ms with 1M teams, 10,000 sockets',
  );
  row('until the last socket has it: p50 / p99', (delays) => delays.last, '');
  row('processor time of the server for a record: p50 / p99', (delays) => delays.cpu, '');
}

const ofMs = (values: number[]): string =>
  `${quantile(values, 0.5).toFixed(1)} / ${quantile(values, 0.99).toFixed(1)} ms`;
