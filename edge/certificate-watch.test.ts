import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createManualClock } from '../channels/clock.manual.ts';
import { createAuthority } from '../test/services/certificates.ts';
import { certificateCheckMs, watchCertificate } from './certificate-watch.ts';
import { type Certificate, readCertificate } from './sockets/certificate.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const skip = hasOpenssl ? false : 'the command openssl is not here: no certificates can be made';

function setUp() {
  const authority = createAuthority();
  const certFile = join(authority.folder, 'edge.pem');
  const keyFile = join(authority.folder, 'edge.key');
  const put = (files: { certFile: string; keyFile: string }) => {
    copyFileSync(files.certFile, certFile);
    copyFileSync(files.keyFile, keyFile);
  };
  put(authority.server({ name: 'first' }));
  const clock = createManualClock();
  clock.advance(Date.now() - clock.now());
  const lines: string[] = [];
  const used: Certificate[] = [];
  const registry = new Registry();
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const state = { fault: '' };
  const certificate = readCertificate(certFile, keyFile);
  const watch = watchCertificate({
    certificate,
    clock,
    logger,
    registry,
    use: async (next) => {
      if (state.fault !== '') throw new Error(state.fault);
      used.push(next);
    },
  });
  const counted = async (outcome: string) => {
    const { values } = await registry.getSingleMetric('rankcast_tls_certificate_reloads_total')!.get();
    return values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;
  };
  const expiry = async () =>
    (await registry.getSingleMetric('rankcast_tls_certificate_expiry_seconds')!.get()).values[0]?.value;
  return {
    authority,
    certFile,
    keyFile,
    put,
    clock,
    lines,
    used,
    watch,
    certificate,
    state,
    counted,
    expiry,
  };
}

test('new files are taken at the next look or on request, and the metrics say until when', {
  skip,
}, async () => {
  const { authority, put, clock, used, watch, certificate, counted, expiry } = setUp();
  assert.equal(await expiry(), certificate.expiresAt / 1_000);
  await clock.advanceSettled(certificateCheckMs);
  assert.equal(used.length, 0);
  const second = authority.server({ name: 'second' });
  put(second);
  await clock.advanceSettled(certificateCheckMs);
  assert.equal(used[0]?.cert, readFileSync(second.certFile, 'utf8'));
  put(authority.server({ name: 'third' }));
  await watch.reload();
  assert.equal(used.length, 2);
  assert.equal(await expiry(), used[1]!.expiresAt / 1_000);
  assert.equal(await counted('taken'), 2);
  watch.close();
});

test('bad files keep the old certificate, are named once, and are looked at again', { skip }, async () => {
  const { authority, certFile, keyFile, put, clock, lines, used, watch, state, counted } = setUp();
  const good = authority.server({ name: 'good' });
  const goodText = readFileSync(good.certFile, 'utf8');
  const cases: [() => void, RegExp][] = [
    [() => writeFileSync(certFile, goodText.slice(0, 300)), /edge.pem holds no certificate/],
    [() => rmSync(certFile), /edge.pem cannot be read: ENOENT/],
    [() => copyFileSync(good.certFile, certFile), /The key in .*edge.key does not fit .*edge.pem/],
    [() => writeFileSync(keyFile, 'garbage'), /edge.key holds no private key/],
    [() => put(authority.server({ name: 'old', expired: true })), /has run out/],
  ];
  for (const [i, [spoil, sentence]] of cases.entries()) {
    spoil();
    for (let look = 0; look < 3; look++) await clock.advanceSettled(certificateCheckMs);
    assert.match(lines.at(-1) ?? '', sentence);
    assert.equal(await counted('refused'), i + 1);
  }
  const secrets = readFileSync(good.keyFile, 'utf8').split('\n')[1]!;
  assert.ok(!lines.join('').includes(secrets));
  state.fault = 'The library will not have it.';
  put(good);
  await watch.reload();
  assert.match(lines.at(-1)!, /will not have it/);
  assert.equal(used.length, 0);
  state.fault = '';
  await clock.advanceSettled(certificateCheckMs);
  assert.equal(used[0]?.cert, goodText);
  assert.equal(await counted('taken'), 1);
  watch.close();
  put(authority.server({ name: 'late' }));
  await clock.advanceSettled(10 * certificateCheckMs);
  assert.equal(used.length, 1);
});
