import assert from 'node:assert/strict';
import { createRandom } from '../../demo/random.ts';
import type { ContestEvent, PointsRecord } from '../../proto/records.ts';
import type { ModelRow } from '../model/brute-force.ts';
import type { GatewayApi } from './gateway-api.ts';
import { allReach, type Comparison, type ModelBoard, modelBoard, Viewer } from './viewers.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

const viewersPerWorld = 30;
/** Small contests whose pages are read at each delivery, in rotation. */
const smallPagesPerDelivery = 20;
/** Records of a thousand entries in one request. */
const recordsPerRequest = 8;

export interface Night {
  gateway: GatewayApi;
  world: World;
  viewers: Viewer[];
  total: Comparison;
  /** Where everyone stands. */
  version: number;
}

/**
 * Users of all kinds: of many entries, of one, of none; each in the big contest and in those of their own
 * teams, at one gateway after the other.
 */
export function chooseViewers(gateways: readonly GatewayApi[], world: World, seed: number): Viewer[] {
  const random = createRandom(seed + 2);
  const users = [...world.byUser.keys()].sort(
    (a, b) => (world.byUser.get(b)?.length ?? 0) - (world.byUser.get(a)?.length ?? 0),
  );
  const chosen = new Set(users.slice(0, 10));
  while (chosen.size < viewersPerWorld - 2) chosen.add(users[Math.floor(random() * users.length)] ?? '');
  chosen.add('nobody');
  // the two contests at the border of small and large, by owners of teams in them
  for (const border of world.small.slice(0, 2)) chosen.add(world.contests.get(border)?.[0]?.user ?? '');
  return [...chosen].map((user, n) => {
    const own = world.small.filter((contest) =>
      world.contests.get(contest)?.some((team) => team.user === user),
    );
    const others = [world.small[n % world.small.length] ?? ''];
    const contests = new Set([world.big, ...own.slice(0, 20), ...others]);
    const gateway = gateways[n % gateways.length] as GatewayApi;
    return new Viewer(gateway, user, [...contests], {
      encoding: n % 2 === 0 ? 'msgpack' : 'json',
      match: world.match,
    });
  });
}

export async function post(gateway: GatewayApi, records: readonly ContestEvent[]): Promise<number> {
  const answer = await gateway.ingest('contest-events', records);
  assert.deepEqual(answer.refused, []);
  assert.equal(answer.taken, records.length);
  return answer.versions.at(-1)?.version ?? 0;
}

export async function seedWorld(gateway: GatewayApi, world: World): Promise<number> {
  const records = world.seedRecords(Date.now());
  let version = 0;
  for (let from = 0; from < records.length; from += recordsPerRequest) {
    version = await post(gateway, records.slice(from, from + recordsPerRequest));
  }
  return version;
}

interface PageAnswer {
  version: number;
  total: number;
  rows: [number, string, number][];
}

async function comparePages(night: Night, contest: string, rows: readonly ModelRow[], when: string) {
  const { gateway, total, version } = night;
  const pages = Math.ceil(rows.length / 500);
  const path = (page: number) => `/v1/contests/${contest}/leaderboard?page=${page}&minVersion=${version}`;
  const answers = await Promise.all(
    Array.from({ length: pages }, (_, page) => gateway.get<PageAnswer>(path(page), 'reader')),
  );
  answers.forEach((answer, page) => {
    total.equal(answer.version, version, () => `${when} ${contest} version of page ${page}`);
    total.equal(answer.total, rows.length, () => `${when} ${contest} total of page ${page}`);
    total.page(answer.rows, page * 500, rows, `${when} ${contest}`);
  });
}

/** Everything that everyone sees after delivery k, all of them standing at `night.version`. */
export async function compareDelivery(night: Night, k: number): Promise<void> {
  const { world, viewers, total, version } = night;
  const when = `${world.match} delivery ${k}`;
  const points = world.pointsAfter(k);
  const boards = new Map<string, ModelBoard>();
  const boardOf = (contest: string): ModelBoard => {
    const board = boards.get(contest) ?? modelBoard(world.board(contest, points));
    boards.set(contest, board);
    return board;
  };
  for (const viewer of viewers) {
    for (const [contest, room] of viewer.rooms) {
      total.equal(room.version, version, () => `${when} ${contest} version at ${viewer.user}`);
      total.room(room, viewer.user, boardOf(contest), when);
    }
    for (const [player, expected] of points) {
      const got = viewer.match?.players.get(player);
      total.equal(got, expected, () => `${when} points of ${player} at ${viewer.user}`);
    }
  }
  const read = [world.big];
  for (let n = 0; n < smallPagesPerDelivery; n += 1) {
    read.push(world.small[(k * smallPagesPerDelivery + n) % world.small.length] ?? '');
  }
  await Promise.all(read.map((contest) => comparePages(night, contest, boardOf(contest).rows, when)));
}

export interface Play {
  /** Takes records and reads of pages. */
  gateway: GatewayApi;
  /** Where viewers have their sockets. */
  sockets: readonly GatewayApi[];
  world: WorldOptions;
  total: Comparison;
  /** How long a version may take to reach every viewer. */
  reachTimeoutMs?: number;
  /** Takes the place of `post`: faults happen here. */
  postDelivery?(records: PointsRecord[], viewers: readonly Viewer[]): Promise<number>;
}

/** Plays a match, and compares at each delivery, when every viewer has come to its version. */
export async function playEveryDelivery({ gateway, sockets, total, ...play }: Play): Promise<void> {
  const world = createWorld(play.world);
  await seedWorld(gateway, world);
  const viewers = chooseViewers(sockets, world, play.world.seed);
  const startedAt = Date.now();
  const postDelivery = play.postDelivery ?? ((records) => post(gateway, records));
  try {
    for (let k = 0; k < world.replay.deliveries; k += 1) {
      const version = await postDelivery(world.replay.delivery(k, startedAt + k), viewers);
      await allReach(viewers, version, play.reachTimeoutMs);
      await compareDelivery({ gateway, world, viewers, total, version }, k);
    }
  } finally {
    for (const viewer of viewers) viewer.close();
  }
  assert.deepEqual(
    viewers.flatMap((viewer) => viewer.faults),
    [],
  );
  total.none();
}
