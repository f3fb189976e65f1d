import { socketsConformance } from './sockets.conformance.ts';
import { createWsSockets } from './sockets.ws.ts';
import { socketsHttpConformance } from './sockets-http.conformance.ts';

socketsConformance('ws', createWsSockets);
socketsHttpConformance('ws', createWsSockets);
