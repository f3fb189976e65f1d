import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { systemClock } from '../../channels/clock.ts';
import {
  createGremlinGraph,
  type GremlinGraph,
  type GremlinGraphOptions,
} from '../../workers/graph/graph.gremlin.ts';
import { emptyState } from '../../workers/graph/pair-rules.ts';
import { createAuthority } from '../services/certificates.ts';
import { type GremlinStartOptions, startGremlin } from '../services/gremlin.ts';

/** Gremlin Server over TLS, with a user and password, and with client certificates. */
const authority = createAuthority();
const { caFile } = authority;
const stranger = createAuthority('Another authority');
const auth = { user: 'rankcast', password: 'pass-word-1' };
const lines: string[] = [];
const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });

function open(options: Partial<GremlinGraphOptions> & { url: string }): GremlinGraph {
  return createGremlinGraph({
    clock: systemClock,
    logger,
    onError: (error) => logger.error({ err: error }, 'in the background'),
    options: { triesMax: 2, ...options },
  });
}

async function works(options: Partial<GremlinGraphOptions> & { url: string }): Promise<void> {
  const graph = open(options);
  const state = { ...emptyState('tls', 'one'), followStamp: { at: Date.now(), id: 's' } };
  await graph.write([state]);
  assert.deepEqual((await graph.read([['tls', 'one']]))[0]?.[0], state);
  assert.equal(graph.state(), 'ready');
  await graph.close();
}

async function isRefused(
  options: Partial<GremlinGraphOptions> & { url: string },
  sentence: RegExp | string,
): Promise<void> {
  const graph = open(options);
  await assert.rejects(graph.read([['a', 'b']]), { message: sentence });
  if (typeof sentence === 'string') assert.equal(graph.state(), sentence);
  await graph.close();
}

async function withServer(options: GremlinStartOptions, body: (url: string) => Promise<void>): Promise<void> {
  const server = await startGremlin(options);
  try {
    await body(server.url);
  } finally {
    await server.stop();
  }
}

test('TLS with user and password: right ones work, wrong ones and a wrong CA are refused in a sentence', () =>
  withServer({ tls: { ...authority.server(), caFile }, auth }, async (url) => {
    await works({ url, caFile, ...auth });
    const untrusted = 'gremlin: its certificate is signed by a CA that is not trusted here.';
    await isRefused({ url, ...auth }, untrusted);
    await isRefused({ url, caFile: stranger.caFile, ...auth }, untrusted);
    const unknown = 'gremlin: it does not take the user name and password given';
    await isRefused({ url, caFile, user: 'rankcast', password: 'wrong-word' }, `${unknown} (401).`);
    await isRefused({ url, caFile, user: 'nobody', password: auth.password }, `${unknown} (401).`);
    await isRefused({ url, caFile }, `${unknown}.`);
    await isRefused({ url: url.replace('wss:', 'ws:'), ...auth }, /^gremlin: it closed the connection\.$/);
  }));

test('an expired certificate is refused in a sentence', () =>
  withServer({ tls: { ...authority.server({ expired: true }), caFile } }, (url) =>
    isRefused({ url, caFile }, 'gremlin: its certificate has expired.'),
  ));

test('a certificate for another name is refused in a sentence, unless that name is what is expected', () =>
  withServer({ tls: { ...authority.server({ hosts: ['graph.example.com'] }), caFile } }, async (url) => {
    const other = 'gremlin: its certificate is for another name than the one dialled.';
    await isRefused({ url, caFile }, other);
    await isRefused({ url, caFile, serverName: 'other.example.com' }, other);
    await works({ url, caFile, serverName: 'graph.example.com' });
  }));

test('a server that asks for client certificates takes those of its CA only', () =>
  withServer({ tls: { ...authority.server(), caFile, requireClientCert: true } }, async (url) => {
    await works({ url, caFile, ...authority.client('graph worker') });
    const wants = /^gremlin: (it wants a client certificate that it trusts|it closed the connection)\.$/;
    await isRefused({ url, caFile }, wants);
    await isRefused({ url, caFile, ...stranger.client('stranger') }, wants);
  }));

test('options that cannot be are refused at once, naming the file', () => {
  const options = { url: 'wss://127.0.0.1:1/gremlin' };
  assert.throws(() => open({ ...options, caFile: '/nowhere/ca.pem' }), /\/nowhere\/ca\.pem cannot be read/);
  assert.throws(() => open({ ...options, certFile: caFile }), /certificate is given without its key/);
  assert.throws(() => open({ url: 'ws://127.0.0.1:1/gremlin', caFile }), /begins with ws:\/\//);
});

test('no password was logged', () => {
  const logged = lines.join('');
  assert.match(logged, /connected/);
  assert.match(logged, /connection lost/);
  const sasl = Buffer.from(`\0${auth.user}\0${auth.password}`).toString('base64');
  for (const secret of [auth.password, 'wrong-word', sasl, 'BEGIN'])
    assert.ok(!logged.includes(secret), secret);
});
