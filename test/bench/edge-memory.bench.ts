import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, quantile } from './bench.ts';
import { Crowd } from './crowd.ts';
import { hello, startEdgeWorld } from './edge-world.ts';
import { openFilesMax, residentBytesOf } from './process-usage.ts';
import { startRawUws } from './raw-uws.ts';

/**
 * Resident memory that a socket adds to the server: the slope between FEW and MANY sockets, each of another
 * user, in processes that are started anew for each run; the median of RUNS. The processes' own memory
 * (RssAnon): what the kernel keeps for a connection is apart, and the same for both.
 */
const most = openFilesMax() - 500;
const many = Math.min(Number(process.env['MANY'] ?? 18_000), most);
const few = Math.min(Number(process.env['FEW'] ?? 5_000), many >> 1);
const runs = Number(process.env['RUNS'] ?? 3);
/** Until what a join left to be done is done. */
const settleMs = 1_500;

interface Weight {
  /** Bytes of a socket as the process stands, and after it has collected its garbage. */
  asItStands: number;
  collected: number;
}

export const edgeMemoryBench: Bench = {
  name: 'edge-memory',
  about:
    'Resident memory per authenticated socket on one contest (with a team in it) and its feed: slope ' +
    `between ${few.toLocaleString('en')} and ${many.toLocaleString('en')} sockets, ` +
    `median of ${runs} fresh processes.`,
  async run(add) {
    process.env['NODE_OPTIONS'] = `--import ${new URL('collect-on-signal.js', import.meta.url).href}`;
    const ours: Weight[] = [];
    const raws: Weight[] = [];
    for (let i = 0; i < runs; i += 1) {
      ours.push(await ofGateway(['contest:c'], true));
      raws.push(await ofRaw());
    }
    const row = (what: string, of: (weight: Weight) => number, target: string): void => {
      const all = ours.map(of);
      const spread = `${Math.min(...all).toFixed(0)} to ${Math.max(...all).toFixed(0)}`;
      const measured = `${quantile(all, 0.5).toFixed(0)} bytes (${spread})`;
      add({ what, measured, beside: `raw ${quantile(raws.map(of), 0.5).toFixed(0)} bytes`, target });
    };
    row('per socket, garbage collected before each reading', (weight) => weight.collected, '<= 3,072 bytes');
    row('per socket, as the process stands', (weight) => weight.asItStands, '');
  },
};

async function ofGateway(channels: readonly string[], feeds: boolean): Promise<Weight> {
  const { gateway } = await startEdgeWorld(many);
  const crowd = new Crowd();
  try {
    const firsts = Array.from({ length: many }, (_, i) => {
      const user = `u${i}`;
      return hello(gateway.token(user), feeds ? [...channels, `feed:${user}`] : channels);
    });
    // `subscribed` twice: the contest's and the feed's.
    const kinds = ['subscribed', 'subscribed', 'ranks'] as const;
    return await slope(gateway.pid, (from, to) =>
      crowd.open(gateway.port, to - from, firsts.slice(from, to), kinds),
    );
  } finally {
    crowd.close();
    await gateway.remove();
  }
}

async function ofRaw(): Promise<Weight> {
  const raw = await startRawUws();
  const crowd = new Crowd();
  try {
    return await slope(raw.pid, (from, to) => crowd.open(raw.port, to - from, [], []));
  } finally {
    crowd.close();
    raw.stop();
  }
}

async function slope(pid: number, open: (from: number, to: number) => Promise<void>): Promise<Weight> {
  await open(0, few);
  const before = await weigh(pid);
  await open(few, many);
  const after = await weigh(pid);
  return {
    asItStands: (after.asItStands - before.asItStands) / (many - few),
    collected: (after.collected - before.collected) / (many - few),
  };
}

async function weigh(pid: number): Promise<Weight> {
  await delay(settleMs);
  const asItStands = residentBytesOf(pid);
  process.kill(pid, 'SIGUSR2');
  await delay(settleMs);
  return { asItStands, collected: residentBytesOf(pid) };
}
