import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, quantile, type Row } from './bench.ts';
import { Crowd } from './crowd.ts';
import { hello, startEdgeWorld, type TokenKey } from './edge-world.ts';
import { cpuMsOf } from './process-usage.ts';
import { type RawUws, startRawUws } from './raw-uws.ts';

/**
 * Processor time of the server for a socket's start: upgrade, token (never seen before), one contest to the
 * first own rank; beside a bare upgrade. Batches of BATCH sockets, the median of BATCHES, the first ones warm
 * the process up. ALGORITHMS: some of them.
 */
const batch = Number(process.env['BATCH'] ?? 400);
const batches = Number(process.env['BATCHES'] ?? 11);
const wanted = (process.env['ALGORITHMS'] ?? 'HS256,RS256,ES256,EdDSA').split(',');
const warmUps = 5;
const sockets = batch * (batches + warmUps);

interface Algorithm {
  name: string;
  target: string;
  keys(): { publicKey: KeyObject; privateKey: KeyObject } | null;
  /** Of `sign`. */
  digest: string | null;
}
const algorithms: readonly Algorithm[] = [
  { name: 'HS256', target: '<= 5x', keys: () => null, digest: null },
  {
    name: 'RS256',
    target: '',
    keys: () => generateKeyPairSync('rsa', { modulusLength: 2_048 }),
    digest: 'sha256',
  },
  {
    name: 'ES256',
    target: '',
    keys: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    digest: 'sha256',
  },
  { name: 'EdDSA', target: '', keys: () => generateKeyPairSync('ed25519'), digest: null },
];

export const edgeConnectBench: Bench = {
  name: 'edge-connect',
  about:
    `Processor time of the server for a socket's start, ${batch} sockets a batch, ` +
    `median of ${batches} batches.`,
  async run(add) {
    const raw = await startRawUws();
    try {
      for (const algorithm of algorithms) {
        if (wanted.includes(algorithm.name)) add(await measure(algorithm, raw));
      }
    } finally {
      raw.stop();
    }
  },
};

async function measure(algorithm: Algorithm, raw: RawUws): Promise<Row> {
  const keys = algorithm.keys();
  const folder = mkdtempSync(join(tmpdir(), 'rankcast-bench-'));
  const keyFile = join(folder, 'key.pem');
  if (keys !== null) writeFileSync(keyFile, keys.publicKey.export({ type: 'spki', format: 'pem' }));
  const ours = new Crowd();
  const theirs = new Crowd();
  const key = keys === null ? undefined : tokenKey(keyFile, algorithm, keys.privateKey);
  const world = await startEdgeWorld(sockets, [], key);
  const { gateway } = world;
  try {
    const firsts = Array.from({ length: sockets }, (_, i) => hello(world.token(`u${i}`), ['contest:c']));
    const mine: number[] = [];
    const upgrades: number[] = [];
    for (let i = 0; i < batches + warmUps; i += 1) {
      const some = firsts.slice(i * batch, (i + 1) * batch);
      const one = await cpuOf(gateway.pid, () => ours.open(gateway.port, batch, some, ['ranks']));
      const other = await cpuOf(raw.pid, () => theirs.open(raw.port, batch, [], []));
      if (i < warmUps) continue;
      mine.push(one);
      upgrades.push(other);
    }
    const times = quantile(
      mine.map((ms, i) => ms / upgrades[i]!),
      0.5,
    );
    return {
      what: `upgrade, token (${algorithm.name}), contest, own rank`,
      measured: `${(quantile(mine, 0.5) * 1_000).toFixed(0)} µs`,
      beside: `raw upgrade ${(quantile(upgrades, 0.5) * 1_000).toFixed(0)} µs: ${times.toFixed(1)}x`,
      target: algorithm.target,
    };
  } finally {
    ours.close();
    theirs.close();
    await gateway.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** ms of processor time for each socket of the batch. */
async function cpuOf(pid: number, open: () => Promise<void>): Promise<number> {
  const before = cpuMsOf(pid);
  await open();
  await delay(20);
  return (cpuMsOf(pid) - before) / batch;
}

function tokenKey(file: string, algorithm: Algorithm, key: KeyObject): TokenKey {
  return {
    flags: ['--token-public-key', file],
    token: (user) => tokenOf(user, algorithm, key),
  };
}

function tokenOf(user: string, { name, digest }: Algorithm, key: KeyObject): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  const body = `${encode({ alg: name, typ: 'JWT' })}.${encode({ sub: user, exp })}`;
  const signature = sign(digest, Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}
