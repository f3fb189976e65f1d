import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createManualClock } from '../channels/clock.manual.ts';
import { type AdmissionOptions, admissionDefaults, createAdmission } from './admission.ts';
import type { UpgradeAnswer, UpgradeRequest } from './sockets/sockets.ts';

function setUp(changes: Partial<AdmissionOptions> = {}) {
  const clock = createManualClock();
  const state = { open: 0 };
  const admission = createAdmission({
    options: { ...admissionDefaults, ...changes },
    clock,
    registry: new Registry(),
    open: () => state.open,
  });
  const ask = (request: Partial<UpgradeRequest> = {}) =>
    admission.decide({
      address: '192.0.2.1',
      origin: null,
      subprotocols: ['rankcast.msgpack'],
      userAgent: '',
      ...request,
    });
  return { clock, state, admission, ask };
}

function refused(answer: UpgradeAnswer): {
  status: number;
  code: string;
  message: string;
  retryAfter: string;
} {
  assert.ok(!answer.accept);
  const { error } = JSON.parse(answer.body) as { error: { code: string; message: string } };
  assert.match(error.message, /^[A-Z].*\.$/);
  return { status: answer.status, ...error, retryAfter: answer.headers['retry-after'] ?? '' };
}

test('[PR-1] the first known subprotocol of the list; none known: 426 naming them', async () => {
  const { ask } = setUp();
  const chosen = async (subprotocols: string[]) => {
    const answer = await ask({ subprotocols });
    return answer.accept ? answer.subprotocol : null;
  };
  assert.equal(await chosen(['rankcast.json', 'rankcast.msgpack']), 'rankcast.json');
  assert.equal(await chosen(['graphql-ws', 'rankcast.msgpack', 'rankcast.json']), 'rankcast.msgpack');
  for (const subprotocols of [[], ['graphql-ws'], ['RANKCAST.JSON'], ['__proto__', 'x'.repeat(5_000)]]) {
    const { status, code, message } = refused(await ask({ subprotocols }));
    assert.equal(status, 426);
    assert.equal(code, 'upgrade_required');
    assert.match(message, /rankcast\.msgpack and rankcast\.json/);
    assert.ok(message.length < 400);
  }
});

test('origins: exact ones, all by *, and no Origin is no browser', async () => {
  const listed = setUp({ allowedOrigins: ['https://app.example', 'http://localhost:3000/'] });
  assert.ok((await listed.ask()).accept);
  assert.ok((await listed.ask({ origin: 'https://app.example' })).accept);
  assert.ok((await listed.ask({ origin: 'http://localhost:3000' })).accept);
  for (const origin of [
    'https://app.example.evil',
    'http://app.example',
    'null',
    'https://app.example:444',
  ]) {
    const { status, code, message } = refused(await listed.ask({ origin }));
    assert.equal(status, 403);
    assert.equal(code, 'forbidden');
    assert.ok(message.includes(origin));
  }
  assert.ok((await setUp({ allowedOrigins: ['*'] }).ask({ origin: 'https://any.example' })).accept);
  refused(await setUp().ask({ origin: 'https://any.example' }));
});

test('as many sockets as there may be: 503 with Retry-After, until some have gone', async () => {
  const { ask, state } = setUp({ socketsMax: 2 });
  state.open = 2;
  const { status, code, retryAfter } = refused(await ask());
  assert.equal(status, 503);
  assert.equal(code, 'overloaded');
  assert.equal(retryAfter, '5');
  state.open = 1;
  assert.ok((await ask()).accept);
});

test('one address that loops is stopped, others are not', async () => {
  const { ask } = setUp({ upgradesPerAddress: 5 });
  for (let i = 0; i < 5; i++) assert.ok((await ask()).accept);
  const { status, code, retryAfter } = refused(await ask());
  assert.equal(status, 429);
  assert.equal(code, 'rate_limited');
  assert.equal(retryAfter, '1');
  assert.ok((await ask({ address: '192.0.2.2' })).accept);
});

test('addresses of one IPv6 /64 count as one', async () => {
  const { ask } = setUp({ upgradesPerAddress: 5 });
  for (let i = 0; i < 5; i++) assert.ok((await ask({ address: `2001:db8::${i}` })).accept);
  const { code, message } = refused(await ask({ address: '2001:db8::ffff' }));
  assert.equal(code, 'rate_limited');
  assert.match(message, /from 2001:db8:0:0::\/64\./);
  assert.ok((await ask({ address: '2001:db8:0:1::1' })).accept);
});

test('a storm is let in at the pace; who would wait too long is told when to come again', async () => {
  const { ask, clock } = setUp({
    upgradesPerSecond: 1_000,
    upgradesPerAddress: 100_000,
    upgradeWaitMsMax: 3_000,
  });
  const answers: UpgradeAnswer[] = [];
  const storm = Promise.all(
    Array.from({ length: 15_000 }, (_, i) =>
      ask({ address: `192.0.2.${i % 200}` }).then((a) => answers.push(a)),
    ),
  );
  const accepted = () => answers.filter((answer) => answer.accept).length;
  await clock.advanceSettled(0);
  assert.ok(accepted() <= 101, `${accepted()} at once`);
  const later = answers.filter((answer) => !answer.accept);
  assert.equal(later.length, 15_000 - 3_101);
  assert.equal(refused(later[0]!).code, 'overloaded');
  assert.equal(refused(later[0]!).retryAfter, '3');
  let before = accepted();
  for (let second = 0; second < 3; second++) {
    clock.advance(1_000);
    await clock.advanceSettled(0);
    assert.ok(accepted() - before <= 1_000);
    before = accepted();
  }
  await storm;
  assert.equal(accepted(), 3_101);
});

test('a draining edge sends everyone elsewhere', async () => {
  const { ask, admission } = setUp();
  admission.startDrain();
  assert.equal(refused(await ask()).status, 503);
});
