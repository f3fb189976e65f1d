import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../channels/clock.manual.ts';
import { codes } from '../proto/codes.ts';
import { createFakeEdge, idleMs } from '../test/kit/fake-edge.ts';
import { settle } from '../test/kit/settle.ts';
import { type Client, connect } from './client.ts';
import type { ConnectOptions } from './options.ts';
import type { RankcastError } from './rankcast-error.ts';

/** A client with a played edge, connected; `randoms` are given out in turn, the last for ever. */
async function setUp(options: Partial<ConnectOptions> = {}, randoms = [0.5]) {
  const clock = createManualClock();
  const edge = createFakeEdge(clock);
  const next = () => (randoms.length > 1 ? (randoms.shift() as number) : (randoms[0] as number));
  const client = connect({
    url: 'https://gate.example',
    token: 'fixed',
    WebSocket: edge.WebSocket,
    clock,
    random: next,
    ...options,
  });
  const errors: RankcastError[] = [];
  client.on('error', (error) => errors.push(error));
  await settle();
  return { clock, edge, client, errors };
}

/** Waits that the client announces, in ms. */
function waitsOf(client: Client): number[] {
  const waits: number[] = [];
  client.on('status', (status) => {
    if (status.state === 'waiting') waits.push(status.retryInMs ?? -1);
  });
  return waits;
}

for (const encoding of ['msgpack', 'json'] as const) {
  test(`it connects with token and agent, in ${encoding}`, async () => {
    const { edge, client } = await setUp({ encoding, agent: 'app/1.0' });
    assert.equal(edge.socket.url, 'wss://gate.example/v1/socket');
    assert.equal(edge.socket.binaryType, 'arraybuffer');
    edge.welcome();
    assert.deepEqual(edge.socket.sent, [{ t: 'connect', token: 'fixed', agent: 'app/1.0' }]);
    assert.equal(client.status.state, 'connected');
    assert.equal(client.user, '1003');
  });
}

test('[SDK-1] [PR-43] it comes back after every close but those of codes 4500 to 4999', async () => {
  const again = [1000, 1001, 1006, 1011, 1012, 4499, 5000, ...closeCodes(4000, 4499)];
  for (const code of again) {
    if (code === codes.token_expired.no) continue;
    const { clock, edge, client, errors } = await setUp();
    edge.welcome();
    edge.socket.end(code);
    await clock.advanceSettled(client.status.retryInMs ?? -1);
    assert.equal(edge.sockets.length, 2, String(code));
    assert.equal(errors.length, 0);
  }
  for (const code of [4500, 4999, ...closeCodes(4500, 4999)]) {
    const { clock, edge, client, errors } = await setUp();
    edge.welcome();
    edge.socket.end(code, 'a sentence');
    await clock.advanceSettled(600_000);
    assert.equal(edge.sockets.length, 1, String(code));
    assert.deepEqual(client.status, { state: 'closed', code, reason: 'a sentence' });
    assert.equal(errors[0]?.message, 'a sentence');
    assert.equal(clock.pending, 0);
  }
});

test('[SDK-2] [PR-44] it waits with full jitter under a bound that doubles up to the cap', async () => {
  const { clock, edge, client } = await setUp({}, [0.5]);
  const waits = waitsOf(client);
  for (let failure = 0; failure < 8; failure++) {
    edge.socket.end(1006);
    await clock.advanceSettled(waits.at(-1) ?? 0);
  }
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  edge.welcome();
  await clock.advanceSettled(4_999);
  edge.socket.end(1006);
  assert.equal(waits.at(-1), 15_000);
  await clock.advanceSettled(15_000);
  edge.welcome();
  await clock.advanceSettled(5_000);
  edge.socket.end(1006);
  assert.equal(waits.at(-1), 500);
});

test('[SDK-2] waits spread over the whole window', async () => {
  const { clock, edge, client } = await setUp({}, [0, 0.999, 0.25]);
  const waits = waitsOf(client);
  for (let failure = 0; failure < 3; failure++) {
    edge.socket.end(1006);
    await clock.advanceSettled(waits.at(-1) ?? 0);
  }
  assert.deepEqual(waits, [0, 0.999 * 2_000, 0.25 * 4_000]);
});

