import { socketsConformance } from './sockets.conformance.ts';
import { createWsSockets } from './sockets.ws.ts';
import { socketsHttpConformance } from './sockets-http.conformance.ts';
import { socketsLifeConformance } from './sockets-life.conformance.ts';
import { socketsProxyConformance } from './sockets-proxy.conformance.ts';
import { socketsTlsConformance } from './sockets-tls.conformance.ts';

socketsConformance('ws', createWsSockets);
socketsLifeConformance('ws', createWsSockets);
socketsHttpConformance('ws', createWsSockets);
socketsProxyConformance('ws', createWsSockets);
socketsTlsConformance('ws', createWsSockets);
