import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { msgpackCodec } from '../../proto/codec.msgpack.ts';
import { type CodeName, codes } from '../../proto/codes.ts';
import { Gateway } from '../journeys/gateway.ts';
import { projectRoot } from '../project.ts';
import { type BadFrame, badFrames } from './bad-frames.ts';
import { badInState, badLines, foundation } from './bad-records.ts';
import { badRequests, badTokens } from './bad-requests.ts';

/** One partition, so that records of different matches and contests meet. */
const gateway = new Gateway([
  '--partitions',
  '1',
  '--subscriptions-max',
  '3',
  '--upgrades-per-address',
  '1000',
]);
const seen = new Set<CodeName>();
/** How long an answer may take before it counts as none. */
const answerTimeoutMs = 10_000;

interface Bystander {
  socket: WebSocket;
  closed: boolean;
}
let bystander: Bystander;

before(async () => {
  await gateway.start();
  bystander = { socket: await connected('bystander'), closed: false };
  bystander.socket.on('close', () => {
    bystander.closed = true;
  });
  await gateway.ingest('contest-events', foundation as object[]);
});
after(async () => {
  bystander?.socket.terminate();
  await gateway.remove();
});

for (const bad of badFrames) {
  test(`frame: ${bad.name} -> ${bad.code}`, async () => {
    const answer = await answerTo(bad);
    assert.equal(answer.code, codes[bad.code].no, `${answer.how} ${answer.code}: ${answer.message}`);
    assert.match(answer.message, bad.says);
    assert.equal(answer.how, bad.closes ? 'close' : 'error');
    seen.add(bad.code);
  });
}

for (const bad of badTokens(gateway.keys.tokenSecret)) {
  test(`token: ${bad.name}`, async () => {
    const socket = await opened('rankcast.json');
    const answer = nextAnswer(socket);
    socket.send(JSON.stringify({ t: 'connect', token: bad.token }));
    const { code, message } = await answer;
    assert.ok(
      code === codes.bad_token.no || (bad.token === '' && code === codes.bad_frame.no),
      `${code}: ${message}`,
    );
    assert.match(message, /\w+ \w+/);
    if (bad.token !== '') assert.ok(!message.includes(bad.token), 'the token is repeated in the sentence');
    if (code === codes.bad_token.no) seen.add('bad_token');
    const response = await fetch(`${gateway.url}/v1/users/me/counts`, {
      headers: { authorization: `Bearer ${bad.token}` },
    });
    assert.equal(response.status, 401);
    const body = (await response.json()) as { error: { code: string; message: string } };
    assert.equal(body.error.code, 'invalid_token');
  });
}

for (const bad of badRequests) {
  test(`request: ${bad.name} -> ${bad.code}`, async () => {
    const credentials =
      bad.as === 'user' ? gateway.token('me') : bad.as === 'back end' ? gateway.keys.apiKey : null;
    const response = await fetch(`${gateway.url}${bad.path}`, {
      method: bad.method,
      headers: {
        ...(credentials === null ? {} : { authorization: `Bearer ${credentials}` }),
        ...bad.headers,
      },
      ...(bad.body === undefined ? {} : { body: bad.body }),
    });
    const text = await response.text();
    const { error } = JSON.parse(text) as { error: { code: CodeName; message: string } };
    assert.equal(error.code, bad.code, text);
    assert.equal(response.status, codes[bad.code].http, text);
    assert.match(error.message, bad.says);
    seen.add(bad.code);
  });
}

test('records: each bad line is refused by name, the good ones beside them are taken', async () => {
  const good = { type: 'contest', id: 'good', at: 1, contest: 'good-c', kind: 'scores' };
  for (const topic of ['contest-events', 'graph-commands', 'profiles'] as const) {
    const bad = badLines.filter((line) => line.topic === topic);
    const lines = bad.map(({ record }) => (typeof record === 'string' ? record : JSON.stringify(record)));
    if (topic === 'contest-events') lines.push(JSON.stringify(good));
    const response = await fetch(`${gateway.url}/v1/ingest/${topic}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.keys.apiKey}` },
      body: lines.join('\n'),
    });
    const answer = (await response.json()) as {
      taken: number;
      refused: { line: number; code: CodeName; message: string }[];
    };
    assert.equal(response.status, 200, JSON.stringify(answer));
    assert.equal(answer.taken, topic === 'contest-events' ? 1 : 0);
    assert.equal(answer.refused.length, bad.length);
    bad.forEach((line, index) => {
      const refused = answer.refused.find((one) => one.line === index + 1);
      assert.equal(refused?.code, line.code, `${line.name}: ${JSON.stringify(refused)}`);
      assert.match(refused?.message ?? '', line.says, line.name);
      seen.add(line.code);
    });
  }
});

