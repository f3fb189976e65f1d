import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PlanInput, planCapacity } from './plan-arithmetic.ts';
import { planFigures } from './plan-figures.ts';

const site = (name: string, sockets: number, egressMbps: number | null = null) => ({
  ...{ name, sockets, egressMbps, ingressMbps: null },
});
const input = (changes: Partial<PlanInput> = {}): PlanInput => ({
  sites: [site('here', 100_000)],
  contests: 1,
  matches: 1,
  contestsPerSocket: 1,
  entriesPerMatch: 1_000_000,
  ticksPerS: 1,
  eventsPerS: 1,
  feedMessagesPerS: 0,
  boardBytes: 353,
  ranksBytes: 14,
  frameBytes: 11_062,
  coresPerPod: 2,
  socketsPerPodMax: 40_000,
  utilization: 0.6,
  zonesPerSite: 3,
  replicas: 2,
  redisShardMbps: 2_000,
  partitions: 12,
  reconnects: 15_000,
  sessionS: 1_200,
  ...changes,
});
const near = (actual: number, wanted: number, within = 1e-6): void =>
  assert.ok(Math.abs(actual - wanted) <= within * Math.max(1, Math.abs(wanted)), `${actual}, not ${wanted}`);

test('one socket on one contest at one tick a second, by hand', () => {
  const { perSocket, framesPerContestPerS } = planCapacity(input());
  assert.equal(framesPerContestPerS, 1);
  assert.equal(perSocket.framesPerS, 2);
  // ranks 14 + 4 + 22 + 66, board 353 + 4 + 22 + 66, a ping of 4 + 22 + 66 in 30 s
  near(perSocket.egressBps, (106 + 445 + 92 / 30) * 8);
  // one acknowledgement for the two packets, and the answer to the ping
  near(perSocket.ingressBps, (66 + 92 / 30) * 8);
  near(perSocket.coreShare, 14.8e-6);
});

test('a contest has no more frames than ticks, and no more than records', () => {
  assert.equal(planCapacity(input({ ticksPerS: 10, eventsPerS: 3 })).framesPerContestPerS, 3);
  assert.equal(planCapacity(input({ ticksPerS: 10, eventsPerS: 300 })).framesPerContestPerS, 10);
});

test('pods: by processor time or by the cap, whichever is less, and one zone may be lost', () => {
  // the cap: 100,000 / 40,000 = 3 pods in two zones: 2 in each of three
  const slow = planCapacity(input());
  assert.equal(slow.podSockets, 40_000);
  assert.equal(slow.sites[0]?.pods, 6);
  assert.equal(slow.sites[0]?.cores, 12);
  // ten ticks: (0.6 - 0.00108) / 148 µs on each of two cores
  const fast = planCapacity(input({ ticksPerS: 10, eventsPerS: 10 }));
  assert.equal(fast.podSockets, 2 * Math.floor((0.6 - 10 * 108e-6) / 148e-6));
  assert.equal(planCapacity(input({ zonesPerSite: 1 })).sites[0]?.pods, 3);
  assert.equal(planCapacity(input({ sites: [site('a', 0)] })).sites[0]?.pods, 0);
});

test('the bus grows with edge processes and contests, not with sockets', () => {
  const few = planCapacity(input({ socketsPerPodMax: 40_000, sites: [site('a', 100_000)] }));
  const same = planCapacity(input({ socketsPerPodMax: 40_000, sites: [site('a', 110_000)] }));
  assert.equal(few.sites[0]?.processes, same.sites[0]?.processes);
  assert.equal(few.bus.egressBps, same.bus.egressBps);
  const twice = planCapacity(input({ contests: 2, matches: 2 }));
  near(twice.bus.egressBps, 2 * few.bus.egressBps);
  assert.equal(few.bus.egressBps, 12 * few.bus.perProcessBps);
  // 11,062 bytes are 8 packets
  near(few.bus.perProcessBps, (11_062 + 8 * 66 + 57 + 66) * 8);
});

test('hoses: each site states its own sums; only what leaves the first site crosses its border', () => {
  const alone = planCapacity(input({ sites: [site('a', 100_000)] }));
  const two = planCapacity(input({ sites: [site('a', 100_000), site('b', 100_000)] }));
  const [a, b] = two.sites;
  const feed = b!.processes * two.bus.perProcessBps;
  near(a!.egressBps, alone.sites[0]!.egressBps + feed);
  near(b!.egressBps, alone.sites[0]!.egressBps);
  near(b!.ingressBps, 100_000 * two.perSocket.ingressBps + feed);
  // records come in where Kafka is
  near(a!.ingressBps - 100_000 * two.perSocket.ingressBps, (200 + 22 + 66) * 8);
});

