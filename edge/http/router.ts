/**
 * Paths to routes. The table is made once; a request costs one split and a comparison with routes of its
 * length.
 */
import { ClientError } from '../../proto/codes.ts';
import { quote } from '../../proto/text.ts';
import type { HttpRequest, HttpResponse } from '../sockets/sockets.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** Who may call: anyone; any user; the user of `{me}` in the path; a back end with an API key. */
export type Caller = 'anyone' | 'token' | 'self' | 'key';

export interface Call {
  request: HttpRequest;
  /** Decoded, by name. */
  params: Readonly<Record<string, string>>;
  /** Of the token; empty for other callers. */
  user: string;
}
export interface Route {
  method: Method;
  /** `/v1/contests/{contest}/leaderboard` */
  path: string;
  caller: Caller;
  handle(call: Call): Promise<HttpResponse>;
}
export interface Match {
  route: Route;
  params: Record<string, string>;
}
export interface Router {
  /** Throws ClientError `not_found`, `method_not_allowed` or `bad_request`. HEAD finds GET. */
  match(method: string, path: string): Match;
  /** Methods of a path, HEAD included; empty where nothing is. */
  methods(path: string): string[];
}

/** A literal part of a path, or the name of a parameter. */
type Part = { literal: string } | { name: string };
interface Compiled {
  route: Route;
  parts: Part[];
}

export function createRouter(routes: readonly Route[]): Router {
  const byLength = new Map<number, Compiled[]>();
  for (const route of routes) {
    const parts = route.path.slice(1).split('/').map(partOf);
    const list = byLength.get(parts.length);
    if (list === undefined) byLength.set(parts.length, [{ route, parts }]);
    else list.push({ route, parts });
  }

  function found(segments: readonly string[]): Compiled[] {
    const sameLength = byLength.get(segments.length) ?? [];
    return sameLength.filter(({ parts }) =>
      parts.every((part, i) => !('literal' in part) || part.literal === segments[i]),
    );
  }

  function methods(path: string): string[] {
    const names = found(path.slice(1).split('/')).map(({ route }) => route.method as string);
    return names.includes('GET') ? [...names, 'HEAD'] : names;
  }

  return {
    methods,
    match(method, path) {
      const segments = path.slice(1).split('/');
      const candidates = found(segments);
      if (candidates.length === 0) throw new ClientError('not_found', `Nothing is at ${quote(path)}.`);
      const wanted = method === 'HEAD' ? 'GET' : method;
      const hit = candidates.find(({ route }) => route.method === wanted);
      if (hit === undefined) {
        const taken = methods(path).join(', ');
        const message = `${quote(path)} does not take ${quote(method)}; it takes ${taken}.`;
        throw new ClientError('method_not_allowed', message);
      }
      return { route: hit.route, params: paramsOf(hit, segments) };
    },
  };
}

function partOf(text: string): Part {
  return text.startsWith('{') ? { name: text.slice(1, -1) } : { literal: text };
}

function paramsOf({ parts }: Compiled, segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  parts.forEach((part, i) => {
    if ('name' in part) params[part.name] = decoded(segments[i] ?? '', part.name);
  });
  return params;
}

function decoded(segment: string, name: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    const message = `\`${name}\` in the path is not percent-encoded UTF-8: ${quote(segment)}.`;
    throw new ClientError('bad_request', message);
  }
}
