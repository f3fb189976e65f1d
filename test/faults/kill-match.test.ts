/**
 * The every-delivery comparison while the process is ended by `kill -9` at random deliveries and started
 * again, and clients lose their connections at random: nothing is lost, nothing doubled.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../../demo/random.ts';
import type { PointsRecord } from '../../proto/records.ts';
import { Gateway } from '../journeys/gateway.ts';
import { playEveryDelivery, post } from '../journeys/match-night.ts';
import { Comparison } from '../journeys/viewers.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const teams = Number(process.env['TEAMS'] ?? 20_000);
/** One delivery in so many ends with a kill. */
const killEvery = 20;
/** One viewer in so many loses its connection, at each delivery. */
const cutEvery = 50;

const gateway = new Gateway([
  ...['--tick-ms', '5', '--order-interval-ms', '0', '--requests-per-second', '1000000'],
  // often, so that restarts find a checkpoint and a tail of the log behind it
  ...['--checkpoint-interval-ms', '300', '--upgrades-per-address', '10000'],
]);
const random = createRandom(seed);
const total = new Comparison();

before(async () => {
  process.stdout.write(`seed ${seed}\n`);
  await gateway.start();
});
after(async () => {
  await gateway.remove();
});

/**
 * Posts while the process may die under the request; what was not acknowledged is posted again, harmlessly.
 */
async function postThroughKill(records: PointsRecord[], kill: boolean): Promise<number> {
  if (!kill) return await post(gateway, records);
  const attempt = post(gateway, records).catch(() => 0);
  await delay(Math.floor(random() * 12));
  await gateway.stop('SIGKILL');
  await attempt;
  await gateway.start();
  return await post(gateway, records);
}

test('every delivery of final-2019, killed and cut at random, equals brute force', async () => {
  let kills = 0;
  let cuts = 0;
  await playEveryDelivery({
    gateway,
    sockets: [gateway],
    world: { file: 'final-2019', name: 'kill', seed, teams, smallContests: 100 },
    total,
    postDelivery(records, viewers) {
      const kill = random() * killEvery < 1;
      if (kill) kills += 1;
      for (const viewer of viewers) {
        if (random() * cutEvery >= 1) continue;
        viewer.cut();
        cuts += 1;
      }
      return postThroughKill(records, kill);
    },
  });
  process.stdout.write(`${kills} kills, ${cuts} cuts, ${total.compared} comparisons\n`);
  assert.ok(kills > 0 && cuts > 0, 'nothing was killed or cut: try another seed');
});
