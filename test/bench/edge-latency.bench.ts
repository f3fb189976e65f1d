import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, quantile } from './bench.ts';
import { Crowd, nowMs } from './crowd.ts';
import { hello, startEdgeWorld } from './edge-world.ts';
import { openFilesMax } from './process-usage.ts';

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
    `${sockets.toLocaleString('en')} sockets, tick ${tickMs} ms, ${events} records apart.`,
  async run(add) {
    const world = await startEdgeWorld(teams, ['--tick-ms', String(tickMs)]);
    const { gateway } = world;
    const crowd = new Crowd();
    try {
      const firsts = Array.from({ length: sockets }, (_, i) => hello(gateway.token(`u${i}`), ['contest:c']));
      await crowd.open(gateway.port, sockets, firsts, ['ranks']);
      await delay(2_000);
      const all: number[] = [];
      const last: number[] = [];
      const taken: number[] = [];
      for (let i = 0; i < events + warmUps; i += 1) {
        const { reached } = await crowd.arm('ranks', sockets, true);
        const start = nowMs();
        await world.score();
        const posted = nowMs() - start;
        const { times } = await reached;
        if (i >= warmUps) {
          taken.push(posted);
          for (const time of times) all.push(time - start);
          last.push(times.at(-1)! - start);
        }
        // Anywhere within a tick.
        await delay(tickMs + ((i * 37) % tickMs));
      }
      const add2 = (what: string, values: number[], target: string): void =>
        add({ what, measured: ofMs(values), beside: '', target });
      add2(
        'to an own rank, every socket and record: p50 / p99',
        all,
        'p99 <= 150 ms (1M teams, 10,000 sockets)',
      );
      add2('to the last own rank of a record: p50 / p99', last, '');
      add2('of it, until the back end has its answer: p50 / p99', taken, '');
    } finally {
      crowd.close();
      await gateway.remove();
    }
  },
};

const ofMs = (values: number[]): string =>
  `${quantile(values, 0.5).toFixed(1)} / ${quantile(values, 0.99).toFixed(1)} ms`;
