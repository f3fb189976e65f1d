/** HTTP of the socket port on uWebSockets.js. */
import type * as Uws from 'uWebSockets.js';
import { type Answering, answerWithBody, declaredLength, RequestBody } from './http-body.ts';
import { statusLine } from './http-status.ts';
import type { HttpRequest, HttpResponse } from './sockets.ts';

/** `gone`: the server has been closed meanwhile, and its responses with it. */
export function answerUwsRequest(
  res: Uws.HttpResponse,
  req: Uws.HttpRequest,
  address: string,
  options: Answering,
  gone: () => boolean,
): void {
  const headers: Record<string, string> = {};
  req.forEach((name, value) => {
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  });
  const method = req.getCaseSensitiveMethod().toUpperCase();
  const declared = declaredLength(headers);
  const body = new RequestBody(declared, res);
  const request: HttpRequest = {
    method,
    path: req.getUrl(),
    query: new URLSearchParams(req.getQuery()),
    headers,
    address,
    body: (maxBytes) => body.read(maxBytes),
  };
  let aborted = false;
  res.onAborted(() => {
    aborted = true;
    body.abort();
  });
  // Told of the empty body of a request that has been answered already, the library would forget to close the
  // connection when it idles. A chunk's memory is the library's: copied.
  if (declared !== 0) res.onData((chunk, last) => body.take(new Uint8Array(chunk.slice(0)), last));
  void answerWithBody(request, body, options).then(({ response, close }) => {
    if (!aborted && !gone()) res.cork(() => writeUwsResponse(res, method, response, close));
  });
}

export function writeUwsResponse(
  res: Uws.HttpResponse,
  method: string,
  answer: HttpResponse,
  close: boolean,
): void {
  res.writeStatus(statusLine(answer.status));
  for (const name in answer.headers) res.writeHeader(name, answer.headers[name] ?? '');
  if (close) res.writeHeader('connection', 'close');
  // Without arguments: told a length, the library would wait for that many bytes.
  if (method === 'HEAD') {
    res.writeHeader('content-length', String(Buffer.byteLength(answer.body)));
    res.endWithoutBody();
  } else if (answer.status === 204 || answer.status === 304) res.endWithoutBody();
  else res.end(answer.body, close);
}