test('records: what does not fit the state is refused by the worker, and the rest goes on', async () => {
  const answer = await gateway.ingest(
    'contest-events',
    badInState.map(({ record }) => record as object),
  );
  assert.equal(answer.taken, badInState.length);
  const letters = await gateway.deadLetters(badInState.map(({ record }) => (record as { id: string }).id));
  for (const bad of badInState) {
    const letter = letters.get((bad.record as { id: string }).id);
    assert.equal(letter?.code, bad.code, `${bad.name}: ${JSON.stringify(letter)}`);
    assert.match(letter?.message ?? '', bad.says, bad.name);
    seen.add(bad.code);
  }
  const board = await gateway.get<{ total: number; rows: unknown[] }>('/v1/contests/bad-c/leaderboard', 'me');
  assert.equal(board.total, 1);
});

test('commands: what the graph does not take is rejected with a code', async () => {
  const at = Date.now();
  const command = (id: string, kind: string, from: string, to: string, more: object = {}) => ({
    id,
    at,
    kind,
    from,
    to,
    ...more,
  });
  await gateway.ingest('graph-commands', [
    command('g0', 'block', 'anna', 'ben'),
    command('g1', 'follow', 'ben', 'anna'),
    command('g2', 'follow', 'anna', 'anna'),
    { ...command('g3', 'follow', 'carl', 'dora'), at: at - 2 * 86_400_000 },
    command('g4', 'affinity', 'carl', 'dora', { affinity: 0.5 }),
  ]);
  const expected: [string, CodeName][] = [
    ['g1', 'blocked'],
    ['g2', 'self'],
    ['g3', 'too_old'],
    ['g4', 'no_such_follow'],
  ];
  for (const [id, code] of expected) {
    const status = await gateway.command(id, 'ben');
    assert.equal(status.code, code, JSON.stringify(status));
    assert.match(status.message ?? '', /\w+ \w+/);
    seen.add(code);
  }
});

test('the process is alive and the bystander undisturbed', async () => {
  assert.ok(gateway.alive);
  assert.equal(bystander.closed, false);
  const pong = new Promise<string>((resolve) =>
    bystander.socket.once('message', (data) => resolve(String(data))),
  );
  bystander.socket.send(JSON.stringify({ t: 'ping', id: 77 }));
  assert.match(await pong, /"pong".*77/);
  assert.equal((await fetch(`http://127.0.0.1:${gateway.opsPort}/healthz`)).status, 200);
});

test('sockets: what one may not do twice, too often or as somebody else', async () => {
  const socket = await connected('me');
  const codesOf = async (frames: object[]): Promise<number[]> => {
    const got: number[] = [];
    for (const frame of frames) {
      const answer = once(socket);
      socket.send(JSON.stringify(frame));
      got.push(JSON.parse(await answer).code as number);
    }
    return got.filter((code) => code !== undefined);
  };
  const subscribe = (id: number, channel: string) => ({ t: 'subscribe', id, channel });
  assert.deepEqual(
    await codesOf([
      subscribe(1, 'feed:me'),
      subscribe(2, 'feed:me'),
      subscribe(3, 'user:me'),
      { t: 'refresh', id: 4, token: gateway.token('other') },
    ]),
    [codes.already_subscribed.no, codes.wrong_user.no],
  );
  const third = once(socket);
  socket.send(JSON.stringify(subscribe(5, 'contest:bad-c')));
  await third;
  const answer = nextAnswer(socket);
  socket.send(JSON.stringify(subscribe(6, 'contest:bad-s')));
  assert.equal((await answer).code, codes.too_many_subscriptions.no);
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  for (let id = 10; id < 500; id += 1) socket.send(JSON.stringify({ t: 'ping', id }));
  assert.equal(await closed, codes.too_many_frames.no);
  for (const code of [
    'already_subscribed',
    'wrong_user',
    'too_many_subscriptions',
    'too_many_frames',
  ] as const) {
    seen.add(code);
  }
});

