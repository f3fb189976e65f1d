/**
 * Takeover: of two ranker replicas under load, the one that speaks is ended by `kill -9`. Clients are without
 * a new version for two seconds at most.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Member } from '../journeys/fleet.ts';
import { fleetForTests } from '../journeys/fleet-plan.ts';
import { chooseViewers, post, seedWorld } from '../journeys/match-night.ts';
import { allReach } from '../journeys/viewers.ts';
import { createWorld } from '../journeys/world.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const teams = Number(process.env['TEAMS'] ?? 20_000);
const silenceMaxMs = 2_000;
/** Deliveries come much faster than in a match, so that a version is due at any time. */
const betweenDeliveriesMs = 50;
const roundMs = 4_000;

const theFleet = fleetForTests(seed);

test('fleet: a killed ranker is taken over within two seconds', async () => {
  const fleet = theFleet();
  const world = createWorld({ file: 'final-2019', name: 'takeover', seed, teams, smallContests: 20 });
  const seeded = await seedWorld(fleet, world);
  const viewers = chooseViewers(fleet.edges, world, seed);
  await allReach(viewers, seeded);
  /** Per viewer and contest: when its last version came, and its longest time without one. */
  const silence = new Map<string, { since: number; longest: number }>();
  for (const viewer of viewers) {
    const room = viewer.rooms.get(world.big);
    const own = { since: performance.now(), longest: 0 };
    silence.set(viewer.user, own);
    room?.on('board', () => {
      const now = performance.now();
      own.longest = Math.max(own.longest, now - own.since);
      own.since = now;
    });
  }
  let playing = true;
  let last = seeded;
  const startedAt = Date.now();
  const traffic = (async () => {
    for (let k = 0; playing; k += 1) {
      const records = world.replay.delivery(k % world.replay.deliveries, startedAt + k);
      last = await post(
        fleet,
        records.map((record) => ({ ...record, id: `t${k}-${record.id}`.slice(0, 36) })),
      );
      await delay(betweenDeliveriesMs);
    }
  })();
  const longest = () => Math.max(...[...silence.values()].map((own) => own.longest));
  try {
    await delay(roundMs);
    const quiet = longest();
    for (const replica of [0, 1, 0]) {
      for (const own of silence.values()) own.longest = 0;
      const member = fleet.members.find(({ name }) => name === `ranker-${replica}`) as Member;
      await member.kill();
      await delay(roundMs);
      const seen = longest();
      process.stdout.write(`ranker ${replica} killed: ${seen.toFixed(0)} ms without a version, `);
      process.stdout.write(`${quiet.toFixed(0)} ms in peace\n`);
      await member.start();
      const ready = await member.ready();
      process.stdout.write(`ranker ${replica} was ready again after ${ready.toFixed(0)} ms\n`);
      assert.ok(seen <= silenceMaxMs, `${seen} ms without a version`);
    }
  } finally {
    playing = false;
    await traffic;
  }
  await allReach(viewers, last);
  for (const viewer of viewers) viewer.close();
  assert.deepEqual(
    viewers.flatMap((viewer) => viewer.faults),
    [],
  );
});
