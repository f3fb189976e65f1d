/** The process of raw-uws.ts: uWebSockets.js and nothing else. */
import type { WebSocket } from 'uWebSockets.js';
import { loadUws } from '../../edge/sockets/uws-library.ts';
import type { RawOrder } from './raw-uws.ts';

const uws = await loadUws();
const sockets = new Set<WebSocket<unknown>>();
const app = uws.App();
app.ws('/*', {
  maxBackpressure: 262_144,
  idleTimeout: 60,
  sendPingsAutomatically: true,
  compression: uws.DISABLED,
  open: (socket) => {
    sockets.add(socket);
    socket.subscribe('all');
  },
  close: (socket) => void sockets.delete(socket),
});
app.listen('127.0.0.1', 0, (token) => {
  if (token === false) throw new Error('nothing to listen on');
  process.send?.(uws.us_socket_local_port(token));
});

process.on('message', (order: RawOrder) => {
  const send = Buffer.from(order.send, 'base64');
  const publish = Buffer.from(order.publish, 'base64');
  if (send.length > 0) for (const socket of sockets) socket.send(send, true);
  if (publish.length > 0) app.publish('all', publish, true);
});
process.on('disconnect', () => process.exit());
