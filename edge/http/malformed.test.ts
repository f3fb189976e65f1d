import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codes } from '../../proto/codes.ts';
import { uwsLoads } from '../sockets/open-sockets.ts';
import type { SocketsFactory } from '../sockets/sockets.ts';
import { createUwsSockets } from '../sockets/sockets.uws.ts';
import { createWsSockets } from '../sockets/sockets.ws.ts';
import { apiKey, type Bench, withApi } from './api-harness.conformance.ts';

/** The interface on a real socket server. */
async function serve(
  bench: Bench,
  create: SocketsFactory,
  body: (base: string) => Promise<void>,
): Promise<void> {
  const faults: unknown[] = [];
  const server = await create({
    host: '127.0.0.1',
    port: 0,
    shared: false,
    proxyProtocolFrom: [],
    certificate: null,
    onRefused: () => {},
    socketPath: '/v1/socket',
    frameBytesMax: 1_000,
    bufferBytesMax: 1_000,
    idleMs: 60_000,
    onUpgrade: () => ({ accept: false, status: 503, headers: {}, body: '' }),
    onOpen: () => {
      throw new Error('no sockets here');
    },
    onRequest: bench.api.handle,
    onFault: (error) => faults.push(error),
  });
  try {
    await body(`http://127.0.0.1:${server.port}`);
    assert.deepEqual(faults, []);
  } finally {
    await server.close();
  }
}

type Case = [
  what: string,
  method: string,
  url: string,
  init: { auth?: string; body?: string },
  code: string,
  RegExp,
];

function cases(token: string): Case[] {
  const user = `Bearer ${token}`;
  const key = `Bearer ${apiKey}`;
  const board = '/v1/contests/c1/leaderboard';
  return [
    ['no such path', 'GET', '/v2/contests', { auth: user }, 'not_found', /"\/v2\/contests"/],
    ['an empty part', 'GET', '/v1//leaderboard', { auth: user }, 'not_found', /Nothing is at/],
    ['a slash too many', 'GET', `${board}/`, { auth: user }, 'not_found', /Nothing is at/],
    ['a wrong method', 'POST', board, { auth: user }, 'method_not_allowed', /takes GET, HEAD/],
    ['no token', 'GET', board, {}, 'invalid_token', /token is missing/],
    ['no scheme', 'GET', board, { auth: token }, 'invalid_token', /`Bearer`/],
    ['a malformed token', 'GET', board, { auth: 'Bearer abc' }, 'invalid_token', /three parts/],
    ['two tokens', 'GET', board, { auth: `${user} ${token}` }, 'invalid_token', /`Bearer`/],
    ['a page that is no number', 'GET', `${board}?page=one`, { auth: user }, 'bad_request', /`page`.*"one"/],
    ['a page below 0', 'GET', `${board}?page=-1`, { auth: user }, 'bad_request', /`page`.*"-1"/],
    ['a page with a fraction', 'GET', `${board}?page=1.5`, { auth: user }, 'bad_request', /`page`/],
    ['a page beyond all', 'GET', `${board}?page=99999999999`, { auth: user }, 'bad_request', /`page`/],
    ['two pages', 'GET', `${board}?page=1&page=2`, { auth: user }, 'bad_request', /2 times/],
    ['an empty minVersion', 'GET', `${board}?minVersion=`, { auth: user }, 'bad_request', /`minVersion`/],
    ['a version no number', 'GET', `${board}?version=3.5`, { auth: user }, 'bad_request', /`version`/],
    [
      'ranks of a version',
      'GET',
      '/v1/contests/c1/ranks?entry=a&version=3',
      { auth: user },
      'bad_request',
      /`version`/,
    ],
    [
      'a contest of no grammar',
      'GET',
      '/v1/contests/a%20b/leaderboard',
      { auth: user },
      'bad_request',
      /"a b"/,
    ],
    ['half a percent sign', 'GET', '/v1/contests/%E0%A4/leaderboard', { auth: user }, 'bad_request', /UTF-8/],
    ['no entries', 'GET', '/v1/contests/c1/ranks', { auth: user }, 'bad_request', /`entry` is missing/],
    [
      'an entry of no grammar',
      'GET',
      '/v1/contests/c1/ranks?entry=%00',
      { auth: user },
      'bad_request',
      /`entry`/,
    ],
    [
      'too many entries',
      'GET',
      `/v1/contests/c1/ranks?${'entry=e&'.repeat(501)}`,
      { auth: user },
      'bad_request',
      /501 times; at most 500/,
    ],
    ['a limit of 0', 'GET', '/v1/users/u1/followers?limit=0', { auth: user }, 'bad_request', /from 1 to 500/],
    ['a limit too high', 'GET', '/v1/users/u1/followers?limit=501', { auth: user }, 'bad_request', /"501"/],
    ['a long user', 'GET', `/v1/users/${'u'.repeat(37)}/counts`, { auth: user }, 'bad_request', /1 to 36/],
    ['another user', 'PUT', '/v1/users/u2/following/u3', { auth: user }, 'forbidden', /another user/],
    ['oneself', 'PUT', '/v1/users/u1/blocked/u1', { auth: user }, 'self', /themself/],
    ['a command of no grammar', 'GET', '/v1/commands/a.b', { auth: user }, 'bad_request', /`id`.*"a\.b"/],
    ['no API key', 'POST', '/v1/publish', { body: '{}' }, 'unauthorized', /API key is missing/],
    [
      'a wrong API key',
      'POST',
      '/v1/publish',
      { auth: 'Bearer x', body: '{}' },
      'unauthorized',
      /not one of/,
    ],
    ['no such topic', 'POST', '/v1/ingest/events', { auth: key, body: '{}' }, 'unknown_topic', /"events"/],
    ['no body', 'POST', '/v1/publish', { auth: key }, 'bad_json', /empty/],
    [
      'a long body',
      'POST',
      '/v1/publish',
      { auth: key, body: 'x'.repeat(1_100_000) },
      'body_too_large',
      /1048576/,
    ],
    ['a channel of no grammar', 'GET', '/v1/channels/c1', { auth: key }, 'bad_channel', /no colon/],
    ['a plain GET of the socket', 'GET', '/v1/socket', {}, 'upgrade_required', /WebSocket/],
  ];
}

