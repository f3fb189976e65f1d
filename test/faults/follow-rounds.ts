import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { commandStatuses } from '../../channels/lookup/command-status.ts';
import { seededRandom } from '../../channels/random.ts';
import { failureShownMs } from '../../workers/log/worker.ts';
import { readDeadLetter } from '../../workers/source/dead-letters.ts';
import { createFollowModel, type FollowModel, type ModelCommand } from '../model/follow-model.ts';
import type { FollowWorld } from './follow-world.ts';

/**
 * Random commands with repeats, latecomers, refused and malformed ones, through the real log, graph worker
 * and followers worker, compared with the obvious model after every round. In a third of the rounds members
 * die at random steps and others take over, in a third some of their calls fail, with effect or without.
 */
export const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const commandsPerRound = 150;
const hourMs = 3_600_000;

const random = seededRandom(seed);
/** Fates have numbers of their own: the seed repeats commands and fates, when they meet is the machine's. */
const luck = seededRandom(seed + 1);
const below = (count: number) => Math.floor(random() * count);
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;

const users = ['ann', 'bob', 'c-3', 'D_4', 'eve', 'f6', '7', 'h'.repeat(36)];
const kinds = [
  ...Array<ModelCommand['kind']>(8).fill('follow'),
  ...Array<ModelCommand['kind']>(4).fill('unfollow'),
  ...(['block', 'unblock', 'unblock', 'affinity', 'affinity', 'interaction', 'interaction'] as const),
];

interface Run {
  world: FollowWorld;
  model: FollowModel;
  given: ModelCommand[];
  malformed: number;
  /** By channel: position read up to, and what the last message about each other user said. */
  heads: Map<string, number>;
  last: Map<string, string>;
  /** Messages by channel and other user, all and in order. */
  seen: Map<string, unknown[]>;
  modelRead: number;
}

function newCommand(run: Run): ModelCommand {
  const kind = pick(kinds);
  const command: ModelCommand = {
    id: `${run.given.length}-${below(1_000)}`,
    at: run.world.now - pick([0, 0, 0, below(1_000), below(4 * hourMs), below(30 * hourMs)]),
    kind,
    from: pick(users),
    to: pick(users),
  };
  // A member that takes over cannot tell the begin of a follow from a repeat of the very same time.
  const isDouble = ({ kind, at, from, to }: ModelCommand) =>
    kind === 'follow' && at === command.at && from === command.from && to === command.to;
  while (kind === 'follow' && run.given.some(isDouble)) command.at -= 1;
  if (kind === 'affinity' || (kind === 'follow' && random() < 0.5)) command.affinity = below(11) / 10;
  if (kind === 'interaction') command.weight = below(11) / 10;
  return command;
}

/** Some commands into the log and the model, in one order. */
async function append(run: Run, count: number): Promise<string[]> {
  const fresh: string[] = [];
  for (let done = 0; done < count; ) {
    const size = 1 + below(20);
    const records = [];
    for (let i = 0; i < size; i++) {
      const isRepeat = run.given.length > 0 && random() < 0.3;
      const command = isRepeat ? pick(run.given.slice(-400)) : newCommand(run);
      if (!isRepeat) {
        run.given.push(command);
        fresh.push(command.id);
      }
      run.model.give(command, run.world.now);
      records.push(record(command));
      if (random() < 0.02) {
        records.push({ key: 'x', value: Buffer.from(pick(['{', '{"id":"x"}', '\x93', '[]'])) });
        run.malformed += 1;
      }
    }
    await run.world.log.append('graph-commands', records);
    run.world.now += below(1_000);
    done += size;
  }
  return fresh;
}

function record(command: ModelCommand): { key: string; value: Uint8Array } {
  const key = [command.from, command.to].sort().join(':');
  return { key, value: Buffer.from(JSON.stringify(command)) };
}

async function compareLists({ world, model }: Run): Promise<void> {
  for (const user of users) {
    for (const list of ['followers', 'following'] as const) {
      const expected = model.list(user, list);
      const page = await world.sets.page(`${list}_${user}`, 0, 100);
      assert.deepEqual(page, { total: expected.length, rows: expected }, `${list} of ${user}`);
      const kept = (await world.graph.list(user, list, null, 100)).map(({ other, affinity }) => [
        other,
        affinity,
      ]);
      assert.deepEqual(
        kept,
        [...expected].sort(([a], [b]) => (a < b ? -1 : 1)),
        `${list} of ${user} in the graph`,
      );
    }
  }
}

async function compareDecisions({ world, model }: Run, fresh: string[]): Promise<void> {
  for (let at = 0; at < fresh.length; at += 500) {
    const ids = fresh.slice(at, at + 500);
    const statuses = await commandStatuses(world.lookup, ids);
    const found = statuses.map((status) => (status?.state === 'rejected' ? status.code : status?.state));
    assert.deepEqual(
      found,
      ids.map((id) => model.decided.get(id)),
    );
  }
}

/**
 * Reads what is new on all channels; ids must not come twice, and the last message about a user says what
 * stands.
 */
