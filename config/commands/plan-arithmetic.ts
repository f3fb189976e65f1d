import { planFigures as of } from './plan-figures.ts';

/** One place with edges. The first of all also holds rankers, other workers, Redis and Kafka. */
export interface PlanSite {
  name: string;
  sockets: number;
  /** What may come in and go out, in megabits a second; null: not stated. */
  ingressMbps: number | null;
  egressMbps: number | null;
}
export interface PlanInput {
  sites: readonly PlanSite[];
  /** Large contests watched at the same time, and the matches they are about. */
  contests: number;
  matches: number;
  contestsPerSocket: number;
  entriesPerMatch: number;
  /** Frames a second of one contest at most: 1,000 / --tick-ms. */
  ticksPerS: number;
  /** Records a second of one match, at its busiest. */
  eventsPerS: number;
  /** Messages a second into all feeds together. */
  feedMessagesPerS: number;
  boardBytes: number;
  ranksBytes: number;
  frameBytes: number;
  coresPerPod: number;
  socketsPerPodMax: number;
  /** Share of a core that is planned with, 0 to 1. */
  utilization: number;
  zonesPerSite: number;
  replicas: number;
  redisShardMbps: number;
  partitions: number;
  reconnects: number;
  /** How long a socket stays, on average. */
  sessionS: number;
}

export interface SitePlan {
  name: string;
  home: boolean;
  sockets: number;
  pods: number;
  processes: number;
  cores: number;
  memoryBytes: number;
  /** What edges hand to sockets in a second. */
  framesPerS: number;
  /** Across the site's border, each way, in bits a second. */
  ingressBps: number;
  egressBps: number;
  /** Share of what is left of the stated limits; null where none is stated. */
  ingressLeft: number | null;
  egressLeft: number | null;
  nlbs: number;
  nlcus: number;
}
export interface LossPlan {
  lost: string;
  /** Sockets of each site left, its egress then, and its pods. */
  sites: { name: string; sockets: number; egressBps: number; pods: number; fits: boolean }[];
  /** Whether frames go on without what the site held. */
  workersGo: boolean;
}
export interface Plan {
  framesPerContestPerS: number;
  perSocket: { framesPerS: number; egressBps: number; ingressBps: number; coreShare: number };
  podSockets: number;
  podMemoryBytes: number;
  sites: SitePlan[];
  total: { sockets: number; pods: number; cores: number; memoryBytes: number; framesPerS: number };
  bus: {
    perProcessBps: number;
    egressBps: number;
    deliveriesPerS: number;
    redisCores: number;
    shards: number;
  };
  kafka: { partitions: number; inBps: number; outBps: number };
  ranker: { replicas: number; coreShare: number; memoryBytes: number };
  reconnect: { sockets: number; seconds: number; spareCores: number };
  lost: LossPlan[];
  /** What will not do, a sentence each; empty: the plan holds. */
  problems: string[];
}

const bits = 8;
const mega = 1e6;
const packetsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / of.segmentBytes));
/** Bytes on the network for one piece handed to a TLS socket. */
const wire = (bytes: number): number => {
  const sealed = bytes + of.tlsRecordBytes;
  return sealed + packetsOf(sealed) * of.packetBytes;
};

/** What the load takes, where. Pure arithmetic; `input` was checked. */
export function planCapacity(input: PlanInput): Plan {
  const problems: string[] = [];
  const sockets = input.sites.reduce((sum, site) => sum + site.sockets, 0);
  const framesPerContestPerS = Math.min(input.ticksPerS, input.eventsPerS);
  const perSocket = socketLoad(input, framesPerContestPerS, sockets);
  const podSockets = socketsOfPod(input, framesPerContestPerS, perSocket.coreShare, problems);
  const perProcessBps = busOfProcess(input, framesPerContestPerS);
  const sites = input.sites.map((site, index) =>
    sitePlan(site, index === 0, { input, perSocket, podSockets, perProcessBps }),
  );
  const home = sites[0]!;
  const remoteProcesses = sites.slice(1).reduce((sum, site) => sum + site.processes, 0);
  const feedBps = (input.feedMessagesPerS * of.feedMessageBytes * bits) / Math.max(1, sockets);
  for (const site of sites) {
    const feeds = feedBps * site.sockets;
    if (site !== home) {
      site.ingressBps += site.processes * perProcessBps + feeds;
      home.egressBps += site.processes * perProcessBps + feeds;
    }
  }
  home.ingressBps += eventsBps(input);
  for (const [index, site] of sites.entries()) leftOf(site, input.sites[index]!, problems);
  const processes = home.processes + remoteProcesses;
  const bus = busPlan(input, framesPerContestPerS, processes, perProcessBps);
  const ranker = rankerPlan(input, framesPerContestPerS, problems);
  const total = {
    sockets,
    pods: sum(sites, (site) => site.pods),
    cores: sum(sites, (site) => site.cores),
    memoryBytes: sum(sites, (site) => site.memoryBytes),
    framesPerS: sum(sites, (site) => site.framesPerS),
  };
  const plan: Plan = {
    framesPerContestPerS,
    perSocket,
    podSockets,
    podMemoryBytes: podMemory(input, podSockets),
    sites,
    total,
    bus,
    kafka: kafkaPlan(input),
    ranker,
    reconnect: reconnectPlan(input, sites, problems),
    lost: [],
    problems,
  };
  plan.lost = lossPlans(input, plan);
  return plan;
}

