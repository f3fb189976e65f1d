import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { seededRandom } from '../../channels/random.ts';
import { shownAffinity } from '../../channels/sets/affinity.ts';
import type { SetRow } from '../../channels/sets/ranked-sets.ts';
import type { FollowWorld } from '../faults/follow-world.ts';
import { projectRoot } from '../project.ts';

/** 103,689 real follows through the log, the graph worker and the followers worker, and once more. */
export const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const appendMax = 1_000;

export interface Follow {
  from: string;
  to: string;
}

export function readFollows(): Follow[] {
  const text = gunzipSync(readFileSync(join(projectRoot, 'test/data/follows/wiki-vote.tsv.gz'))).toString();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [from = '', to = ''] = line.split('\t');
      return { from, to };
    });
}

async function append(
  world: FollowWorld,
  commands: readonly (Follow & { id: string; at: number; kind: string })[],
) {
  for (let at = 0; at < commands.length; at += appendMax) {
    const records = commands.slice(at, at + appendMax).map((command) => ({
      key: [command.from, command.to].sort().join(':'),
      value: Buffer.from(JSON.stringify(command)),
    }));
    await world.log.append('graph-commands', records);
  }
}

/** Every list of the file, by set. */
export function expectedLists(follows: readonly Follow[]): Map<string, Set<string>> {
  const lists = new Map<string, Set<string>>();
  const add = (set: string, member: string) => {
    const members = lists.get(set) ?? new Set();
    lists.set(set, members.add(member));
  };
  for (const { from, to } of follows) {
    add(`followers_${to}`, from);
    add(`following_${from}`, to);
  }
  return lists;
}

async function readLists(world: FollowWorld, sets: Iterable<string>): Promise<Map<string, SetRow[]>> {
  const read = new Map<string, SetRow[]>();
  for (const set of sets) {
    const page = await world.sets.page(set, 0, 1_000);
    assert.ok(page !== null && page.total === page.rows.length, set);
    read.set(set, page.rows);
  }
  return read;
}

async function feedHeads(world: FollowWorld, sets: Iterable<string>): Promise<number[]> {
  const channels = [...sets].map((set) => set.replace('followers_', 'feed:').replace('following_', 'user:'));
  return (await world.bus.heads(channels)).map(({ position }) => position);
}

interface Passed {
  lists: Map<string, SetRow[]>;
  heads: number[];
}
export interface Run {
  follows: Follow[];
  once: Passed;
  again: Passed;
  failures: number;
  now: number;
  took: string[];
}

/** In a world that it then discards. */
export async function passThrough(world: FollowWorld): Promise<Run> {
  const follows = readFollows();
  const sets = [...expectedLists(follows).keys()];
  const took: string[] = [];
  const elapsed = async (what: string, work: () => Promise<unknown>) => {
    const startedAt = performance.now();
    await work();
    took.push(`${what}: ${((performance.now() - startedAt) / 1_000).toFixed(2)} s`);
  };
  try {
    const commands = follows.map(({ from, to }, i) => ({
      id: `f${i}`,
      at: world.now - i,
      kind: 'follow',
      from,
      to,
    }));
    await elapsed('into the log', () => append(world, commands));
    await world.start(1_000);
    await elapsed('through graph, lists and feeds', () => world.settled());
    const once = { lists: await readLists(world, sets), heads: await feedHeads(world, sets) };
    const repeats = shuffledAgain(commands);
    await elapsed(`${repeats.length} repeats and latecomers`, async () => {
      await append(world, repeats);
      await world.settled();
    });
    const again = { lists: await readLists(world, sets), heads: await feedHeads(world, sets) };
    return { follows, once, again, failures: await world.failures(), now: world.now, took };
  } finally {
    await world.discard();
  }
}

/**
 * A quarter of the commands in another order, and among them unfollows that come too late: dated before the
 * follows.
 */
export function shuffledAgain<T extends { id: string; at: number; kind: string }>(
  commands: readonly T[],
): T[] {
  const random = seededRandom(seed);
  const pick = () => commands[Math.floor(random() * commands.length)]!;
  const again: T[] = [];
  for (let i = 0; i < commands.length / 4; i++) {
    again.push(pick());
    const late = pick();
    if (i % 5 === 0) again.push({ ...late, id: `late${i}`, at: late.at - 1, kind: 'unfollow' });
  }
  return again;
}

export function checkLists(t: TestContext, run: Run): void {
  for (const line of run.took) t.diagnostic(line);
  const { follows, once, failures } = run;
  assert.equal(follows.length, 103_689);
  assert.equal(failures, 0);
  let members = 0;
  for (const [set, expected] of expectedLists(follows)) {
    const rows = once.lists.get(set) ?? [];
    assert.deepEqual(new Set(rows.map(([member]) => member)), expected, set);
    for (let i = 1; i < rows.length; i++) assert.ok(rows[i - 1]![1] >= rows[i]![1], set);
    for (const [, score] of rows) assert.equal(Math.round(shownAffinity(score, run.now) * 100), 50);
    members += rows.length;
  }
  assert.equal(members, 2 * follows.length);
  assert.equal(once.lists.get('followers_4037')?.length, 457);
  assert.equal(
    once.heads.reduce((sum, head) => sum + head, 0),
    2 * follows.length,
  );
}
