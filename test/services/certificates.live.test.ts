/** The kit's certificates, between a server and a client of Node's own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type ConnectionOptions, connect, createServer } from 'node:tls';
import { type Certificate, createAuthority } from './certificates.ts';

const authority = createAuthority();
const other = createAuthority('Another authority');

const read = ({ certFile, keyFile }: Certificate) => ({
  cert: readFileSync(certFile),
  key: readFileSync(keyFile),
});
const ca = readFileSync(authority.caFile);

/** The code of what the client, or else the server, holds against the other; `welcome` when neither does. */
async function greet(certificate: Certificate, client: ConnectionOptions, mustShow = false): Promise<string> {
  const server = createServer(
    { ...read(certificate), ca, requestCert: mustShow, rejectUnauthorized: mustShow },
    (socket) => socket.end('welcome'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const { port } = server.address() as AddressInfo;
  const refusal = new Promise<string>((resolve) => {
    server.on('tlsClientError', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  const heard = new Promise<string>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ...client });
    socket.on('data', (data) => resolve(String(data)));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  try {
    return await (mustShow ? Promise.race([refusal, heard]) : heard);
  } finally {
    server.close();
  }
}

test('a good server certificate is taken, under its names and addresses', async () => {
  assert.equal(await greet(authority.server(), {}), 'welcome');
  assert.equal(await greet(authority.server(), { servername: '' }), 'welcome');
});

test('an expired one, one for another name, one of another authority: each is refused as that', async () => {
  assert.equal(await greet(authority.server({ expired: true }), {}), 'CERT_HAS_EXPIRED');
  const elsewhere = authority.server({ hosts: ['elsewhere.example'] });
  assert.equal(await greet(elsewhere, {}), 'ERR_TLS_CERT_ALTNAME_INVALID');
  assert.match(await greet(other.server(), {}), /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/);
});

test('a client shows a certificate of the authority, or is refused', async () => {
  const server = authority.server();
  assert.equal(await greet(server, read(authority.client('edge')), true), 'welcome');
  assert.notEqual(await greet(server, {}, true), 'welcome');
  assert.notEqual(await greet(server, read(other.client('edge')), true), 'welcome');
  assert.notEqual(await greet(server, read(authority.client('edge', { expired: true })), true), 'welcome');
});