test('[SDK-4] [PR-42] after move it reconnects at a random moment within the window', async () => {
  const { clock, edge, client } = await setUp({}, [0.25]);
  const waits = waitsOf(client);
  edge.welcome();
  edge.socket.say({ t: 'move', withinMs: 20_000 });
  await clock.advanceSettled(4_999);
  assert.equal(edge.sockets.length, 1);
  assert.equal(client.status.state, 'connected');
  await clock.advanceSettled(1);
  assert.equal(edge.sockets.length, 2);
  assert.equal(edge.sockets[0]?.closedBy, 'client');
  assert.deepEqual(waits, []);
});

test('[SDK-5] a new token is asked for before the old one ends and sent over the live socket', async () => {
  let given = 0;
  const { clock, edge, client, errors } = await setUp({
    token: () => {
      given += 1;
      return Promise.resolve(`token-${given}`);
    },
  });
  edge.welcome(600_000);
  assert.equal(edge.socket.heard('connect')[0]?.token, 'token-1');
  for (let passed = 0; passed < 540_000; passed += 10_000) {
    assert.equal(edge.socket.heard('refresh').length, 0);
    await clock.advanceSettled(10_000);
    edge.socket.say({ t: 'pong', id: 0, serverTime: 0 });
  }
  const refreshes = edge.socket.heard('refresh');
  assert.deepEqual(
    refreshes.map(({ token }) => token),
    ['token-2'],
  );
  const expiresAt = clock.now() + 5_000 + 600_000;
  edge.socket.say({ t: 'refreshed', id: refreshes[0]?.id ?? -1, expiresAt });
  edge.socket.end(1006);
  await clock.advanceSettled(1_000);
  edge.welcome();
  assert.equal(edge.socket.heard('connect')[0]?.token, 'token-2');
  assert.equal(given, 2);
  assert.equal(client.status.state, 'connected');
  assert.deepEqual(errors, []);
});

test('[SDK-5] a refused refresh and a failing token function are reported and tried again', async () => {
  let fail = false;
  let given = 0;
  const { clock, edge, errors } = await setUp({
    token: () => {
      if (fail) throw new Error('no session');
      given += 1;
      return `token-${given}`;
    },
  });
  edge.welcome(20_000);
  await clock.advanceSettled(10_000);
  const [refresh] = edge.socket.heard('refresh');
  fail = true;
  edge.socket.say({ t: 'error', id: refresh?.id ?? -1, code: codes.invalid_token.no, message: 'expired' });
  await clock.advanceSettled(1_500);
  assert.deepEqual(
    errors.map((error) => error.code),
    ['invalid_token', 'no_token'],
  );
  fail = false;
  await clock.advanceSettled(1_500);
  assert.equal(edge.socket.heard('refresh').at(-1)?.token, 'token-3');
});

test('[SDK-5] after token_expired a function is asked again; a fixed token ends the client', async () => {
  let given = 0;
  const { clock, edge } = await setUp({
    token: () => {
      given += 1;
      return `token-${given}`;
    },
  });
  edge.welcome();
  edge.socket.end(codes.token_expired.no);
  await clock.advanceSettled(1_000);
  edge.welcome();
  assert.equal(edge.socket.heard('connect')[0]?.token, 'token-2');

  const fixed = await setUp();
  fixed.edge.welcome();
  fixed.edge.socket.end(codes.token_expired.no);
  await fixed.clock.advanceSettled(60_000);
  assert.equal(fixed.edge.sockets.length, 1);
  assert.equal(fixed.client.status.state, 'closed');
  assert.match(fixed.errors[0]?.message ?? '', /give a function/);
});

test('[SDK-5] a token that ran out while no edge was reached is replaced; a new one is not', async () => {
  let given = 0;
  const { clock, edge, client, errors } = await setUp({
    token: () => {
      given += 1;
      return `token-${given}`;
    },
  });
  edge.socket.end(1006);
  await clock.advanceSettled(1_000);
  edge.socket.open();
  assert.equal(edge.socket.heard('connect')[0]?.token, 'token-1');
  edge.socket.end(codes.bad_token.no, 'The token has run out.');
  assert.equal(client.status.state, 'waiting');
  await clock.advanceSettled(2_000);
  edge.socket.open();
  assert.equal(edge.socket.heard('connect')[0]?.token, 'token-2');
  assert.equal(errors.length, 0);
  edge.socket.end(codes.bad_token.no, 'The token is signed by nobody we know.');
  assert.equal(client.status.state, 'closed');
  assert.equal(errors[0]?.code, 'bad_token');
});

