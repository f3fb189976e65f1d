import { socketsConformance } from './sockets.conformance.ts';
import { createUwsSockets } from './sockets.uws.ts';
import { socketsHttpConformance } from './sockets-http.conformance.ts';

socketsConformance('uws', createUwsSockets);
socketsHttpConformance('uws', createUwsSockets);
