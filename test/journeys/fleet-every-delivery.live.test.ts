/**
 * The main job on real servers: two edges, two ranker replicas, a graph and two followers workers as
 * processes of their own. What clients receive over real sockets at each delivery equals a recomputation of
 * everything from the match file.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetForTests } from './fleet-plan.ts';
import { playEveryDelivery } from './match-night.ts';
import { Comparison } from './viewers.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const teams = Number(process.env['TEAMS'] ?? 20_000);
const smallContests = 300;
const comparisonsMin = 5_000_000;

const theFleet = fleetForTests(seed);

for (const file of ['final-2019', 'final-2021'] as const) {
  test(`fleet: every delivery of ${file}: each own rank, top row and page equals brute force`, async () => {
    const fleet = theFleet();
    const total = new Comparison();
    const startedAt = performance.now();
    const world = { file, name: file.slice(-4), seed, teams, smallContests };
    await playEveryDelivery({ gateway: fleet, sockets: fleet.edges, world, total });
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    process.stdout.write(`${file}: ${total.compared} comparisons, 0 differences, ${seconds} s\n`);
    if (teams >= 20_000) assert.ok(total.compared >= comparisonsMin, `only ${total.compared} comparisons`);
  });
}
