import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../channels/clock.manual.ts';
import { createFakeEdge } from '../test/kit/fake-edge.ts';
import { settle } from '../test/kit/settle.ts';
import { connect } from './client.ts';
import type { FetchLike } from './options.ts';

type Answer = { status: number; body: unknown } | Error | 'never';

function setUp(answers: Answer[], token: string | (() => string) = 'fixed') {
  const clock = createManualClock();
  const asked: { url: string; token: string | undefined }[] = [];
  const fetch: FetchLike = (url, { headers, signal }) => {
    asked.push({ url, token: headers['authorization'] });
    const answer = answers.shift() ?? 'never';
    if (answer === 'never') {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    }
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({ status: answer.status, json: () => Promise.resolve(answer.body) });
  };
  const { WebSocket } = createFakeEdge(clock);
  const client = connect({ url: 'wss://gate.example/live', token, WebSocket, fetch, clock });
  return { client, clock, asked };
}

test('[SDK-15] pages and ranks are read with the token', async () => {
  const { client, asked } = setUp([
    { status: 200, body: { version: 9, total: 600, scoreStep: 0.5, rows: [[501, 'e1', 12]] } },
    {
      status: 200,
      body: {
        version: 9,
        appliedVersion: 11,
        scoreStep: 0.5,
        ranks: [{ entry: 'e1', score: 12, rank: 501 }],
      },
    },
  ]);
  assert.deepEqual(await client.page('c1', 1, { minVersion: 9 }), {
    version: 9,
    total: 600,
    scoreStep: 0.5,
    rows: [{ rank: 501, entry: 'e1', score: 12 }],
  });
  assert.equal((await client.ranks('c1', ['e1', 'e2'])).ranks[0]?.rank, 501);
  assert.deepEqual(asked, [
    {
      url: 'https://gate.example/live/v1/contests/c1/leaderboard?page=1&minVersion=9',
      token: 'Bearer fixed',
    },
    { url: 'https://gate.example/live/v1/contests/c1/ranks?entry=e1&entry=e2', token: 'Bearer fixed' },
  ]);
});

test('[SDK-15] a refusal has its code and sentence; an answer without one is a bad answer', async () => {
  const { client } = setUp([
    { status: 404, body: { error: { code: 'unknown_contest', message: 'No contest c9.' } } },
    { status: 502, body: 'proxy' },
    new Error('refused'),
  ]);
  await assert.rejects(client.page('c9'), { code: 'unknown_contest', message: 'No contest c9.' });
  await assert.rejects(client.page('c9'), { code: 'bad_answer', message: /answered 502/ });
  await assert.rejects(client.page('c9'), { code: 'unreachable' });
});

test('[SDK-15] after 401 a token function is asked once more', async () => {
  let given = 0;
  const refused = { status: 401, body: { error: { code: 'invalid_token', message: 'expired' } } };
  const fine = { status: 200, body: { version: 1, total: 0, scoreStep: 1, rows: [] } };
  const { client, asked } = setUp([refused, fine, refused, refused], () => {
    given += 1;
    return `token-${given}`;
  });
  await client.page('c1');
  assert.deepEqual(
    asked.map(({ token }) => token),
    ['Bearer token-1', 'Bearer token-2'],
  );
  await assert.rejects(client.page('c1'), { code: 'invalid_token' });
  assert.equal(asked.length, 4);
  const fixed = setUp([refused]);
  await assert.rejects(fixed.client.page('c1'), { code: 'invalid_token' });
  assert.equal(fixed.asked.length, 1);
});

test('[SDK-15] an answer that does not come in time, or that close cuts off, is an error', async () => {
  const { client, clock } = setUp(['never', 'never']);
  const late = assert.rejects(client.page('c1'), { code: 'no_answer' });
  await clock.advanceSettled(10_000);
  await late;
  const cut = assert.rejects(client.page('c1'), { code: 'no_answer' });
  await settle();
  client.close();
  await cut;
  assert.equal(clock.pending, 0);
});
