import { socketsConformance } from './sockets.conformance.ts';
import { createUwsSockets } from './sockets.uws.ts';
import { socketsHttpConformance } from './sockets-http.conformance.ts';
import { socketsLifeConformance } from './sockets-life.conformance.ts';

socketsConformance('uws', createUwsSockets);
socketsLifeConformance('uws', createUwsSockets);
socketsHttpConformance('uws', createUwsSockets);
