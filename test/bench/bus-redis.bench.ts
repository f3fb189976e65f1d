import { Redis } from 'ioredis';
import { createRedisBus } from '../../channels/bus/bus.redis.ts';
import type { Bus } from '../../channels/bus/bus.ts';
import { redisBusDefaults } from '../../channels/bus/bus-options.redis.ts';
import { createLayout } from '../../channels/bus/layout.redis.ts';
import { appendScript } from '../../channels/bus/scripts.redis.ts';
import { systemClock } from '../../channels/clock.ts';
import { startRedis } from '../services/redis.ts';
import { type Bench, quantiles } from './bench.ts';

/**
 * The bus on Redis beside a bare ioredis that sends the very commands the bus comes to, in pipelines of the
 * same size: what order, repeats, limits and metrics cost. Rounds take turns, so that what else the machine
 * does falls on both.
 */
const rounds = 6;
const perRound = 20_000;
const inFlight = 1_000;
const oneByOne = 2_000;
const data = Buffer.from(JSON.stringify({ type: 'follower', user: 'u1234567', affinity: 0.5 }));

interface Way {
  /** Sends what belongs to messages `from` to `to`; resolves when all are answered. */
  send(from: number, to: number): Promise<unknown>;
}
interface Cost {
  wallMs: number;
  cpuMs: number;
  redisMs: number;
}

export const busRedisBench: Bench = {
  name: 'bus-redis',
  about:
    'The bus on one real Redis beside bare ioredis pipelines of the same commands in the same run. ' +
    'Processor time of a call is that of this process and, after the +, of Redis.',
  async run(add) {
    const server = await startRedis();
    const client = new Redis(server.url);
    const bus = createRedisBus({
      redis: client,
      clock: systemClock,
      onError: (error) => {
        throw error;
      },
    });
    const spread = (n: number): string => `feed:${n % 10_000}`;
    const one = (): string => 'feed:1';
    const cases: [string, string, Way, Way][] = [
      [
        'appends, each to another of 10,000 channels',
        '>= 20,000/s',
        appends(bus, spread),
        bareAppends(client, spread),
      ],
      ['appends to one channel', '–', appends(bus, one), bareAppends(client, one)],
      ['publishes of 85 bytes', '–', publishes(bus), barePublishes(client)],
    ];
    try {
      for (const [what, target, ours, bare] of cases) {
        const [own, peer] = await takeTurns(client, ours, bare);
        add({
          what,
          measured: perSecond(own),
          beside: `${perSecond(peer)}; ratio ${ratio(own, peer)}`,
          target,
        });
      }
      const [own, peer] = await latencies(bus, client);
      add({
        what: `one append after another, p50 / p99`,
        measured: quantiles(own),
        beside: quantiles(peer),
        target: '–',
      });
    } finally {
      await bus.close();
      client.disconnect();
      await server.kill();
    }
  },
};

function appends(bus: Bus, channelOf: (n: number) => string): Way {
  return {
    send: (from, to) => all(from, to, (n) => bus.append(channelOf(n), { id: `b${n}`, at: n, data })),
  };
}
function publishes(bus: Bus): Way {
  return { send: (from, to) => all(from, to, (n) => bus.publish(`t${n % 100}`, data)) };
}
function all(from: number, to: number, call: (n: number) => Promise<unknown>): Promise<unknown> {
  const calls: Promise<unknown>[] = [];
  for (let n = from; n < to; n++) calls.push(call(n));
  return Promise.all(calls);
}

function bareAppends(client: Redis, channelOf: (n: number) => string): Way {
  const layout = createLayout('bare:', false);
  return {
    async send(from, to) {
      const pipeline = client.pipeline();
      for (let n = from; n < to; n++) pipeline.evalsha(appendScript.sha, 3, ...bareArgs(channelOf(n), n));
      await pipeline.exec();
    },
  };
  function bareArgs(channel: string, n: number): (string | number | Buffer)[] {
    const { epoch, stream, ids, phase } = layout.log(channel);
    const { historyMessagesMax, messageIdsKept, historyAgeMs, channelIdleMs } = redisBusDefaults;
    const bounds = [historyMessagesMax, messageIdsKept, historyAgeMs, channelIdleMs];
    return [epoch, stream, ids, 'run', 'PUBLISH', ...bounds, phase, `b${n}`, n, data];
  }
}
function barePublishes(client: Redis): Way {
  return {
    async send(from, to) {
      const pipeline = client.pipeline();
      for (let n = from; n < to; n++) pipeline.publish(`t${n % 100}`, data);
      await pipeline.exec();
    },
  };
}

async function takeTurns(client: Redis, ours: Way, bare: Way): Promise<[Cost, Cost]> {
  const costs: [Cost, Cost] = [
    { wallMs: 0, cpuMs: 0, redisMs: 0 },
    { wallMs: 0, cpuMs: 0, redisMs: 0 },
  ];
  for (let round = 0; round < rounds; round++) {
    for (const [index, way] of [ours, bare].entries()) {
      const redisBefore = await redisCpuMs(client);
      const cpuBefore = process.cpuUsage();
      const started = performance.now();
      for (let from = round * perRound; from < (round + 1) * perRound; from += inFlight) {
        await way.send(from, from + inFlight);
      }
      const wallMs = performance.now() - started;
      const { user, system } = process.cpuUsage(cpuBefore);
      // The first warms up.
      if (round === 0) continue;
      const cost = costs[index]!;
      cost.wallMs += wallMs;
      cost.cpuMs += (user + system) / 1_000;
      cost.redisMs += (await redisCpuMs(client)) - redisBefore;
    }
  }
  return costs;
}

async function redisCpuMs(client: Redis): Promise<number> {
  const info = await client.info('cpu');
  const seconds = (name: string): number => Number(new RegExp(`used_cpu_${name}:([\\d.]+)`).exec(info)?.[1]);
  return (seconds('user') + seconds('sys')) * 1_000;
}

const count = (rounds - 1) * perRound;
function perSecond({ wallMs, cpuMs, redisMs }: Cost): string {
  const us = (ms: number): string => ((ms * 1_000) / count).toFixed(1);
  const rate = Math.round(count / wallMs) * 1_000;
  return `${rate.toLocaleString('en')}/s, ${us(cpuMs)} + ${us(redisMs)} µs`;
}
function ratio(own: Cost, peer: Cost): string {
  return `${(own.wallMs / peer.wallMs).toFixed(2)} (processor ${(own.cpuMs / peer.cpuMs).toFixed(2)})`;
}

async function latencies(bus: Bus, client: Redis): Promise<[number[], number[]]> {
  const own: number[] = [];
  const peer: number[] = [];
  const bare = bareAppends(client, () => 'alone');
  for (let n = 0; n < oneByOne; n++) {
    let started = performance.now();
    await bus.append('alone', { id: `b${n}`, at: n, data });
    own.push(performance.now() - started);
    started = performance.now();
    await bare.send(n, n + 1);
    peer.push(performance.now() - started);
  }
  return [own, peer];
}
