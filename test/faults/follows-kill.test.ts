import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../channels/random.ts';
import { createFollowModel, type FollowModel, type ModelCommand } from '../model/follow-model.ts';
import { createFollowWorld, type FollowWorld } from './follow-world.ts';

/**
 * A process takes follows into the log and works on them, until it is killed without warning; the next one
 * takes over the folder. At the end the lists must be what the model makes of the log. This file is both: the
 * test, and with arguments the process.
 */
const lives = 5;
const users = Array.from({ length: 40 }, (_, i) => `u${i}`);
const kinds = ['follow', 'follow', 'follow', 'follow', 'unfollow', 'block', 'unblock', 'affinity'] as const;

if (process.argv[2] === 'life') await live(process.argv[3]!, Number(process.argv[4]));
else {
  test('[GRAPH-4] [FEED-1] kill -9 in the midst of follows loses and doubles nothing', async (t) => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    t.diagnostic(`SEED=${seed}`);
    const random = seededRandom(seed);
    const folder = mkdtempSync(join(tmpdir(), 'rankcast-follows-kill-'));
    try {
      const taken: string[] = [];
      for (let no = 0; no < lives; no++) taken.push(...(await killed(folder, seed + no, 1 + random() * 120)));
      t.diagnostic(await verify(folder, taken));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function verify(folder: string, taken: readonly string[]): Promise<string> {
  const world = await createFollowWorld({ sweepIntervalMs: 5, folder });
  try {
    world.now = Date.now();
    await world.start(1_000);
    await touchAll(world);
    assert.equal(await world.settled(), true);
    const { model, commands } = await modelOfLog(world);
    for (const id of taken) assert.ok(model.decided.has(id), `${id} was taken and is gone`);
    await compare(world, model);
    return `${lives} lives, ${taken.length} commands acknowledged, ${commands} in the log`;
  } finally {
    await world.discard();
  }
}

/** Ids of the commands that the process said were taken. */
async function killed(folder: string, seed: number, enough: number): Promise<string[]> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'life', folder, `${seed}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const taken: string[] = [];
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    taken.push(...line.split(' '));
    lines += 1;
    if (lines >= enough) child.kill('SIGKILL');
  }
  await exit;
  assert.ok(lines >= enough, 'the process ended by itself');
  return taken;
}

async function live(folder: string, seed: number): Promise<void> {
  const world = await createFollowWorld({ sweepIntervalMs: 5, folder });
  const random = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  await world.start(50);
  const recent: ModelCommand[] = [];
  for (let no = 0; ; no++) {
    world.now = Date.now();
    const commands: ModelCommand[] = [];
    for (let i = 0; i < 10; i++) {
      const fresh: ModelCommand = {
        id: `${seed}-${no}-${i}`,
        at: world.now - Math.floor(random() * 5_000),
        kind: pick(kinds),
        from: pick(users),
        to: pick(users),
        affinity: 0.5,
      };
      commands.push(random() < 0.2 && recent.length > 0 ? pick(recent) : fresh);
      recent.push(commands[i]!);
    }
    await world.log.append('graph-commands', commands.map(record));
    process.stdout.write(`${commands.map(({ id }) => id).join(' ')}\n`);
  }
}

function record(command: ModelCommand): { key: string; value: Uint8Array } {
  return {
    key: [command.from, command.to].sort().join(':'),
    value: Buffer.from(JSON.stringify(command)),
  };
}

/**
 * A record for every partition of every topic, so that each is committed once more, after all that was left.
 */
async function touchAll(world: FollowWorld): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const command = { id: `z${i}`, at: world.now, kind: 'follow' as const, from: `y${i}`, to: `z${i}` };
    await world.log.append('graph-commands', [record(command)]);
    const profile = { id: `z${i}`, at: world.now, user: `z${i}`, name: 'Z' };
    await world.log.append('profiles', [{ key: profile.user, value: Buffer.from(JSON.stringify(profile)) }]);
  }
}

/**
 * What the model makes of the log: pairs are in one partition each, so the order among partitions is no
 * matter.
 */
async function modelOfLog({ log }: FollowWorld): Promise<{ model: FollowModel; commands: number }> {
  const model = createFollowModel();
  let commands = 0;
  for (let partition = 0; partition < log.partitions('graph-commands'); partition++) {
    const { next } = await log.bounds('graph-commands', partition);
    for (const { value, timestamp } of await log.read('graph-commands', partition, 0, next)) {
      model.give(JSON.parse(Buffer.from(value).toString()), timestamp);
      commands += 1;
    }
  }
  return { model, commands };
}

async function compare(world: FollowWorld, model: FollowModel): Promise<void> {
  for (const user of users) {
    for (const list of ['followers', 'following'] as const) {
      const expected = model.list(user, list);
      const page = await world.sets.page(`${list}_${user}`, 0, 100);
      assert.deepEqual(page, { total: expected.length, rows: expected }, `${list} of ${user}`);
    }
    const last = new Map<string, string>();
    for (const { data } of (await world.bus.history(`feed:${user}`, 0, 10_000)).messages) {
      const message = JSON.parse(Buffer.from(data).toString());
      assert.notEqual(last.get(message.user), message.type, `${user} was told ${message.type} twice running`);
      last.set(message.user, message.type);
    }
    const told = [...last].filter(([, type]) => type === 'follower').map(([other]) => other);
    assert.deepEqual(
      told.sort(),
      model
        .list(user, 'followers')
        .map(([other]) => other)
        .sort(),
    );
  }
}
