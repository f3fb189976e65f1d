import type * as Uws from 'uWebSockets.js';
import { headerBytesMax } from './sockets.ts';

export type UwsLibrary = Pick<
  typeof Uws,
  'App' | 'SSLApp' | 'DISABLED' | 'us_listen_socket_close' | 'us_socket_local_port'
>;

/** Rejects when the library's binary does not load here. */
export async function loadUws(): Promise<UwsLibrary> {
  // The library reads this once, as it loads, and has no other way to be told (4 KiB by default: a token may
  // have more).
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= String(headerBytesMax);
  return (await import('uWebSockets.js')).default;
}

type ListenSocket = Uws.us_listen_socket | null;

/**
 * `shared`: others that share too may listen on the port as well (SO_REUSEPORT); else this fails where
 * anything listens there.
 */
export function listenOn(app: Uws.TemplatedApp, host: string, port: number, shared: boolean): ListenSocket {
  const listen = app.listen as unknown as (
    host: string,
    port: number,
    flags: number,
    done: (token: Uws.us_listen_socket | false) => void,
  ) => void;
  let listening: ListenSocket = null;
  // LIBUS_LISTEN_DEFAULT shares, LIBUS_LISTEN_EXCLUSIVE_PORT does not
  listen.call(app, host, port, shared ? 0 : 1, (token) => {
    listening = token === false ? null : token;
  });
  return listening;
}

export function listenAt(app: Uws.TemplatedApp, path: string): ListenSocket {
  let listening: ListenSocket = null;
  app.listen_unix((token) => {
    listening = token || null;
  }, path);
  return listening;
}