const sum = <T>(items: readonly T[], value: (item: T) => number): number =>
  items.reduce((all, item) => all + value(item), 0);

function socketLoad(input: PlanInput, framesPerContestPerS: number, sockets: number): Plan['perSocket'] {
  const ticks = input.contestsPerSocket * framesPerContestPerS;
  const feed = input.feedMessagesPerS / Math.max(1, sockets);
  const tickBytes = wire(input.ranksBytes + of.frameHeadBytes) + wire(input.boardBytes + of.frameHeadBytes);
  const ping = wire(of.frameHeadBytes) / of.pingEveryS;
  const egress = ticks * tickBytes + feed * wire(of.feedMessageBytes + of.frameHeadBytes) + ping;
  // An acknowledgement for every second packet, and the answer to a ping.
  const packets = ticks * (1 + packetsOf(input.boardBytes)) + feed;
  const ingress = (packets / 2) * of.packetBytes + ping;
  return {
    framesPerS: 2 * ticks + feed,
    egressBps: egress * bits,
    ingressBps: ingress * bits,
    coreShare: (ticks * of.socketTickMicros + feed * of.feedMessageMicros) / 1e6,
  };
}

/** As many as a pod's processes can serve, and as the load balancer keeps to one target. */
function socketsOfPod(
  input: PlanInput,
  framesPerContestPerS: number,
  coreShare: number,
  problems: string[],
): number {
  const onFrames = (input.contests * framesPerContestPerS * of.edgeFrameMicros) / 1e6;
  const left = input.utilization - onFrames;
  if (left <= 0) {
    problems.push(
      `frames of ${input.contests} contests alone take ${(onFrames * 100).toFixed(0)} % of each edge ` +
        `process, of ${(input.utilization * 100).toFixed(0)} % planned: raise --tick-ms, or watch fewer`,
    );
    return 1;
  }
  const most = coreShare === 0 ? Number.POSITIVE_INFINITY : Math.floor(left / coreShare) * input.coresPerPod;
  if (most < 1) {
    problems.push('one socket takes more than a pod has: fewer ticks a second, or fewer contests per socket');
  }
  return Math.max(1, Math.min(most, input.socketsPerPodMax));
}

const podMemory = (input: PlanInput, sockets: number): number =>
  sockets * (of.socketBytes + of.socketKernelBytes) + input.coresPerPod * of.edgeProcessBytes;

/** Enough pods that those of the other zones suffice when one zone is lost. */
function podsFor(input: PlanInput, sockets: number, podSockets: number): number {
  if (sockets === 0) return 0;
  const { zonesPerSite: zones } = input;
  const least = Math.ceil(sockets / podSockets);
  if (zones === 1) return Math.max(2, least);
  return Math.max(1, Math.ceil(least / (zones - 1))) * zones;
}

interface Shared {
  input: PlanInput;
  perSocket: Plan['perSocket'];
  podSockets: number;
  perProcessBps: number;
}

function sitePlan(site: PlanSite, home: boolean, { input, perSocket, podSockets }: Shared): SitePlan {
  const pods = podsFor(input, site.sockets, podSockets);
  const processes = pods * input.coresPerPod;
  const egressBps = site.sockets * perSocket.egressBps;
  const ingressBps = site.sockets * perSocket.ingressBps;
  const bytesPerHour = ((egressBps + ingressBps) / bits) * 3_600;
  const nlcus = Math.max(
    site.sockets / input.sessionS / of.nlcuNewPerS,
    site.sockets / of.nlcuActive,
    bytesPerHour / of.nlcuBytesPerHour,
  );
  return {
    ...{ name: site.name, home, sockets: site.sockets, pods, processes, cores: processes },
    memoryBytes: pods * podMemory(input, Math.ceil(site.sockets / Math.max(1, pods))),
    framesPerS: site.sockets * perSocket.framesPerS,
    ...{ ingressBps, egressBps, ingressLeft: null, egressLeft: null },
    nlbs: Math.ceil(pods / of.nlbTargetsMax),
    nlcus,
  };
}

/** What each edge process hears, however many sockets it has. */
function busOfProcess(input: PlanInput, framesPerContestPerS: number): number {
  const contest = input.frameBytes + packetsOf(input.frameBytes) * of.packetBytes;
  const match = of.matchFrameBytes + of.packetBytes;
  return (input.contests * contest + input.matches * match) * framesPerContestPerS * bits;
}

/** Records from back ends into Kafka's site. */
const eventsBps = (input: PlanInput): number =>
  input.matches * input.eventsPerS * wire(of.recordBytes) * bits;

