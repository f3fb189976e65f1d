/**
 * The every-delivery comparison on real servers while a random process of the fleet is ended by `kill -9`
 * every few seconds and started again, and clients lose their connections at random: nothing is lost, nothing
 * doubled.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../../demo/random.ts';
import type { Fleet, Member } from '../journeys/fleet.ts';
import { fleetForTests } from '../journeys/fleet-plan.ts';
import { playEveryDelivery, post } from '../journeys/match-night.ts';
import { Comparison } from '../journeys/viewers.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const teams = Number(process.env['TEAMS'] ?? 20_000);
/** One viewer in so many loses its connection, at each delivery. */
const cutEvery = 50;
const betweenKillsMs = { min: 1_500, max: 4_000 };
const deadMs = { min: 0, max: 1_500 };

const random = createRandom(seed);
const between = ({ min, max }: { min: number; max: number }) => min + Math.floor(random() * (max - min));
const theFleet = fleetForTests(seed);

/** Kills and restarts until the signal; answers how often each was killed. */
async function killAround(fleet: Fleet, signal: AbortSignal): Promise<Map<string, number>> {
  const kills = new Map<string, number>();
  while (!signal.aborted) {
    await delay(between(betweenKillsMs), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const member = fleet.members[Math.floor(random() * fleet.members.length)] as Member;
    await member.kill();
    kills.set(member.name, (kills.get(member.name) ?? 0) + 1);
    await delay(between(deadMs));
    await member.start();
  }
  return kills;
}

test('fleet: every delivery of final-2019, processes killed at random, equals brute force', async () => {
  const fleet = theFleet();
  const total = new Comparison();
  const end = new AbortController();
  const killing = killAround(fleet, end.signal);
  let cuts = 0;
  try {
    await playEveryDelivery({
      gateway: fleet,
      sockets: fleet.edges,
      world: { file: 'final-2019', name: 'kill', seed, teams, smallContests: 300 },
      total,
      reachTimeoutMs: 60_000,
      postDelivery(records, viewers) {
        for (const viewer of viewers) {
          if (random() * cutEvery >= 1) continue;
          viewer.cut();
          cuts += 1;
        }
        return post(fleet, records);
      },
    });
  } catch (error) {
    process.stdout.write(`${fleet.logs()}\n`);
    throw error;
  } finally {
    end.abort();
  }
  const kills = await killing;
  const told = [...kills].map(([name, times]) => `${name} ${times}`).join(', ');
  process.stdout.write(`killed: ${told}; ${cuts} cuts; ${total.compared} comparisons, 0 differences\n`);
  assert.ok(kills.size >= 3, 'too few processes were killed: try another seed or more teams');
});