test('a site over its limit is named, also the one that takes over another’s sockets', () => {
  const { perSocket } = planCapacity(input());
  const needs = Math.ceil((100_000 * perSocket.egressBps) / 1e6);
  const tight = planCapacity(input({ sites: [site('a', 100_000), site('b', 100_000, needs + 1)] }));
  assert.equal(tight.problems.length, 1);
  assert.match(tight.problems[0] ?? '', /^without a, b would send \d+ Mbit\/s, more than it may$/);
  assert.equal(tight.lost.find(({ lost }) => lost === 'a')?.workersGo, false);
  assert.equal(tight.lost.find(({ lost }) => lost === 'a')?.sites[0]?.fits, false);
  assert.equal(tight.lost.find(({ lost }) => lost === 'b')?.workersGo, true);
  near(tight.sites[1]!.egressLeft!, 1 - (100_000 * perSocket.egressBps) / ((needs + 1) * 1e6));
  const over = planCapacity(input({ sites: [site('a', 100_000, 1)] }));
  assert.match(over.problems[0] ?? '', /^a: egress \d+ Mbit\/s is more than the 1 Mbit\/s that it may have$/);
});

test('a lost site’s sockets go to the others by their size, and none is forgotten', () => {
  const sites = [site('a', 600_000), site('b', 300_000), site('c', 100_000)];
  const { lost, total } = planCapacity(input({ sites }));
  for (const { sites: left } of lost) {
    const moved = left.reduce((sum, one) => sum + one.sockets, 0);
    assert.ok(moved >= total.sockets && moved <= total.sockets + left.length);
  }
  assert.deepEqual(
    lost[0]?.sites.map(({ sockets }) => sockets),
    [750_000, 250_000],
  );
});

test('15,000 reconnects: paced by the upgrades of the smallest site’s processes, or by spare cores', () => {
  const paced = planCapacity(input());
  near(paced.reconnect.seconds, 15_000 / (12 * planFigures.upgradesPerS));
  const busy = planCapacity(input({ utilization: 0.95, zonesPerSite: 1, sites: [site('a', 100)] }));
  near(busy.reconnect.seconds, Math.max(15_000 / (4 * 2_000), (15_000 * 128e-6) / (4 * 0.05)));
  const slow = planCapacity(input({ reconnects: 1_000_000, zonesPerSite: 1, sites: [site('a', 100)] }));
  assert.match(slow.problems.join(), /1,000,000 reconnects at once take 125 s/);
});

test('a ranker that one core cannot carry, and an edge that frames alone fill, are said', () => {
  const ranker = planCapacity(input({ matches: 10, contests: 10, eventsPerS: 50, ticksPerS: 10 }));
  near(ranker.ranker.coreShare, (10 * 50 + 10 * 10) / 1_000);
  assert.deepEqual(ranker.problems, []);
  const more = planCapacity(input({ matches: 10, contests: 10, eventsPerS: 60, ticksPerS: 10 }));
  assert.match(more.problems.join(), /a ranker would need 0.7 cores and has one/);
  const edge = planCapacity(
    input({ contests: 1_000, ticksPerS: 10, eventsPerS: 10, entriesPerMatch: 1_000 }),
  );
  assert.match(edge.problems.join(), /frames of 1000 contests alone take 108 % of each edge process/);
});

test('load balancers: units by the greatest of new, active and bytes; a further one for 500 targets', () => {
  const { sites, perSocket } = planCapacity(input());
  const bytes = ((100_000 * (perSocket.egressBps + perSocket.ingressBps)) / 8) * 3_600;
  near(sites[0]!.nlcus, bytes / 1e9);
  const idle = planCapacity(input({ eventsPerS: 0, sessionS: 10 }));
  near(idle.sites[0]!.nlcus, 100_000 / 10 / 800);
  assert.equal(planCapacity(input({ sites: [site('a', 20_000_000)] })).sites[0]?.nlbs, 2);
});

test('more never takes less', () => {
  const base = planCapacity(input());
  for (const changes of [
    { sites: [site('here', 200_000)] },
    { contestsPerSocket: 1, contests: 5 },
    { eventsPerS: 2, ticksPerS: 2 },
    { boardBytes: 4_000 },
    { feedMessagesPerS: 50_000 },
    { replicas: 3 },
  ] satisfies Partial<PlanInput>[]) {
    const more = planCapacity(input(changes));
    assert.ok(more.total.cores >= base.total.cores);
    assert.ok(more.bus.egressBps >= base.bus.egressBps);
    assert.ok(more.kafka.outBps >= base.kafka.outBps);
    assert.ok(more.sites[0]!.egressBps >= base.sites[0]!.egressBps);
    assert.ok(more.ranker.coreShare >= base.ranker.coreShare);
  }
});