async function compareFeeds(run: Run): Promise<void> {
  for (const user of users) {
    for (const channel of [`feed:${user}`, `user:${user}`]) {
      const { messages } = await run.world.bus.history(channel, run.heads.get(channel) ?? 0, 1_000);
      for (const { id, at, position, data } of messages) {
        const message = JSON.parse(Buffer.from(data).toString());
        const other = message.user ?? message.other;
        const key = `${channel} ${other}`;
        const says = message.state ?? message.type;
        assert.notEqual(
          run.last.get(key),
          says,
          `${key} was told ${says} twice running, the second time by ${id}`,
        );
        run.last.set(key, says);
        run.heads.set(channel, position);
        run.seen.set(key, [...(run.seen.get(key) ?? []), { at, ...message }]);
      }
      const list = channel.startsWith('feed:') ? 'followers' : 'following';
      const expected = run.model.list(user, list).map(([member]) => member);
      const on = [...run.last].filter(
        ([key, says]) => key.startsWith(`${channel} `) && (says === 'follower' || says === 'following'),
      );
      assert.deepEqual(
        on.map(([key]) => key.slice(channel.length + 1)).sort(),
        [...expected].sort(),
        channel,
      );
    }
  }
}

/** Where no batch came twice, every begin and end was told, in order, as the model has it. */
function compareTold(run: Run, isWhole: boolean): void {
  const expected = new Map<string, unknown[]>();
  for (const { channel, at, data } of run.model.messages.slice(run.modelRead)) {
    const key = `${channel} ${data['user'] ?? data['other']}`;
    expected.set(key, [...(expected.get(key) ?? []), { at, ...data }]);
  }
  run.modelRead = run.model.messages.length;
  if (isWhole)
    assert.deepEqual(Object.fromEntries([...run.seen].sort()), Object.fromEntries([...expected].sort()));
  run.seen.clear();
}

async function compareLetters({ world, malformed }: Run): Promise<void> {
  const letters = await world.log.read('dead-letters', 0, 0, 10_000);
  const read = letters.map(({ value }) => readDeadLetter(value));
  assert.equal(read.length, malformed);
  assert.equal(new Set(read.map(({ id }) => id)).size, malformed);
  for (const { topic, code } of read) {
    assert.equal(topic, 'graph-commands');
    assert.match(code, /^bad_/);
  }
}

type Weather = 'calm' | 'deadly' | 'flaky';

async function play(run: Run, weather: Weather): Promise<{ deaths: number; failures: number }> {
  const { world } = run;
  let deaths = 0;
  const start = () =>
    world.start([1, 7, 50, 1_000][Math.floor(luck() * 4)]!, {
      steps: weather === 'deadly' && deaths < 6 ? 1 + Math.floor(luck() ** 3 * 1_500) : 0,
      hasEffect: luck() < 0.5,
      isMissed: () => weather === 'flaky' && luck() < 0.01,
    });
  await start();
  // A second member shares the partitions, and takes them all over when the first dies.
  if (luck() < 0.5) await start();
  const fresh = await append(run, commandsPerRound);
  while (!(await world.settled())) {
    deaths += 1;
    if ((await world.bury(luck() < 0.5 ? 'dead' : 'all')) === 0 || luck() < 0.5) await start();
    if (luck() < 0.3) fresh.push(...(await append(run, 10)));
  }
  const failures = await world.failures();
  if (weather !== 'flaky') assert.equal(failures, 0);
  world.now += failureShownMs + 1;
  assert.ok(world.ready());
  await world.bury('all');
  await compareLists(run);
  await compareDecisions(run, fresh);
  await compareFeeds(run);
  compareTold(run, weather === 'calm');
  world.now += below(6 * hourMs);
  return { deaths, failures };
}

/** Plays so many rounds in a world that it then discards. */
export async function playRounds(t: TestContext, world: FollowWorld, rounds: number): Promise<void> {
  try {
    const run: Run = {
      world,
      model: createFollowModel(),
      given: [],
      malformed: 0,
      heads: new Map(),
      last: new Map(),
      seen: new Map(),
      modelRead: 0,
    };
    let deaths = 0;
    let failures = 0;
    for (let round = 0; round < rounds; round++) {
      const played = await play(run, (['calm', 'deadly', 'flaky'] as const)[round % 3]!);
      deaths += played.deaths;
      failures += played.failures;
    }
    await compareLetters(run);
    const codes = [...run.model.decided.values()];
    const count = (code: string) => codes.filter((other) => other === code).length;
    t.diagnostic(
      `${run.given.length} commands (${['applied', 'blocked', 'no_such_follow', 'too_old', 'self']
        .map((code) => `${code} ${count(code)}`)
        .join(
          ', ',
        )}), ${run.malformed} malformed, ${run.model.messages.length} messages, ${deaths} deaths, ` +
        `${failures} failed batches`,
    );
    assert.ok(deaths > rounds / 8, `only ${deaths} deaths`);
    assert.ok(failures > rounds / 8, `only ${failures} failed batches`);
  } finally {
    await world.discard();
  }
}
