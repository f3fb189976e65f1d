import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandStatuses, putPending } from '../../channels/lookup/command-status.ts';
import { type Profile, profiles } from '../../channels/lookup/profile.ts';
import { readDeadLetter } from '../../workers/source/dead-letters.ts';
import type { ModelCommand } from '../model/follow-model.ts';
import { createFollowWorld, type FollowWorld } from './follow-world.ts';

async function withWorld(body: (world: FollowWorld) => Promise<void>): Promise<void> {
  const world = await createFollowWorld();
  try {
    await world.start(100);
    await body(world);
    assert.equal(await world.failures(), 0);
  } finally {
    await world.discard();
  }
}

let made = 0;
async function give(world: FollowWorld, kind: ModelCommand['kind'], from: string, to: string, more = {}) {
  made += 1;
  const id = `c${made}`;
  world.now += 10;
  const value = Buffer.from(JSON.stringify({ id, at: world.now, kind, from, to, ...more }));
  await world.log.append('graph-commands', [{ key: [from, to].sort().join(':'), value }]);
  await world.settled();
  return id;
}

async function told(world: FollowWorld, channel: string): Promise<unknown[]> {
  const { messages } = await world.bus.history(channel, 0, 1_000);
  return messages.map(({ data }) => JSON.parse(Buffer.from(data).toString()));
}

test('[FEED-4] a block looks like an unfollow to everyone; what changes no follow makes no message', () =>
  withWorld(async (world) => {
    await give(world, 'follow', 'ann', 'bob', { affinity: 0.25 });
    await give(world, 'follow', 'bob', 'ann');
    await give(world, 'affinity', 'ann', 'bob', { affinity: 0.75 });
    await give(world, 'interaction', 'ann', 'bob', { weight: 0.125 });
    await give(world, 'block', 'bob', 'ann');
    await give(world, 'follow', 'ann', 'bob');
    await give(world, 'unblock', 'bob', 'ann');
    const followed = { type: 'follower', user: 'ann', affinity: 0.25 };
    assert.deepEqual(await told(world, 'feed:bob'), [followed, { type: 'unfollower', user: 'ann' }]);
    assert.deepEqual(await told(world, 'feed:ann'), [
      { type: 'follower', user: 'bob', affinity: 0.5 },
      { type: 'unfollower', user: 'bob' },
    ]);
    for (const [me, other] of [
      ['ann', 'bob'],
      ['bob', 'ann'],
    ]) {
      assert.deepEqual(await told(world, `user:${me}`), [
        { type: 'following', other, state: 'following' },
        { type: 'following', other, state: 'none' },
      ]);
    }
    await give(world, 'follow', 'ann', 'bob', { affinity: 0.25 });
    assert.deepEqual((await told(world, 'feed:bob'))[2], followed);
  }));

test('what became of a command is pending, then decided, and a repeat does not change it', () =>
  withWorld(async (world) => {
    await putPending(world.lookup, 'mine');
    assert.deepEqual(await commandStatuses(world.lookup, ['mine', 'none']), [{ state: 'pending' }, null]);
    await give(world, 'block', 'bob', 'ann');
    const command = { id: 'mine', at: world.now, kind: 'follow', from: 'ann', to: 'bob' };
    const record = { key: 'ann:bob', value: Buffer.from(JSON.stringify(command)) };
    await world.log.append('graph-commands', [record]);
    await world.settled();
    // The pending of an edge that was slower than the worker.
    await putPending(world.lookup, 'mine');
    const [refused] = await commandStatuses(world.lookup, ['mine']);
    assert.equal(refused?.state === 'rejected' && refused.code, 'blocked');
    await give(world, 'unblock', 'bob', 'ann');
    await world.log.append('graph-commands', [record]);
    await world.settled();
    assert.deepEqual(await commandStatuses(world.lookup, ['mine']), [refused]);
    const self = await give(world, 'follow', 'ann', 'ann');
    const [status] = await commandStatuses(world.lookup, [self]);
    assert.deepEqual(status, { state: 'rejected', code: 'self', message: 'ann cannot follow themself.' });
  }));

test('[FEED-7] what is no command, change or profile becomes a dead letter, and the rest goes on', () =>
  withWorld(async (world) => {
    const good = { id: 'g', at: world.now, from: 'a', to: 'b', kind: 'follow' };
    const bad: [topic: string, value: string | Uint8Array, code: string][] = [
      ['graph-commands', '', 'bad_json'],
      ['graph-commands', '{"id":', 'bad_json'],
      ['graph-commands', new Uint8Array([0xc1, 0xff]), 'bad_json'],
      ['graph-commands', JSON.stringify({ ...good, kind: 'poke' }), 'bad_field'],
      ['graph-commands', JSON.stringify({ ...good, from: 'a b' }), 'bad_field'],
      ['graph-commands', JSON.stringify({ ...good, kind: 'affinity' }), 'bad_field'],
      ['graph-commands', JSON.stringify({ ...good, kind: 'interaction', weight: 2 }), 'bad_field'],
      ['graph-commands', JSON.stringify({ ...good, at: world.now + 3_600_000 }), 'future_at'],
      ['graph-changes', '{}', 'bad_field'],
      ['graph-changes', JSON.stringify({ ...good, list: 'friends' }), 'bad_field'],
      ['profiles', JSON.stringify({ id: 'p', at: world.now, user: 'a' }), 'bad_field'],
      ['profiles', JSON.stringify({ id: 'p', at: 'now', user: 'a', name: 'A' }), 'bad_field'],
    ];
    for (const [topic, value] of bad)
      await world.log.append(topic, [{ key: 'a', value: Buffer.from(value) }]);
    await world.settled();
    await give(world, 'follow', 'a', 'b');
    const letters = (await world.log.read('dead-letters', 0, 0, 100)).map(({ value }) =>
      readDeadLetter(value),
    );
    const key = ({ topic, code }: { topic: string; code: string }) => `${topic} ${code}`;
    assert.deepEqual(letters.map(key).sort(), bad.map(([topic, , code]) => key({ topic, code })).sort());
    for (const { partition, offset, message } of letters) {
      assert.ok(partition !== null && offset !== null && message.endsWith('.'), message);
    }
    assert.deepEqual((await world.sets.page('followers_b', 0, 10))?.total, 1);
  }));

test('[FEED-8] the profile with the greatest (at, id) stands, whatever order they come in', () =>
  withWorld(async (world) => {
    const profile = (at: number, id: string): Profile => {
      const avatar = id === 'b' ? { avatar: 'https://example.com/b.png' } : {};
      return { user: 'ann', name: `Ann ${at} ${id}`, at: world.now + at, id, ...avatar };
    };
    async function put(...some: Profile[]): Promise<Profile | null | undefined> {
      const records = some.map((record) => ({ key: 'ann', value: Buffer.from(JSON.stringify(record)) }));
      await world.log.append('profiles', records);
      await world.settled();
      return (await profiles(world.lookup, ['ann', 'nobody']))[0];
    }
    assert.deepEqual(await put(profile(5, 'b')), profile(5, 'b'));
    assert.deepEqual(await put(profile(5, 'a'), profile(4, 'z')), profile(5, 'b'));
    assert.deepEqual(await put(profile(5, 'c')), profile(5, 'c'));
    assert.deepEqual(await put(profile(7, 'a'), profile(6, 'z')), profile(7, 'a'));
    assert.deepEqual(await put(profile(5, 'b'), profile(5, 'c')), profile(7, 'a'));
  }));
