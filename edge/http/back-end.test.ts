import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiKey, errorOf, secondKey, withApi } from './api-harness.conformance.ts';

test('ingest: records into the log, each refused line with its number, code and sentence', () =>
  withApi(async ({ tell, log }) => {
    const at = 1_700_000_000_000;
    const lines = [
      JSON.stringify({ type: 'final', id: 'r1', at, match: 'm1' }),
      'nonsense',
      JSON.stringify({ type: 'final', id: 'r2', at, match: 'm1' }),
    ];
    const answer = await tell('POST', '/v1/ingest/contest-events', lines.join('\n'));
    assert.equal(answer.status, 200);
    const body = answer.body as {
      taken: number;
      versions: unknown;
      refused: { line: number; code: string }[];
    };
    assert.equal(body.taken, 2);
    assert.deepEqual(body.versions, [{ key: 'm1', version: 2 }]);
    assert.equal(body.refused.length, 1);
    assert.equal(body.refused[0]?.line, 2);
    assert.equal(body.refused[0]?.code, 'bad_json');
    const partition = log.partitionOf('contest-events', 'm1');
    assert.equal((await log.bounds('contest-events', partition)).next, 2);
    assert.equal((await tell('POST', '/v1/ingest/dead-letters', '{}')).status, 404);
  }));

test('publish: one message, lines of them, repeats; positions on the log channels', () =>
  withApi(async ({ tell, bus, clock }) => {
    const one = { channel: 'user:u1', id: 'n1', data: { type: 'gift', of: ['x'] } };
    const first = await tell('POST', '/v1/publish', JSON.stringify(one, null, 2));
    assert.equal(first.status, 200);
    const { positions, refused } = first.body as {
      positions: { channel: string; id: string; epoch: string; position: number }[];
      refused: unknown[];
    };
    assert.deepEqual(refused, []);
    assert.equal(positions[0]?.position, 1);
    const lines = [
      JSON.stringify(one),
      JSON.stringify({ channel: 'contest:c1', id: 'n2', data: 1 }),
      '',
      JSON.stringify({ channel: 'feed:u1', id: 'n3', at: 7, data: null }),
    ].join('\n');
    const more = (await tell('POST', '/v1/publish', lines)).body as {
      positions: { channel: string; position: number }[];
      refused: { line: number; code: string; message: string }[];
    };
    assert.deepEqual(
      more.positions.map(({ channel, position }) => [channel, position]),
      [
        ['user:u1', 1],
        ['feed:u1', 1],
      ],
    );
    assert.equal(more.refused[0]?.line, 2);
    assert.equal(more.refused[0]?.code, 'bad_channel');
    const history = await bus.history('user:u1', 0, 10);
    assert.equal(history.messages.length, 1);
    assert.equal(history.messages[0]?.at, clock.now());
    assert.deepEqual(JSON.parse(Buffer.from(history.messages[0]!.data).toString()), one.data);
    assert.equal((await bus.history('feed:u1', 0, 10)).messages[0]?.at, 7);
  }));

