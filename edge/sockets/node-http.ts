/** HTTP of the socket port on node:http. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Answering, answerWithBody, declaredLength, RequestBody } from './http-body.ts';
import type { HttpRequest, HttpResponse } from './sockets.ts';

const nothing = Buffer.alloc(0);
/** A client gets so long to read the answer and close before its connection is cut. */
const lingerMs = 1_000;

/**
 * Ends a connection for good: sockets of node:http may stay half open, so that of a client that never closes
 * would stay for ever. Cut at once, bytes not yet read would take the answer with them.
 */
export function endConnection(tcp: Duplex, answer = ''): void {
  const timer = setTimeout(() => tcp.destroy(), lingerMs);
  tcp.once('close', () => clearTimeout(timer));
  tcp.end(answer);
  tcp.resume();
}

/** `detached`: Node does not read the body of what asked for an upgrade. */
export function answerNodeRequest(
  req: IncomingMessage,
  res: ServerResponse,
  address: string,
  options: Answering,
  detached = false,
): void {
  const headers = headersOf(req);
  const url = req.url ?? '/';
  const cut = url.indexOf('?');
  const body = new RequestBody(declaredLength(headers), {
    pause: () => req.pause(),
    resume: () => req.resume(),
  });
  const request: HttpRequest = {
    method: req.method ?? '',
    path: cut < 0 ? url : url.slice(0, cut),
    query: new URLSearchParams(cut < 0 ? '' : url.slice(cut + 1)),
    headers,
    address,
    body: (maxBytes) => body.read(maxBytes),
  };
  if (detached) body.abort();
  req.on('data', (chunk: Buffer) => body.take(chunk, false));
  req.on('end', () => body.take(nothing, true));
  req.on('error', () => body.abort());
  res.on('error', () => {});
  res.on('close', () => body.abort());
  void answerWithBody(request, body, options).then(({ response, close }) => {
    if (!res.destroyed) writeNodeResponse(res, response, close);
  });
}

/** Node hands out a bare socket for anything that asks for an upgrade; this answers it as HTTP and closes. */
export function detachedResponse(req: IncomingMessage, tcp: TcpSocket): ServerResponse {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(tcp);
  res.on('finish', () => endConnection(tcp));
  return res;
}

export function writeNodeResponse(res: ServerResponse, answer: HttpResponse, close: boolean): void {
  if (close) res.setHeader('connection', 'close');
  if (answer.status !== 204 && answer.status !== 304) {
    res.setHeader('content-length', Buffer.byteLength(answer.body));
  }
  res.writeHead(answer.status, answer.headers);
  res.end(answer.body);
}

/** Lower-case names, all values of a repeated header. */
function headersOf(req: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i]!.toLowerCase();
    const value = req.rawHeaders[i + 1]!;
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}