const adapters = [
  ['uws', createUwsSockets],
  ['ws', createWsSockets],
] as const;
const loaded = await uwsLoads();
for (const [name, create] of adapters.filter(([adapter]) => adapter === 'ws' || loaded)) {
  test(`${name}: malformed requests get a code and a sentence each, and the next one is served`, () =>
    withApi(async (bench) => {
      await serve(bench, create, async (base) => {
        for (const [what, method, url, { auth, body }, code, message] of cases(bench.token)) {
          const headers = auth === undefined ? {} : { authorization: auth };
          const init = body === undefined ? { method, headers } : { method, headers, body };
          const response = await fetch(base + url, init);
          const { error } = (await response.json()) as {
            error: { code: keyof typeof codes; message: string };
          };
          assert.equal(error.code, code, what);
          assert.equal(response.status, codes[error.code].http, what);
          assert.match(error.message, message, what);
          assert.match(error.message, /^[A-Z`"].*\.$/, what);
          assert.ok(error.message.length < 300, what);
        }
        const good = await fetch(`${base}/v1/users/u1/counts`, {
          headers: { authorization: `Bearer ${bench.token}` },
        });
        assert.equal(good.status, 200);
      });
    }));

  test(`${name}: pages of allowed origins may ask and read, others may not`, () =>
    withApi(async (bench) => {
      await serve(bench, create, async (base) => {
        const ask = (method: string, origin: string, path = '/v1/users/u1/counts') =>
          fetch(base + path, { method, headers: { origin, authorization: `Bearer ${bench.token}` } });
        const allowed = await ask('GET', 'https://app.example');
        assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example');
        assert.equal(allowed.headers.get('vary'), 'origin');
        const refused = await ask('GET', 'https://evil.example', '/v1/contests/nope/leaderboard');
        assert.equal(refused.headers.get('access-control-allow-origin'), null);
        const failed = await ask('GET', 'https://app.example', '/v1/contests/nope/leaderboard');
        assert.equal(failed.status, 404);
        assert.equal(failed.headers.get('access-control-allow-origin'), 'https://app.example');
        const preflight = await ask('OPTIONS', 'https://app.example', '/v1/users/u1/following/u2');
        assert.equal(preflight.status, 204);
        assert.equal(preflight.headers.get('access-control-allow-methods'), 'PUT, DELETE');
        assert.equal(preflight.headers.get('access-control-allow-headers'), 'authorization, content-type');
        assert.equal((await ask('OPTIONS', 'https://evil.example')).status, 403);
        assert.equal((await ask('OPTIONS', 'https://app.example', '/nowhere')).status, 404);
        const head = await ask('HEAD', 'https://app.example');
        assert.equal(head.status, 200);
        assert.equal(head.headers.get('content-length'), '29');
      });
    }));
}
