import type { HttpRequest, HttpResponse } from '../sockets/sockets.ts';
import { errorAnswer } from './http-error.ts';

/** A browser asks again after this. */
const preflightAgeSeconds = 600;

/** Headers that let a page of an allowed origin read the answer. */
export function corsHeaders(
  origin: string | undefined,
  allowed: (origin: string) => boolean,
): Record<string, string> {
  if (origin === undefined) return {};
  // Caches must not give one origin's answer to another.
  if (!allowed(origin)) return { vary: 'origin' };
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'retry-after',
    vary: 'origin',
  };
}

/** The answer to OPTIONS: what the path takes, and for a page of an allowed origin that it may ask. */
export function preflight(
  request: HttpRequest,
  methods: readonly string[],
  allowed: (origin: string) => boolean,
): HttpResponse {
  const { origin } = request.headers;
  if (methods.length === 0) return errorAnswer('not_found', 'Nothing is at this path.');
  if (origin !== undefined && !allowed(origin)) {
    return errorAnswer('forbidden', 'Pages of this origin may not call: it is not an allowed origin.');
  }
  const headers: Record<string, string> = { allow: [...methods, 'OPTIONS'].join(', ') };
  if (origin !== undefined) {
    headers['access-control-allow-methods'] = methods.join(', ');
    headers['access-control-allow-headers'] = 'authorization, content-type';
    headers['access-control-max-age'] = String(preflightAgeSeconds);
  }
  return { status: 204, headers, body: '' };
}