function leftOf(site: SitePlan, { ingressMbps, egressMbps }: PlanSite, problems: string[]): void {
  const left = (what: string, bps: number, limitMbps: number | null): number | null => {
    if (limitMbps === null) return null;
    if (bps > limitMbps * mega) {
      problems.push(
        `${site.name}: ${what} ${mbps(bps)} Mbit/s is more than the ${limitMbps} Mbit/s that it may have`,
      );
    }
    return 1 - bps / (limitMbps * mega);
  };
  site.ingressLeft = left('ingress', site.ingressBps, ingressMbps);
  site.egressLeft = left('egress', site.egressBps, egressMbps);
}
const mbps = (bps: number): string => Math.ceil(bps / mega).toLocaleString('en');

function busPlan(
  input: PlanInput,
  framesPerContestPerS: number,
  processes: number,
  perProcessBps: number,
): Plan['bus'] {
  const egressBps = processes * perProcessBps + input.feedMessagesPerS * of.feedMessageBytes * bits;
  const deliveriesPerS =
    processes * (input.contests + input.matches) * framesPerContestPerS + input.feedMessagesPerS;
  const redisCores = (deliveriesPerS * of.redisDeliveryMicros) / 1e6;
  const shards = Math.max(
    1,
    Math.ceil(egressBps / (input.redisShardMbps * mega)),
    Math.ceil(redisCores / input.utilization),
  );
  return { perProcessBps, egressBps, deliveriesPerS, redisCores, shards };
}

function kafkaPlan(input: PlanInput): Plan['kafka'] {
  const records = input.matches * input.eventsPerS + input.feedMessagesPerS;
  const inBps = records * of.recordBytes * bits;
  // Every ranker replica reads all; of a follow both its command and its change are read once.
  const outBps = inBps * input.replicas + input.feedMessagesPerS * of.recordBytes * bits;
  return { partitions: Math.max(input.partitions, 2 * input.replicas), inBps, outBps };
}

function rankerPlan(input: PlanInput, framesPerContestPerS: number, problems: string[]): Plan['ranker'] {
  const millions = input.entriesPerMatch / 1e6;
  const records = input.matches * input.eventsPerS * of.recordMsPerMillion;
  const frames = input.contests * framesPerContestPerS * of.frameMsPerMillion;
  const coreShare = ((records + frames) * millions) / 1_000;
  if (coreShare > input.utilization) {
    problems.push(
      `a ranker would need ${coreShare.toFixed(1)} cores and has one: raise --tick-ms, or give some ` +
        'matches topics and rankers of their own (--kafka-topic-prefix)',
    );
  }
  const memoryBytes = of.rankerProcessBytes + input.matches * input.entriesPerMatch * of.entryBytes;
  return { replicas: input.replicas, coreShare, memoryBytes };
}

/**
 * All at once at the smallest site: how long until the last is in, paced by its processes and by the
 * processor time that they have to spare.
 */
function reconnectPlan(input: PlanInput, sites: readonly SitePlan[], problems: string[]): Plan['reconnect'] {
  const served = sites.filter((site) => site.processes > 0).map((site) => site.processes);
  const processes = served.length === 0 ? 0 : Math.min(...served);
  const spareCores = processes * (1 - input.utilization);
  const work = (input.reconnects * of.connectMicros) / 1e6;
  const seconds =
    processes === 0
      ? 0
      : Math.max(input.reconnects / (processes * of.upgradesPerS), work / Math.max(spareCores, 1e-9));
  if (seconds > 10) {
    problems.push(
      `${input.reconnects.toLocaleString('en')} reconnects at once take ${seconds.toFixed(0)} s: plan more ` +
        'edges or a lower --utilization',
    );
  }
  return { sockets: input.reconnects, seconds, spareCores };
}

/** Each site lost in turn: its sockets go to the others, as many as each has of the rest. */
function lossPlans(input: PlanInput, plan: Plan): LossPlan[] {
  if (input.sites.length < 2) return [];
  return input.sites.map((lost, lostIndex) => {
    const rest = plan.total.sockets - lost.sockets;
    const sites = input.sites.flatMap((site, index) => {
      if (index === lostIndex) return [];
      const share = rest === 0 ? 1 / (input.sites.length - 1) : site.sockets / rest;
      const sockets = site.sockets + Math.ceil(lost.sockets * share);
      const before = plan.sites[index]!;
      const pods = podsFor({ ...input, zonesPerSite: 1 }, sockets, plan.podSockets);
      const egressBps = before.egressBps + (sockets - site.sockets) * plan.perSocket.egressBps;
      const fits = site.egressMbps === null || egressBps <= site.egressMbps * mega;
      return [{ name: site.name, sockets, egressBps, pods, fits }];
    });
    for (const site of sites.filter(({ fits }) => !fits)) {
      plan.problems.push(
        `without ${lost.name}, ${site.name} would send ${mbps(site.egressBps)} Mbit/s, more than it may`,
      );
    }
    return { lost: lost.name, sites, workersGo: lostIndex !== 0 };
  });
}
