import { ConfigError } from '../options.ts';
import type { PlanInput, PlanSite } from './plan-arithmetic.ts';
import { planFigures } from './plan-figures.ts';

/** As the command line gives them. */
export interface PlanFlags extends Record<keyof typeof planDefaults, string> {
  site?: string[];
  sockets?: string;
  json?: boolean;
}

export const planDefaults = {
  contests: '1',
  matches: '1',
  contestsPerSocket: '1',
  entriesPerMatch: '1000000',
  ticksPerS: '10',
  eventsPerS: '1',
  feedMessagesPerS: '0',
  boardBytes: String(planFigures.boardBytes),
  ranksBytes: String(planFigures.ranksBytes),
  frameBytes: String(planFigures.contestFrameBytes),
  coresPerPod: '2',
  /** Below what an NLB keeps to one target; as in config/deploy/kubernetes/edge-scaling.yaml. */
  socketsPerPodMax: '40000',
  utilization: '0.6',
  zonesPerSite: '3',
  replicas: '2',
  redisShardMbps: '2000',
  partitions: '12',
  reconnects: '15000',
  sessionS: '1200',
} as const;

/** What each option is, for `--help`. */
export const planAbout: Record<keyof typeof planDefaults, string> = {
  contests: 'large contests watched at the same time',
  matches: 'matches that they are about',
  contestsPerSocket: 'contests that one socket watches',
  entriesPerMatch: 'entries (teams) of each match',
  ticksPerS: 'frames a second of one contest at most (1,000 / --tick-ms)',
  eventsPerS: 'records a second of one match, at its busiest',
  feedMessagesPerS: 'messages a second into all feeds together',
  boardBytes: 'a board to a socket, bytes',
  ranksBytes: 'own ranks to a socket, bytes',
  frameBytes: 'a contest’s frame on the bus, bytes',
  coresPerPod: 'cores, and so processes, of an edge pod',
  socketsPerPodMax: 'sockets of an edge pod at most',
  utilization: 'share of a core to plan with',
  zonesPerSite: 'availability zones of each site, of which one may be lost',
  replicas: 'replicas of the ranker',
  redisShardMbps: 'what one Redis shard may send, Mbit/s',
  partitions: 'partitions of each topic at least',
  reconnects: 'sockets that come back at once',
  sessionS: 'seconds that a socket stays, on average',
};

const dashed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
export const planFlagOf = (name: string): string => `--${dashed(name)}`;

const sitesMax = 100;
const socketsMost = 1e9;

/** Throws `ConfigError` with everything that is wrong. */
export function readPlanFlags(flags: PlanFlags): PlanInput {
  const problems: string[] = [];
  const number = (name: keyof typeof planDefaults, least: number, most: number, whole = true): number =>
    readNumber(planFlagOf(name), flags[name], { least, most, whole }, problems);
  const input: PlanInput = {
    sites: readSites(flags, problems),
    contests: number('contests', 0, 1e6),
    matches: number('matches', 0, 1e6),
    contestsPerSocket: number('contestsPerSocket', 0, 100, false),
    entriesPerMatch: number('entriesPerMatch', 0, 20_000_000),
    ticksPerS: number('ticksPerS', 0.01, 1_000, false),
    eventsPerS: number('eventsPerS', 0, 1e6, false),
    feedMessagesPerS: number('feedMessagesPerS', 0, 1e9, false),
    boardBytes: number('boardBytes', 1, 65_536),
    ranksBytes: number('ranksBytes', 1, 65_536),
    frameBytes: number('frameBytes', 1, 1e8),
    coresPerPod: number('coresPerPod', 1, 256),
    socketsPerPodMax: number('socketsPerPodMax', 1, 10_000_000),
    utilization: number('utilization', 0.05, 0.95, false),
    zonesPerSite: number('zonesPerSite', 1, 10),
    replicas: number('replicas', 1, 16),
    redisShardMbps: number('redisShardMbps', 1, 1e6),
    partitions: number('partitions', 1, 1_024),
    reconnects: number('reconnects', 0, socketsMost),
    sessionS: number('sessionS', 1, 1e7),
  };
  if (input.contestsPerSocket > input.contests) {
    problems.push(
      `--contests-per-socket: a socket cannot watch ${input.contestsPerSocket} of ${input.contests} contests`,
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return input;
}

interface Bounds {
  least: number;
  most: number;
  whole: boolean;
}

function readNumber(flag: string, text: string, { least, most, whole }: Bounds, problems: string[]): number {
  const value = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  problems.push(`${flag}: "${text}" is not a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
  return least;
}

function readSites(flags: PlanFlags, problems: string[]): PlanSite[] {
  const given = flags.site ?? [];
  if (given.length === 0) {
    if (flags.sockets === undefined) {
      problems.push('no sites: give --sockets N, or --site NAME:SOCKETS once for each site');
      return [];
    }
    const bounds = { least: 0, most: socketsMost, whole: true };
    const sockets = readNumber('--sockets', flags.sockets, bounds, problems);
    return [{ name: 'here', sockets, ingressMbps: null, egressMbps: null }];
  }
  if (flags.sockets !== undefined) problems.push('--sockets and --site exclude one another: give one');
  if (given.length > sitesMax) problems.push(`--site: ${given.length} sites are more than ${sitesMax}`);
  const sites = given.slice(0, sitesMax).map((text) => readSite(text, problems));
  const names = sites.map(({ name }) => name);
  for (const name of new Set(names.filter((one, index) => names.indexOf(one) !== index))) {
    problems.push(`--site: ${name} is there twice`);
  }
  return sites;
}

/** `NAME:SOCKETS[:INGRESS_MBPS[:EGRESS_MBPS]]`; a limit left empty is not stated. */
function readSite(text: string, problems: string[]): PlanSite {
  const [name = '', sockets = '', ingress = '', egress = '', ...more] = text.split(':');
  const flag = `--site ${text}`;
  if (!/^[A-Za-z0-9_-]{1,36}$/.test(name) || more.length > 0) {
    problems.push(`${flag}: it is not NAME:SOCKETS[:INGRESS_MBPS[:EGRESS_MBPS]]`);
  }
  const limit = (what: string, value: string): number | null =>
    value === ''
      ? null
      : readNumber(`${flag}: ${what}`, value, { least: 1, most: 1e8, whole: true }, problems);
  return {
    name,
    sockets: readNumber(`${flag}: sockets`, sockets, { least: 0, most: socketsMost, whole: true }, problems),
    ingressMbps: limit('ingress', ingress),
    egressMbps: limit('egress', egress),
  };
}
