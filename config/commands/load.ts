import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../client/clock.ts';
import { type Crowd, createCrowd } from '../../demo/crowd/crowd.ts';
import { type CrowdReport, CrowdStats, reportOf, reportText } from '../../demo/crowd/crowd-stats.ts';
import type { CrowdHost } from '../../demo/crowd/crowd-viewer.ts';
import { atRate, createFollows, createOwnRooms, createScorer } from '../../demo/crowd/traffic.ts';
import { createPost } from '../../demo/gateway-api.ts';
import { createRandom } from '../../demo/random.ts';
import { mintToken } from '../../edge/verifier/mint-token.ts';
import { CommandError } from './command-error.ts';
import { type LoadFlags, type LoadOptions, readLoadFlags } from './load-flags.ts';

/** Where nobody rewrites the line, one in so many seconds is enough. */
const plainProgressS = 5;
/** Tokens outlive the run. */
const tokenTtlMs = 86_400_000;
/** How fine this process's own delay is measured. */
const delayResolutionMs = 10;

/** Simulated viewers over real sockets: progress on stderr, a report at the end. */
export async function load(channels: readonly string[], flags: LoadFlags): Promise<void> {
  const options = readLoadFlags(channels, flags, process.env);
  const stop = new AbortController();
  const end = () => {
    // the second time, whatever is still ending is left to itself
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  const report = await run(options, stop);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportText(report));
  if (report.connected === 0) {
    const why = Object.keys(report.errors).join(', ') || 'it was ended before';
    throw new CommandError('unreachable', `no viewer could connect to ${options.socketUrl}: ${why}`);
  }
  if (report.orderFaults > 0) {
    throw new CommandError('failed', `${report.orderFaults} positions came out of order`);
  }
}

async function run(options: LoadOptions, stop: AbortController): Promise<CrowdReport> {
  const random = createRandom(options.seed);
  const stats = new CrowdStats();
  const begun = performance.now();
  const ids = options.channels.length > 0 ? null : ownIds(options.rooms, systemClock.now());
  const channels = ids === null ? options.channels : ids.map((id) => `contest:${id}`);
  const tokenOf = (user: string) => mintToken({ secret: options.tokenSecret, user, ttlMs: tokenTtlMs });
  const host: CrowdHost = {
    url: options.socketUrl,
    clock: systemClock,
    monotonicMs: () => performance.now(),
    ...{ random, tokenOf, stats },
    onFollower: (user, follower) => follows.told(user, follower),
  };
  const crowd = createCrowd(host, {
    channels: watchedBy(options, channels),
    userOf: options.userOf,
    connectsPerS: options.connectsPerS,
    signal: stop.signal,
  });
  const follows = createFollows({
    url: options.url,
    users: () => crowd.viewers.filter((viewer) => viewer.connected).map((viewer) => viewer.user),
    ...{ tokenOf, fetch, random, stats, monotonicMs: host.monotonicMs, signal: stop.signal },
  });
  const score = ids === null ? null : await ownRooms(options, ids, stats, random, stop.signal);
  const lateness = monitorEventLoopDelay({ resolution: delayResolutionMs });
  lateness.enable();
  const done = showProgress(options, stats, begun, stop.signal);
  await crowd.rampUp();
  const pace = { clock: systemClock, signal: stop.signal };
  const traffic = [
    atRate({ ...pace, perS: options.followsPerS }, follows.follow),
    score === null ? Promise.resolve() : atRate({ ...pace, perS: options.eventsPerS }, score),
  ];
  await delay(options.durationS * 1_000, undefined, { signal: stop.signal }).catch(() => {});
  stop.abort();
  await Promise.all([...traffic, done]);
  lateness.disable();
  return await ended(crowd, stats, options, Math.round(performance.now() - begun) / 1_000, lateness);
}

async function ended(
  crowd: Crowd,
  stats: CrowdStats,
  options: LoadOptions,
  seconds: number,
  lateness: ReturnType<typeof monitorEventLoopDelay>,
): Promise<CrowdReport> {
  const connectedAtEnd = stats.open;
  await crowd.end();
  // what it measures is the whole interval, its own resolution included
  const late = (ns: number) => Math.max(0, Math.round((ns / 1e6 - delayResolutionMs) * 10) / 10);
  const ownDelayMs = {
    ...{ p50: late(lateness.percentile(50)), p99: late(lateness.percentile(99)), max: late(lateness.max) },
  };
  return reportOf(stats, { viewers: options.viewers, connectedAtEnd, seconds, ownDelayMs });
}

function ownIds(rooms: number, now: number): string[] {
  return Array.from({ length: rooms }, (_, room) => `load-${now.toString(36)}-${room + 1}`);
}

/** Viewer n watches rooms n, n + 1, ... of all, and its own feed where follows are sent. */
function watchedBy(options: LoadOptions, channels: readonly string[]): string[][] {
  return Array.from({ length: options.viewers }, (_, viewer) => {
    const rooms = Array.from(
      { length: options.roomsPerViewer },
      (_, n) => channels[(viewer + n) % channels.length] ?? '',
    );
    return options.followsPerS > 0 ? [...rooms, `feed:${options.userOf(viewer)}`] : rooms;
  });
}

async function ownRooms(
  options: LoadOptions,
  ids: readonly string[],
  stats: CrowdStats,
  random: () => number,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const post = createPost({
    url: options.url,
    apiKey: options.apiKey,
    clock: systemClock,
    signal,
    triesMax: 1,
  });
  const watchers = ids.map((_, room) => {
    const users: string[] = [];
    for (let viewer = 0; viewer < options.viewers; viewer++) {
      if ((room - (viewer % ids.length) + ids.length) % ids.length < options.roomsPerViewer) {
        users.push(options.userOf(viewer));
      }
    }
    return users;
  });
  try {
    const rooms = await createOwnRooms(post, systemClock.now(), ids, watchers);
    return createScorer({ rooms, post, clock: systemClock, random, stats, signal });
  } catch (error) {
    throw new CommandError('unreachable', (error as Error).message);
  }
}

/** One line a second, rewritten on a terminal. Resolves soon after the signal. */
async function showProgress(
  options: LoadOptions,
  stats: CrowdStats,
  begun: number,
  signal: AbortSignal,
): Promise<void> {
  const terminal = process.stderr.isTTY;
  for (let second = 1; !signal.aborted; second++) {
    await delay(1_000, undefined, { signal }).catch(() => {});
    if (!terminal && !signal.aborted && second % plainProgressS !== 0) continue;
    const line = progressLine(options, stats, (performance.now() - begun) / 1_000);
    process.stderr.write(terminal ? `\r${line}\u001b[K` : `${line}\n`);
  }
  if (terminal) process.stderr.write('\n');
}

function progressLine({ viewers }: LoadOptions, stats: CrowdStats, seconds: number): string {
  const { board, players, ranks, message } = stats.frames;
  const { p50, p99 } = stats.event.summary();
  const ms = (value: number | null) => (value === null ? '-' : value.toFixed(0));
  return (
    `${seconds.toFixed(0)} s: ${stats.open}/${viewers} connected, ${board + players} states, ` +
    `${ranks} own ranks, ${message} messages, event to frame ${ms(p50)} ms (p99 ${ms(p99)}), ` +
    `${stats.errorsTotal} errors`
  );
}
