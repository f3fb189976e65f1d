import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import { systemClock } from '../clock.ts';
import { createDependency, type DependencyOptions } from './dependency.ts';

const silent = pino({ level: 'silent' });
const quick = { retryFirstMs: 1, retryLongestMs: 2, callTimeoutMs: 50, openMs: 5 };

function open(options: Partial<DependencyOptions> = {}) {
  const registry = new Registry();
  const parts = { name: 'redis', clock: systemClock, registry, logger: silent };
  return { dependency: createDependency({ ...parts, options: { ...quick, ...options } }), registry };
}
const refused = () => Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });

test('a call that fails is tried again, a bounded number of times, then named in a sentence', async () => {
  const { dependency } = open({ triesMax: 3 });
  let tries = 0;
  const answer = await dependency.run('get', async () => {
    tries += 1;
    if (tries < 3) throw refused();
    return 'value';
  });
  assert.equal(answer, 'value');
  tries = 0;
  const failing = dependency.run('get', async () => {
    tries += 1;
    throw refused();
  });
  await assert.rejects(failing, (error) => {
    assert.ok(error instanceof ServiceError && error.retryable);
    assert.equal(error.message, 'redis: nothing listens at that address.');
    return true;
  });
  assert.equal(tries, 3);
});

test('what must not be repeated is tried once', async () => {
  const { dependency } = open();
  let tries = 0;
  const call = async () => {
    tries += 1;
    throw refused();
  };
  await assert.rejects(dependency.run('append', call, 'once'), ServiceError);
  assert.equal(tries, 1);
});

test('a refusal of ours passes untouched and is no fault of the server', async () => {
  const { dependency } = open({ faultsToOpen: 1 });
  const ours = new ClientError('bad_field', 'too long');
  for (let i = 0; i < 3; i++) {
    const refusing = dependency.run('put', () => Promise.reject(ours));
    await assert.rejects(refusing, (error) => error === ours);
  }
});

test('an answer that says no is not asked for again, and no fault of the server', async () => {
  const registry = new Registry();
  const full = new Error('OOM command not allowed when used memory > maxmemory.');
  const dependency = createDependency({
    ...{ name: 'redis', clock: systemClock, registry, logger: silent },
    options: { ...quick, faultsToOpen: 2, triesMax: 4 },
    isAnswer: (error) => error === full,
  });
  let asked = 0;
  const put = () => {
    asked += 1;
    return Promise.reject(full);
  };
  for (let i = 0; i < 5; i++) {
    await assert.rejects(
      dependency.run('put', put),
      (error) => error instanceof ServiceError && error.retryable,
    );
  }
  assert.equal(asked, 5);
  assert.equal(await dependency.run('get', async () => 'served'), 'served');
});

test('a call that never settles ends at its time limit', async () => {
  const { dependency } = open({ triesMax: 1 });
  const hanging = dependency.run('get', () => new Promise(() => undefined));
  await assert.rejects(hanging, /redis did not answer within 50 ms/);
});

test('after faults in a row nobody asks, until one call is let through', async () => {
  const { dependency } = open({ faultsToOpen: 2, triesMax: 1 });
  let asked = 0;
  const fail = () => {
    asked += 1;
    return Promise.reject(refused());
  };
  for (let i = 0; i < 2; i++) await assert.rejects(dependency.run('get', fail), /nothing listens/);
  await assert.rejects(dependency.run('get', fail), /did not answer 2 times in a row/);
  assert.equal(asked, 2);
  let answer = '';
  while (answer === '') {
    answer = await dependency.run('get', async () => 'back').catch(() => '');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(answer, 'back');
});

test('its state and its metrics say whether the connection stands', async () => {
  const { dependency, registry } = open();
  const up = async () =>
    (await registry.getSingleMetricAsString('rankcast_dependency_up')).split('\n').at(-1);
  assert.match(dependency.state(), /connecting/);
  dependency.connected();
  assert.equal(dependency.state(), 'ready');
  assert.equal(await up(), 'rankcast_dependency_up{dependency="redis"} 1');
  dependency.lost(refused());
  assert.equal(dependency.state(), 'redis: nothing listens at that address.');
  assert.equal(await up(), 'rankcast_dependency_up{dependency="redis"} 0');
});
