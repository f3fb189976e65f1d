import { test } from 'node:test';
import { uwsLoads } from './open-sockets.ts';
import { socketsConformance } from './sockets.conformance.ts';
import { createUwsSockets } from './sockets.uws.ts';
import { socketsHttpConformance } from './sockets-http.conformance.ts';
import { socketsLifeConformance } from './sockets-life.conformance.ts';
import { socketsProxyConformance } from './sockets-proxy.conformance.ts';
import { socketsTlsConformance } from './sockets-tls.conformance.ts';

if (await uwsLoads()) {
  socketsConformance('uws', createUwsSockets);
  socketsLifeConformance('uws', createUwsSockets);
  socketsHttpConformance('uws', createUwsSockets);
  socketsProxyConformance('uws', createUwsSockets);
  socketsTlsConformance('uws', createUwsSockets);
} else {
  test('uws: the laws of sockets', { skip: 'the binary of uWebSockets.js does not load here' }, () => {});
}