test('a token function that fails at the start is asked again', async () => {
  let asked = 0;
  const { clock, edge, client } = await setUp({
    token: () => {
      asked += 1;
      return asked === 1 ? Promise.reject(new Error('offline')) : Promise.resolve('good');
    },
  });
  assert.equal(edge.sockets.length, 0);
  assert.equal(client.status.state, 'waiting');
  await clock.advanceSettled(500);
  edge.welcome();
  assert.equal(edge.socket.heard('connect')[0]?.token, 'good');
});

test('[SDK-6] half of the silence allowed makes a ping, all of it a new connection', async () => {
  const { clock, edge, errors } = await setUp();
  edge.welcome();
  await clock.advanceSettled(idleMs / 2 - 1);
  assert.equal(edge.socket.heard('ping').length, 0);
  await clock.advanceSettled(1);
  const [ping] = edge.socket.heard('ping');
  assert.ok(ping !== undefined);
  await clock.advanceSettled(idleMs / 4);
  edge.socket.say({ t: 'pong', id: ping.id, serverTime: 0 });
  await clock.advanceSettled(idleMs / 2);
  assert.equal(edge.socket.heard('ping').length, 2);
  assert.equal(edge.sockets.length, 1);
  await clock.advanceSettled(idleMs / 2);
  assert.equal(errors[0]?.code, 'no_answer');
  await clock.advanceSettled(1_000);
  assert.equal(edge.sockets.length, 2);
});

test('[SDK-14] a socket that does not answer in time is given up and made anew', async () => {
  const { clock, edge, errors } = await setUp();
  await clock.advanceSettled(9_999);
  assert.equal(edge.sockets.length, 1);
  await clock.advanceSettled(1);
  assert.equal(errors[0]?.code, 'no_answer');
  await clock.advanceSettled(500);
  assert.equal(edge.sockets.length, 2);
  edge.socket.open();
  await clock.advanceSettled(11_000);
  assert.equal(edge.sockets.length, 3);
  edge.sockets[0]?.open();
  assert.deepEqual(edge.sockets[0]?.sent, []);
});

test('[SDK-13] after close nothing is emitted but the status, and nothing is left', async () => {
  const { clock, edge, client, errors } = await setUp({ token: () => 'made' });
  edge.welcome();
  const room = client.contest('c1');
  const seen: string[] = [];
  client.on('status', ({ state }) => seen.push(`client ${state}`));
  room.on('status', (status) => seen.push(`room ${status}`));
  client.close();
  client.close();
  edge.socket.say({ t: 'pong', id: 1, serverTime: 0 });
  edge.socket.end(1006);
  await clock.advanceSettled(600_000);
  assert.deepEqual(seen, ['room ended', 'client closed']);
  assert.equal(edge.sockets.length, 1);
  assert.equal(edge.socket.closedBy, 'client');
  assert.equal(clock.pending, 0);
  assert.deepEqual(errors, []);
  assert.throws(() => client.contest('c2'), /The client is closed/);
});

test('[SDK-13] it can be closed while it waits for a token, a socket or the next attempt', async () => {
  for (const when of ['token', 'socket', 'attempt'] as const) {
    let release: (token: string) => void = () => {};
    const token = when === 'token' ? () => new Promise<string>((resolve) => (release = resolve)) : 'fixed';
    const { clock, edge, client } = await setUp({ token });
    if (when === 'attempt') edge.socket.end(1006);
    client.close();
    release('late');
    await clock.advanceSettled(600_000);
    assert.equal(edge.sockets.length, when === 'token' ? 0 : 1, when);
    assert.equal(clock.pending, 0, when);
  }
});

