import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../channels/clock.manual.ts';
import { createDemoTokens } from './demo-tokens.ts';
import { createDemoUsers, demoUsersDefaults } from './demo-users.ts';
import { createRandom } from './random.ts';

test('users are different, read as names, and are bounded', () => {
  const users = createDemoUsers(createManualClock(1_000), createRandom(1));
  const made = new Set<string | null>();
  for (let n = 0; n < demoUsersDefaults.usersMax; n++) made.add(users.create());
  assert.equal(made.size, demoUsersDefaults.usersMax);
  for (const user of made) assert.match(user ?? '', /^[a-z]+-[a-z]+-[a-z0-9]{4}$/);
  assert.equal(users.create(), null);
  users.welcome('one-more-0000');
  assert.ok(!users.others('x').includes('one-more-0000'));
});

test('others are those whose windows asked lately', async () => {
  const clock = createManualClock(1_000);
  const users = createDemoUsers(clock, createRandom(1));
  const [a, b] = [users.create() as string, users.create() as string];
  assert.deepEqual(users.others(a), [b]);
  await clock.advance(demoUsersDefaults.seenWithinMs - 1);
  users.seen(a);
  users.seen('nobody-known-0000');
  await clock.advance(2);
  assert.deepEqual(users.others(b), [a]);
  assert.deepEqual(users.others(a), []);
  users.welcome(b);
  assert.deepEqual(users.others(a), [b]);
  for (let n = 0; n < 20; n++) users.create();
  assert.equal(users.others(a).length, demoUsersDefaults.shownMax);
});

test('entries have ids of their own, also after a new start, and are bounded', () => {
  const start = (at: number) => createDemoUsers(createManualClock(at), createRandom(1));
  const users = start(1_000);
  const ids = new Set<string | null>();
  for (const user of ['a', 'b']) {
    for (const contest of ['c1', 'c2']) {
      for (let n = 0; n < demoUsersDefaults.teamsPerUserMax; n++) ids.add(users.nextEntry(user, contest));
      assert.equal(users.nextEntry(user, contest), null);
    }
  }
  assert.equal(ids.size, 4 * demoUsersDefaults.teamsPerUserMax);
  for (const id of ids) assert.match(id ?? '', /^[A-Za-z0-9_-]{1,36}$/);
  assert.ok(!ids.has(start(2_000).nextEntry('a', 'c1')));
});

test('tokens and keys are those of their user alone', async () => {
  const clock = createManualClock(Date.UTC(2030, 0, 1));
  const tokens = createDemoTokens('s'.repeat(32), clock);
  const others = createDemoTokens('t'.repeat(32), clock);
  const token = await tokens.mint('amber-heron-k3f9');
  assert.equal(await tokens.userOf(token), 'amber-heron-k3f9');
  assert.equal(await others.userOf(token), null);
  assert.equal(await tokens.userOf('no token'), null);
  assert.ok(tokens.isKeyOf('a', tokens.keyOf('a')));
  for (const wrong of [tokens.keyOf('b'), others.keyOf('a'), '', 'x']) assert.ok(!tokens.isKeyOf('a', wrong));
  await clock.advance(86_401_000);
  assert.equal(await tokens.userOf(token), null);
});
