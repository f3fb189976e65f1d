import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { systemClock } from '../../client/clock.ts';
import { type DemoApi, type Stage, startDemoApi } from '../../demo/demo-api.ts';
import { createDemoTokens } from '../../demo/demo-tokens.ts';
import { createDemoUsers } from '../../demo/demo-users.ts';
import { createRandom } from '../../demo/random.ts';
import type { EntriesRecord } from '../../proto/records.ts';

const players = Array.from({ length: 22 }, (_, n) => `p${n}`);
const tokens = createDemoTokens('s'.repeat(32), systemClock);
const entered: EntriesRecord[] = [];
const noticed: string[] = [];
let stage: Stage | null = null;
let played = 0;
let refuse = false;
let api: DemoApi;
const pagePort = 8_080;

before(async () => {
  api = await startDemoApi({
    host: '127.0.0.1',
    clock: systemClock,
    tokens,
    users: createDemoUsers(systemClock, createRandom(1)),
    guestKey: 'guest',
    stage: () => stage,
    playNext: () => {
      played += 1;
    },
    enter: (record) => {
      if (refuse) return Promise.reject(new Error('1 records refused, first own-1 (is_final): over'));
      entered.push(record);
      return Promise.resolve();
    },
    onUser: () => {},
    onEntered: (user) => noticed.push(user),
  });
  api.allowPort(pagePort);
});
after(() => api.close());

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Record<string, unknown> & { error?: { message: string } };
}
function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: api.port, method, path, headers }, (response) => {
      let text = '';
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) }),
      );
    });
    request.on('error', reject);
    request.end(typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body));
  });
}
const open = (): Stage => ({
  match: 'm',
  contest: 'c',
  file: 'final-2019',
  players,
  over: false,
  next: null,
});
const team = { players: players.slice(0, 11), captain: 'p0', viceCaptain: 'p1' };
const bearer = async (user: string) => ({ authorization: `Bearer ${await tokens.mint(user)}` });

test('a window becomes a user, and the same one by its key', async () => {
  const { status, body } = await ask('POST', '/users', {});
  assert.equal(status, 200);
  assert.equal(await tokens.userOf(String(body['token'])), body['user']);
  const again = await ask('POST', '/tokens', { user: body['user'], key: body['key'] });
  assert.equal(await tokens.userOf(String(again.body['token'])), body['user']);
  for (const wrong of [
    { user: 'other', key: body['key'] },
    { user: body['user'], key: '' },
    { user: 1 },
    {},
  ]) {
    assert.equal((await ask('POST', '/tokens', wrong)).status, 403);
  }
});

test('until there is a match the room says so; then it is told, with the other windows', async () => {
  assert.equal((await ask('GET', '/room?user=x')).status, 503);
  stage = open();
  const { body: other } = await ask('POST', '/users', {});
  const { body } = await ask('GET', '/room?user=x');
  assert.deepEqual(
    [body['match'], body['contest'], body['file'], body['over'], body['next']],
    ['m', 'c', 'final-2019', false, null],
  );
  assert.ok((body['people'] as string[]).includes(String(other['user'])));
  assert.ok(!('players' in body));
});

test('a team goes in as its token’s user, and fans may notice', async () => {
  stage = open();
  const { status, body } = await ask('POST', '/entries', team, await bearer('me'));
  assert.equal(status, 200);
  const [item] = entered.at(-1)?.entries ?? [];
  assert.deepEqual(item, { entry: body['entry'], user: 'me', contests: ['c'], ...team });
  assert.equal(entered.at(-1)?.match, 'm');
  assert.equal(noticed.at(-1), 'me');
});

test('what is no team, or comes without a token, is refused with a sentence', async () => {
  stage = open();
  const sent = entered.length;
  const headers = await bearer('me');
  const wrong = [
    { ...team, players: players.slice(0, 10) },
    { ...team, players: [...players.slice(0, 10), 'p0'] },
    { ...team, players: [...players.slice(0, 10), 'stranger'] },
    { ...team, captain: 'p20' },
    { ...team, viceCaptain: 'p0' },
    { ...team, captain: undefined },
    {},
  ];
  for (const body of wrong) {
    const answer = await ask('POST', '/entries', body, headers);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.match(answer.body.error?.message ?? '', /eleven/);
  }
  for (const body of ['{', '[', 'null', '3', '']) {
    assert.equal((await ask('POST', '/entries', body, headers)).status, 400, body);
  }
  assert.equal((await ask('POST', '/entries', 'x'.repeat(5_000), headers)).status, 413);
  for (const authorization of ['', 'Bearer x', `Basic ${await tokens.mint('me')}`]) {
    assert.equal((await ask('POST', '/entries', team, { authorization })).status, 401, authorization);
  }
  assert.equal(entered.length, sent);
});

test('what the gateway refuses, and a match that is over, are sentences', async () => {
  stage = open();
  refuse = true;
  const refused = await ask('POST', '/entries', team, await bearer('me'));
  assert.deepEqual(
    [refused.status, refused.body.error?.message],
    [502, '1 records refused, first own-1 (is_final): over'],
  );
  refuse = false;
  assert.equal((await ask('POST', '/next', {}, await bearer('me'))).status, 409);
  stage = { ...open(), over: true, next: 'IPL final 2021' };
  assert.equal((await ask('POST', '/entries', team, await bearer('me'))).status, 409);
  assert.equal((await ask('POST', '/next', {})).status, 401);
  assert.equal((await ask('POST', '/next', {}, await bearer('me'))).status, 200);
  assert.equal(played, 1);
});

test('only the page of this demo may ask', async () => {
  stage = open();
  const host = `127.0.0.1:${api.port}`;
  const good = `http://127.0.0.1:${pagePort}`;
  const preflight = await ask('OPTIONS', '/entries', undefined, { origin: good, host });
  assert.equal(preflight.status, 200);
  assert.equal(preflight.headers['access-control-allow-origin'], good);
  const local = { origin: `http://localhost:${pagePort}`, host: `localhost:${api.port}` };
  assert.equal((await ask('GET', '/room', undefined, local)).status, 200);
  const bad: [origin: string, host: string][] = [
    ['https://evil.example', host],
    ['http://127.0.0.1:9999', host],
    [`http://evil.example:${pagePort}`, `evil.example:${api.port}`],
    [`http://localhost:${pagePort}`, host],
    ['null', host],
  ];
  for (const [origin, asked] of bad) {
    const answer = await ask('POST', '/users', {}, { origin, host: asked });
    assert.equal(answer.status, 403, origin);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  }
});

test('there is nothing else', async () => {
  for (const [method, path] of [
    ['GET', '/'],
    ['DELETE', '/users'],
    ['GET', '/entries'],
    ['POST', '/users/x'],
  ] as const) {
    assert.equal((await ask(method, path)).status, 404, `${method} ${path}`);
  }
});