test('[SDK-16] [PR-15] what is not known is ignored; what is no frame makes it start anew', async () => {
  const { clock, edge, client, errors } = await setUp({ encoding: 'json' });
  edge.welcome();
  edge.socket.sayRaw('{"t":"novelty","no":1}');
  edge.socket.sayRaw('{"t":"pong","id":1,"serverTime":1,"mood":"good"}');
  assert.equal(client.status.state, 'connected');
  assert.equal(errors.length, 0);
  edge.socket.sayRaw('{"t":');
  assert.equal(errors[0]?.code, 'bad_answer');
  await clock.advanceSettled(1_000);
  assert.equal(edge.sockets.length, 2);
  edge.welcome();
  edge.socket.sayRaw({ blob: true });
  assert.match(errors[1]?.message ?? '', /made no sense/);
});

test('[SDK-18] more frames than ten seconds may have wait their turn, in order', async () => {
  const { clock, edge, client } = await setUp();
  edge.welcome();
  for (let n = 0; n < 250; n++) client.contest(`c${n}`);
  assert.equal(edge.socket.sent.length, 100);
  await clock.advanceSettled(9_999);
  assert.equal(edge.socket.sent.length, 100);
  await clock.advanceSettled(1);
  assert.equal(edge.socket.sent.length, 200);
  await clock.advanceSettled(10_000);
  assert.deepEqual(
    edge.socket.heard('subscribe').map(({ channel }) => channel),
    Array.from({ length: 250 }, (_, n) => `contest:c${n}`),
  );
  edge.socket.end(1006);
  await clock.advanceSettled(client.status.retryInMs ?? -1);
  edge.welcome();
  assert.equal(edge.socket.sent.length, 100);
});

test('a server that speaks another subprotocol ends the client', async () => {
  const { edge, client, errors } = await setUp();
  const { socket } = edge;
  socket.open = function open() {
    this.protocol = '';
    (this.onopen as ((event: object) => void) | null)?.({});
  };
  socket.open();
  assert.equal(client.status.state, 'closed');
  assert.match(errors[0]?.message ?? '', /does not speak rankcast.msgpack/);
});

test('errors that concern the whole socket are emitted', async () => {
  const { edge, errors } = await setUp();
  edge.welcome();
  edge.socket.say({ t: 'error', code: codes.rate_limited.no, message: 'slower' });
  assert.deepEqual([errors[0]?.code, errors[0]?.message], ['rate_limited', 'slower']);
});

test('[SDK-17] without a WebSocket connect says what to do; wrong options get a sentence', () => {
  const given = { url: 'ws://localhost:8080', token: 'x' };
  const platform = globalThis.WebSocket;
  Reflect.deleteProperty(globalThis, 'WebSocket');
  try {
    assert.throws(() => connect(given), /no WebSocket.*pass one as the option `WebSocket`/s);
  } finally {
    if (platform !== undefined) globalThis.WebSocket = platform;
  }
  const edge = createFakeEdge(createManualClock());
  const wrong: [Partial<ConnectOptions>, RegExp][] = [
    [{ url: 'nowhere' }, /url: "nowhere" is not an address/],
    [{ url: 'ftp://host' }, /url: "ftp:\/\/host" begins with none of/],
    [{ token: '' }, /token: it is neither/],
    [{ agent: 'a'.repeat(129) }, /agent: it is longer than 128 bytes/],
    [{ encoding: 'xml' as 'json' }, /encoding: "xml" is neither/],
    [{ reconnectBaseMs: -1 }, /reconnectBaseMs: -1 is not a number from 0 up/],
    [{ openTimeoutMs: Number.NaN }, /openTimeoutMs: NaN is not/],
  ];
  for (const [option, sentence] of wrong) {
    assert.throws(() => connect({ ...given, WebSocket: edge.WebSocket, ...option }), sentence);
  }
  assert.equal(edge.sockets.length, 0);
});

test('the address may be of any of four schemes, with a prefix, or the socket itself', async () => {
  const urls = [
    ['http://localhost:8080', 'ws://localhost:8080/v1/socket'],
    ['ws://localhost:8080/', 'ws://localhost:8080/v1/socket'],
    ['wss://gate.example/v1/socket', 'wss://gate.example/v1/socket'],
    ['https://gate.example/live/', 'wss://gate.example/live/v1/socket'],
  ] as const;
  for (const [url, socket] of urls) {
    const { edge } = await setUp({ url });
    assert.equal(edge.socket.url, socket);
  }
});

function closeCodes(from: number, to: number): number[] {
  return Object.values(codes)
    .map(({ no }) => no)
    .filter((no) => no >= from && no <= to);
}
