/**
 * The main job on real servers: two edges, two ranker replicas, a graph and two followers workers as
 * processes of their own. What clients receive over real sockets at each delivery equals a recomputation of
 * everything from the match file.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openRealServers, type RealServers } from '../services/real-servers.ts';
import { Fleet } from './fleet.ts';
import { fleetPlan } from './fleet-plan.ts';
import { playEveryDelivery } from './match-night.ts';
import { Comparison } from './viewers.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const teams = Number(process.env['TEAMS'] ?? 20_000);
const smallContests = 300;
const comparisonsMin = 5_000_000;

let servers: RealServers;
let fleet: Fleet;
before(async () => {
  process.stdout.write(`seed ${seed}\n`);
  servers = await openRealServers();
  fleet = new Fleet({ ...fleetPlan, servers: servers.environment });
  await fleet.start();
});
after(async () => {
  await fleet?.remove();
  await servers?.close();
});

for (const file of ['final-2019', 'final-2021'] as const) {
  test(`fleet: every delivery of ${file}: each own rank, top row and page equals brute force`, async () => {
    const total = new Comparison();
    const startedAt = performance.now();
    const world = { file, name: file.slice(-4), seed, teams, smallContests };
    await playEveryDelivery({ gateway: fleet, sockets: fleet.edges, world, total });
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    process.stdout.write(`${file}: ${total.compared} comparisons, 0 differences, ${seconds} s\n`);
    if (teams >= 20_000) assert.ok(total.compared >= comparisonsMin, `only ${total.compared} comparisons`);
  });
}
