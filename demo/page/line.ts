/**
 * A connection that the page can cut, through what the SDK lets its user choose: a WebSocket and a fetch that
 * fail while the line is down. To the SDK it is a network that went away.
 */
import type { FetchLike, WebSocketConstructor, WebSocketLike } from '../../client/options.ts';

export interface Line {
  readonly down: boolean;
  readonly WebSocket: WebSocketConstructor;
  readonly fetch: FetchLike;
  cut(): void;
  mend(): void;
}

export function createLine(): Line {
  let down = false;
  const open = new Set<WebSocket>();
  const construct = (_: typeof WebSocket, [url, protocols]: [string, string]): WebSocketLike => {
    if (down) return deadSocket();
    const socket = new WebSocket(url, protocols);
    open.add(socket);
    socket.addEventListener('close', () => open.delete(socket));
    return socket;
  };
  return {
    get down() {
      return down;
    },
    WebSocket: new Proxy(WebSocket, { construct }) as WebSocketConstructor,
    fetch: (url, init) => (down ? Promise.reject(new TypeError('The line is cut.')) : fetch(url, init)),
    cut: () => {
      down = true;
      for (const socket of open) socket.close();
    },
    mend: () => {
      down = false;
    },
  };
}

/** Fails as a socket does that finds no network. */
function deadSocket(): WebSocketLike {
  const socket: WebSocketLike = {
    binaryType: '',
    protocol: '',
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: () => {},
    close: () => {},
  };
  setTimeout(() => socket.onclose?.({ code: 1006, reason: '' } as never));
  return socket;
}