test('malformed messages: each a code and a sentence', () =>
  withApi(async ({ tell, clock }) => {
    const good = { channel: 'user:u1', id: 'n1', data: 1 };
    const nested = `${'['.repeat(40)}${']'.repeat(40)}`;
    const cases: [string, string, number, RegExp][] = [
      ['', 'bad_json', 400, /empty/],
      ['{"channel"', 'bad_json', 400, /not JSON/],
      ['[1]', 'bad_json', 400, /not a JSON object/],
      ['"text"', 'bad_json', 400, /not a JSON object/],
      [JSON.stringify({ ...good, channel: 7 }), 'bad_field', 400, /`channel`.*not 7/],
      [JSON.stringify({ ...good, channel: 'nowhere' }), 'bad_channel', 400, /no colon/],
      [JSON.stringify({ ...good, channel: 'match:m1' }), 'bad_channel', 400, /only feed: and user:/],
      [JSON.stringify({ ...good, id: 'a b' }), 'bad_field', 400, /`id`/],
      [JSON.stringify({ ...good, at: 'now' }), 'bad_field', 400, /`at`/],
      [JSON.stringify({ ...good, at: 1.5 }), 'bad_field', 400, /`at`/],
      [JSON.stringify({ ...good, at: clock.now() + 60_001 }), 'future_at', 400, /60001 ms ahead/],
      ['{"channel":"user:u1","id":"n1"}', 'bad_field', 400, /`data` is missing/],
      [JSON.stringify({ ...good, data: 'x'.repeat(20_000) }), 'body_too_large', 413, /20002 bytes/],
      [`{"channel":"user:u1","id":"n1","data":${nested}}`, 'bad_field', 400, /nested/],
      [`${JSON.stringify(good)}\n`.repeat(1_001), 'body_too_large', 413, /1001 messages/],
    ];
    for (const [body, code, status, message] of cases) {
      const answer = await tell('POST', '/v1/publish', body);
      assert.equal(answer.status, status, body.slice(0, 60));
      assert.equal(errorOf(answer).code, code, body.slice(0, 60));
      assert.match(errorOf(answer).message, message);
    }
  }));

test('disconnect and channel info', () =>
  withApi(async ({ tell, disconnected }) => {
    const answer = await tell('POST', '/v1/users/u9/disconnect');
    assert.equal(answer.status, 204);
    assert.deepEqual(disconnected, ['u9']);
    const info = await tell('GET', '/v1/channels/contest%3Ac1');
    assert.deepEqual(info.body, {
      channel: 'contest:c1',
      kind: 'log',
      subscribers: 2,
      epoch: null,
      position: null,
      edges: 1,
      silentEdges: 0,
    });
    assert.equal(errorOf(await tell('GET', '/v1/channels/nowhere')).code, 'bad_channel');
  }));

test('any of the API keys is taken, nothing else; a token is no key and a key no token', () =>
  withApi(async ({ ask, token }) => {
    const status = async (method: string, url: string, authorization: string) =>
      (await ask(method, url, { headers: { authorization } })).status;
    const disconnect = ['POST', '/v1/users/u9/disconnect'] as const;
    assert.equal(await status(...disconnect, `Bearer ${apiKey}`), 204);
    assert.equal(await status(...disconnect, `bearer  ${secondKey}`), 204);
    for (const wrong of [
      '',
      'Bearer',
      `Bearer ${apiKey}x`,
      `Bearer ${apiKey.slice(1)}`,
      apiKey,
      `Basic ${apiKey}`,
    ]) {
      assert.equal(await status(...disconnect, wrong), 401, wrong);
    }
    assert.equal(await status(...disconnect, `Bearer ${token}`), 401);
    assert.equal(await status('GET', '/v1/users/u1/counts', `Bearer ${apiKey}`), 401);
  }));

test('no API key configured: back ends are refused, whatever they send', () =>
  withApi(
    async ({ tell }) => {
      assert.equal((await tell('POST', '/v1/publish', '{}')).status, 401);
    },
    { apiKeys: [] },
  ));

test('a user beyond the requests of a second gets 429, others do not', () =>
  withApi(
    async ({ ask, tokenOf }) => {
      const statuses = [];
      for (let i = 0; i < 4; i++) statuses.push((await ask('GET', '/v1/users/u1/counts')).status);
      assert.deepEqual(statuses, [200, 200, 200, 429]);
      const answer = await ask('GET', '/v1/users/u1/counts');
      assert.equal(errorOf(answer).code, 'rate_limited');
      assert.equal(answer.headers['retry-after'], '1');
      const authorization = `Bearer ${await tokenOf('u2')}`;
      assert.equal((await ask('GET', '/v1/users/u1/counts', { headers: { authorization } })).status, 200);
    },
    { requestsPerSecond: 3 },
  ));
