import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { systemClock } from '../../channels/clock.ts';
import {
  createGremlinGraph,
  type GremlinGraph,
  type GremlinGraphSetup,
} from '../../workers/graph/graph.gremlin.ts';
import { emptyState } from '../../workers/graph/pair-rules.ts';
import { openUpgradeVerifier } from '../kit/signed-upgrades.ts';
import { sharedGremlin } from '../services/shared.ts';

/** Signed upgrades, verified by another implementation in front of the real server. */
const { hostname: host, port } = new URL(await sharedGremlin());
const region = 'eu-west-1';
const verifier = await openUpgradeVerifier({
  target: { host, port: Number(port) },
  region,
  service: 'neptune-db',
});
after(() => verifier.close());

const old = { accessKeyId: 'AKIAOLD', secretAccessKey: 'old-secret/1', sessionToken: 'old-token==' };
const young = { accessKeyId: 'AKIAYOUNG', secretAccessKey: 'young-secret+2', sessionToken: 'young-token==' };
const secretOf = ({ secretAccessKey, sessionToken }: typeof old) => ({ secretAccessKey, sessionToken });
const lines: string[] = [];
const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });

function open(setup: Partial<GremlinGraphSetup>, more: object = { awsRegion: region }): GremlinGraph {
  return createGremlinGraph({
    clock: systemClock,
    logger,
    onError: (error) => logger.error({ err: error }, 'in the background'),
    ...setup,
    options: { url: `ws://127.0.0.1:${verifier.port}/gremlin`, triesMax: 2, ...more },
  });
}

async function readsAndWrites(graph: GremlinGraph): Promise<void> {
  const state = { ...emptyState('signed', 'one'), followStamp: { at: Date.now(), id: 's' } };
  await graph.write([state]);
  assert.deepEqual((await graph.read([['signed', 'one']]))[0]?.[0], state);
}

/** One sentence in the error and in the state; afterwards nothing that must not be seen is anywhere. */
async function isRefused(graph: GremlinGraph, why: string): Promise<void> {
  const before = verifier.refused.length;
  await assert.rejects(graph.read([['a', 'b']]), {
    name: 'ServiceError',
    message: 'gremlin: it does not take the credentials given.',
  });
  assert.equal(graph.state(), 'gremlin: it does not take the credentials given.');
  assert.deepEqual([...new Set(verifier.refused.slice(before))], [why]);
  await graph.close();
}

test('an upgrade signed with the right secret is taken', async () => {
  verifier.accept({ [old.accessKeyId]: secretOf(old) });
  const graph = open({ credentials: async () => old });
  await readsAndWrites(graph);
  assert.equal(graph.state(), 'ready');
  await graph.close();
});

test('a wrong secret, a wrong token, a late clock or no signature is refused with a sentence', async () => {
  verifier.accept({ [old.accessKeyId]: secretOf(old) });
  await isRefused(
    open({ credentials: async () => ({ ...old, secretAccessKey: 'wrong' }) }),
    'wrong signature',
  );
  await isRefused(open({ credentials: async () => ({ ...old, sessionToken: 'wrong' }) }), 'wrong signature');
  const late = { ...systemClock, now: () => Date.now() - 600_000 };
  await isRefused(open({ credentials: async () => old, clock: late }), 'clock skew');
  await isRefused(open({ credentials: async () => young }), 'unknown access key');
  await isRefused(open({}, {}), 'unknown access key');
});

test('credentials that were rotated sign the next upgrade', async () => {
  verifier.accept({ [old.accessKeyId]: secretOf(old) });
  let current = old;
  const graph = open({ credentials: async () => current });
  await readsAndWrites(graph);
  verifier.accept({ [young.accessKeyId]: secretOf(young) });
  current = young;
  // What stands goes on; what is made anew is signed anew.
  await readsAndWrites(graph);
  const before = verifier.taken.length;
  verifier.cut();
  await readsAndWrites(graph);
  assert.deepEqual(new Set(verifier.taken.slice(before)), new Set([young.accessKeyId]));
  await graph.close();
});

test('without credentials of its own it signs with those that the AWS SDK finds', async () => {
  verifier.accept({ [young.accessKeyId]: secretOf(young) });
  const environment = {
    AWS_ACCESS_KEY_ID: young.accessKeyId,
    AWS_SECRET_ACCESS_KEY: young.secretAccessKey,
    AWS_SESSION_TOKEN: young.sessionToken,
  };
  Object.assign(process.env, environment);
  try {
    const graph = open({});
    await readsAndWrites(graph);
    await graph.close();
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
  }
});

test('no secret, token or signature was logged', () => {
  const logged = lines.join('');
  assert.match(logged, /connection lost/);
  for (const { secretAccessKey, sessionToken } of [old, young]) {
    assert.ok(!logged.includes(secretAccessKey));
    assert.ok(!logged.includes(sessionToken));
  }
  assert.doesNotMatch(logged, /signature=|credential=|authorization/i);
});
