import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../channels/clock.manual.ts';
import type { ContestEvent } from '../proto/records.ts';
import { settle } from '../test/kit/settle.ts';
import { createPost, putFollow } from './gateway-api.ts';

const record: ContestEvent = { type: 'final', id: 'f1', at: 1, match: 'm1' };

function answers(...list: (Response | Error)[]) {
  const bodies: string[] = [];
  const request: typeof fetch = (_, init) => {
    bodies.push(String(init?.body));
    const answer = list.shift() ?? new Error('no more answers');
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { request, bodies };
}
const taken = () => new Response('{"taken":1,"versions":[],"refused":[]}');

test('records are posted again while the gateway is away, with waits that double', async () => {
  const { request, bodies } = answers(new Error('refused'), new Response('busy', { status: 503 }), taken());
  const clock = createManualClock();
  const done = createPost({ url: 'http://g', apiKey: 'k', clock, fetch: request })([record, record]);
  await settle();
  assert.equal(bodies.length, 1);
  await clock.advanceSettled(250);
  assert.equal(bodies.length, 2);
  await clock.advanceSettled(499);
  assert.equal(bodies.length, 2);
  await clock.advanceSettled(1);
  await done;
  assert.deepEqual(bodies[2], `${JSON.stringify(record)}\n`.repeat(2));
});

test('what cannot get better is not tried again', async () => {
  const clock = createManualClock();
  const denied = answers(new Response('{"error":{"code":"unauthorized"}}', { status: 401 }));
  const post = createPost({ url: 'http://g', apiKey: 'k', clock, fetch: denied.request });
  await assert.rejects(post([record]), /answered 401: .*unauthorized/);
  assert.equal(denied.bodies.length, 1);
  const down = answers(...Array.from({ length: 9 }, () => new Error('down')));
  const failed = assert.rejects(
    createPost({ url: 'http://g', apiKey: 'k', clock, fetch: down.request, triesMax: 3 })([record]),
    /cannot be reached: down/,
  );
  await clock.advanceSettled(60_000);
  await failed;
  assert.equal(down.bodies.length, 3);
});

test('a follow that is not taken is a sentence', async () => {
  const tokenOf = (user: string) => Promise.resolve(`token-of-${user}`);
  const { request } = answers(
    new Response(null, { status: 202 }),
    new Response('{"error":1}', { status: 429 }),
  );
  await putFollow({ url: 'http://g', tokenOf, fetch: request }, '1', '2');
  await assert.rejects(
    putFollow({ url: 'http://g', tokenOf, fetch: request }, '1', '2'),
    /users\/1\/following\/2 answered 429/,
  );
});