test('requests: one user may ask so often and no more; the others go on', async () => {
  const headers = { authorization: `Bearer ${gateway.token('greedy')}` };
  const answers = await Promise.all(
    Array.from({ length: 300 }, () => fetch(`${gateway.url}/v1/users/me/counts`, { headers })),
  );
  const refused = answers.find((answer) => answer.status === codes.rate_limited.http);
  assert.ok(refused, 'nobody was refused');
  const body = (await refused.json()) as { error: { code: string; message: string } };
  assert.equal(body.error.code, 'rate_limited');
  assert.match(body.error.message, /second/);
  await gateway.get('/v1/users/me/counts', 'modest');
  seen.add('rate_limited');
});

test('a back end ends the sockets of a user', async () => {
  const socket = await connected('expelled');
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  const response = await fetch(`${gateway.url}/v1/users/expelled/disconnect`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.keys.apiKey}` },
  });
  assert.equal(response.status, 204);
  assert.equal(await closed, codes.disconnected.no);
  seen.add('disconnected');
});

test('asked to end, it sends its sockets elsewhere and exits 0', async () => {
  const closed = new Promise<number>((resolve) => bystander.socket.once('close', resolve));
  const exit = gateway.stop('SIGTERM');
  assert.equal(await closed, codes.moved.no);
  assert.equal(await exit, 0);
  seen.add('moved');
});

/** Codes that need a slow socket, a lost store or a clock: the test that produces each. */
const elsewhere: Partial<Record<CodeName, string>> = {
  unavailable: 'edge/http/reads.test.ts',
  history_gone: 'edge/log-subscription.test.ts',
  epoch_changed: 'edge/log-subscription.test.ts',
  internal: 'edge/http/faults.test.ts',
  internal_fault: 'workers/ranker/ranker-faults.test.ts',
  rebuilding: 'edge/http/reads.test.ts',
  slow: 'edge/delivery.test.ts',
  token_expired: 'edge/session.test.ts',
  too_many_sockets: 'edge/session.test.ts',
  connect_timeout: 'edge/session.test.ts',
  server_error: 'edge/session.test.ts',
  overloaded: 'edge/admission.test.ts',
};

test('every code of the table is produced by a test', () => {
  const missing: string[] = [];
  for (const name of Object.keys(codes) as CodeName[]) {
    if (seen.has(name)) continue;
    const file = elsewhere[name];
    if (file === undefined) missing.push(name);
    else if (!new RegExp(`\\b${name}\\b`).test(readFileSync(join(projectRoot, file), 'utf8')))
      missing.push(`${name} in ${file}`);
  }
  assert.deepEqual(missing, []);
});

interface Answer {
  how: 'close' | 'error';
  code: number;
  message: string;
}

function once(socket: WebSocket): Promise<string> {
  return new Promise((resolve) => socket.once('message', (data) => resolve(String(data))));
}

function opened(subprotocol: string): Promise<WebSocket> {
  const socket = new WebSocket(gateway.socketUrl, subprotocol);
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

async function connected(user: string): Promise<WebSocket> {
  const socket = await opened('rankcast.json');
  const answer = new Promise((resolve) => socket.once('message', resolve));
  socket.send(JSON.stringify({ t: 'connect', token: gateway.token(user) }));
  await answer;
  return socket;
}

async function answerTo(bad: BadFrame): Promise<Answer> {
  const binary = typeof bad.send !== 'string';
  const speaksText = !binary || bad.name.includes('text is spoken');
  const socket = await opened(speaksText ? 'rankcast.json' : 'rankcast.msgpack');
  if (bad.afterConnect) {
    const first = new Promise((resolve) => socket.once('message', resolve));
    const connect = { t: 'connect', token: gateway.token('me') } as const;
    socket.send(speaksText ? JSON.stringify(connect) : msgpackCodec.encode(connect));
    await first;
  }
  const answer = nextAnswer(socket);
  socket.send(bad.send);
  const got = await answer;
  socket.terminate();
  return got;
}

function nextAnswer(socket: WebSocket): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), answerTimeoutMs);
    socket.once('close', (code, reason) => {
      clearTimeout(timer);
      resolve({ how: 'close', code, message: String(reason) });
    });
    socket.on('message', (data, binary) => {
      if (binary) return;
      const frame = JSON.parse(String(data)) as { t: string; code: number; message: string };
      if (frame.t !== 'error') return;
      clearTimeout(timer);
      resolve({ how: 'error', code: frame.code, message: frame.message });
    });
  });
}
