/**
 * The main job, delivery by delivery: what clients receive over real sockets equals a recomputation of
 * everything from the match file. The replay waits at each delivery until every client has its version; a
 * second run at full speed compares whatever arrives.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Board } from '../../client/contest-room.ts';
import type { PointsRecord } from '../../proto/records.ts';
import { Gateway } from './gateway.ts';
import { chooseViewers, playEveryDelivery, post, seedWorld } from './match-night.ts';
import { allReach, Comparison, type Viewer } from './viewers.ts';
import { createWorld, type World } from './world.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const teams = Number(process.env['TEAMS'] ?? 20_000);
const smallContests = 300;
const comparisonsMin = 5_000_000;

const gateway = new Gateway([
  '--tick-ms',
  '5',
  '--order-interval-ms',
  '0',
  '--requests-per-second',
  '1000000',
]);
const total = new Comparison();

before(async () => {
  process.stdout.write(`seed ${seed}\n`);
  await gateway.start();
});
after(async () => {
  await gateway.remove();
});

for (const file of ['final-2019', 'final-2021'] as const) {
  test(`every delivery of ${file}: each own rank, top row and page equals brute force`, async () => {
    const world = { file, name: file.slice(-4), seed, teams, smallContests };
    await playEveryDelivery({ gateway, sockets: [gateway], world, total });
  });
}

test('at full speed: whatever arrives is exact at the version it names', async () => {
  const world = createWorld({ file: 'final-2019', name: 'fast', seed: seed + 9, teams, smallContests });
  const seeded = await seedWorld(gateway, world);
  const viewers = chooseViewers([gateway], world, seed);
  await allReach(viewers, seeded);
  const seen: {
    viewer: Viewer;
    contest: string;
    board: Board;
    own: [string, number | null, number | null][];
  }[] = [];
  for (const viewer of viewers) {
    for (const [contest, room] of viewer.rooms) {
      room.on('board', (board) => {
        const own = room.held
          ? []
          : room.entries.map((e) => [e.entry, e.score, e.rank] as [string, number, number]);
        seen.push({ viewer, contest, board, own });
      });
    }
  }
  const sent: { version: number; record: PointsRecord }[] = [];
  let last = seeded;
  const startedAt = Date.now();
  for (let k = 0; k < world.replay.deliveries; k += 1) {
    const records = world.replay.delivery(k, startedAt + k);
    last = await post(gateway, records);
    records.forEach((record, n) => {
      sent.push({ version: last - records.length + 1 + n, record });
    });
  }
  await allReach(viewers, last);
  const compared = new Comparison();
  const pointsAt = (version: number) => {
    const points = world.pointsAfter(-1);
    for (const { version: at, record } of sent) if (at <= version) points.set(record.player, record.points);
    return points;
  };
  assert.deepEqual(pointsAt(last), world.pointsAfter(world.replay.deliveries - 1));
  const cache = new Map<string, ReturnType<World['board']>>();
  for (const { viewer, contest, board, own } of seen) {
    const key = `${contest} ${board.version}`;
    const rows = cache.get(key) ?? world.board(contest, pointsAt(board.version));
    cache.set(key, rows);
    compared.top(board.top, rows, key);
    for (const [entry, score, rank] of own) {
      const expected = rows.find((row) => row.entry === entry);
      compared.equal(score, expected?.score, () => `${key} score of ${entry} at ${viewer.user}`);
      compared.equal(rank, expected?.rank, () => `${key} rank of ${entry} at ${viewer.user}`);
    }
  }
  const versions = new Set(seen.map(({ board }) => board.version)).size;
  for (const viewer of viewers) viewer.close();
  process.stdout.write(
    `full speed: ${seen.length} boards of ${versions} versions, ${compared.compared} comparisons\n`,
  );
  assert.deepEqual(
    viewers.flatMap((viewer) => viewer.faults),
    [],
  );
  compared.none();
  assert.ok(versions >= 5, `only ${versions} versions arrived`);
});

test('the comparisons were enough', {
  skip: teams < 20_000 ? 'a smaller run was asked for by TEAMS' : false,
}, () => {
  process.stdout.write(`${total.compared} comparisons, ${total.differences.length} differences\n`);
  assert.ok(total.compared >= comparisonsMin, `only ${total.compared} comparisons`);
});
