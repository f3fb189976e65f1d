/**
 * The HTTP interface: routes, who may call them, and what becomes of every request: an answer of its route,
 * or `{"error":{"code","message"}}` with a code of the one table.
 */
import type { Logger } from 'pino';
import { Histogram, type Registry } from 'prom-client';
import type { Bus } from '../../channels/bus/bus.ts';
import type { Clock } from '../../channels/clock.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import type { Pages } from '../../channels/pages/pages.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { ClientError, type CodeName } from '../../proto/codes.ts';
import type { GraphCommand } from '../../proto/records.ts';
import type { ChannelInfo } from '../channel-info.ts';
import type { HttpRequest, HttpResponse } from '../sockets/sockets.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { type BackEndRoutesOptions, backEndRoutes, backEndRoutesDefaults } from './back-end-routes.ts';
import { type CallersOptions, callersDefaults, createCallers } from './callers.ts';
import type { HttpArchive } from './contest-archive.ts';
import { type ContestReadsOptions, contestReadsDefaults, contestRoutes } from './contest-reads.ts';
import { corsHeaders, preflight } from './cors.ts';
import { clientErrorAnswer, errorAnswer, isServiceError } from './http-error.ts';
import { openapi } from './openapi.ts';
import { createRebuilds, type RebuildsOptions, rebuildsDefaults } from './rebuilds.ts';
import { createRouter, type Match, type Route } from './router.ts';
import { createSingleFlight } from './single-flight.ts';
import { socialRoutes } from './social-routes.ts';

export interface HttpApiOptions
  extends CallersOptions,
    ContestReadsOptions,
    BackEndRoutesOptions,
    RebuildsOptions {}
export const httpApiDefaults: HttpApiOptions = {
  ...callersDefaults,
  ...contestReadsDefaults,
  ...backEndRoutesDefaults,
  ...rebuildsDefaults,
};

/** Records in (as `workers/source/ingest.ts` has it). */
export interface HttpIngest {
  ingest(
    topic: string,
    ndjson: Uint8Array,
  ): Promise<{
    taken: number;
    versions: { key: string; version: number }[];
    refused: { line: number; code: CodeName; message: string }[];
  }>;
  submit(topic: 'graph-commands', record: GraphCommand): Promise<{ partition: number; version: number }>;
  deadLetters(from: number, limit: number): Promise<{ next: number; items: HttpDeadLetter[] }>;
}
/** What was refused, where it stood and why. */
export interface HttpDeadLetter {
  id: string;
  topic: string;
  /** null with `offset`: refused at the way in. */
  partition: number | null;
  offset: number | null;
  code: CodeName;
  message: string;
  /** Index of the refused item of an `entries` record; null: the whole record. */
  item: number | null;
  /** The record, clipped. */
  record: string;
}
export interface HttpLive {
  /** Resolves when every edge has been told. */
  disconnectUser(user: string): Promise<void>;
  /** Of all edges together. Rejects with ClientError `bad_channel`. */
  channelInfo(channel: string): Promise<ChannelInfo>;
}

export interface HttpApiParts {
  bus: Bus;
  lookup: Lookup;
  sets: RankedSets;
  pages: Pages;
  archive: HttpArchive;
  ingest: HttpIngest;
  live: HttpLive;
  verifier: Verifier;
  clock: Clock;
  options: HttpApiOptions;
  logger: Logger;
  registry: Registry;
  /** May a page of this origin read answers? */
  originAllowed(origin: string): boolean;
  shownAffinity(stored: number, nowMs: number): number;
  newId(): string;
  /** Routes of others beside these, e.g. static files; asked where nothing of ours is at the path. */
  fallback?: (request: HttpRequest) => Promise<HttpResponse | null>;
}
export interface HttpApi {
  handle(request: HttpRequest): Promise<HttpResponse>;
  readonly routes: readonly Route[];
}

export function createHttpApi(parts: HttpApiParts): HttpApi {
  const { verifier, options, logger, registry, originAllowed, fallback } = parts;
  const singleFlight = createSingleFlight();
  const callers = createCallers(options, verifier);
  const routes = [
    ...contestRoutes({ ...parts, singleFlight }),
    ...socialRoutes({ ...parts, singleFlight, rebuilds: createRebuilds(parts) }),
    ...backEndRoutes(parts),
    ...documentRoutes(),
  ];
  const router = createRouter(routes);
  const seconds = new Histogram({
    name: 'rankcast_http_request_seconds',
    help: 'Time to the answer of HTTP requests, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5],
    registers: [registry],
  });

  async function call(request: HttpRequest, { route, params }: Match): Promise<HttpResponse> {
    const user = await callers.admit(route.caller, request.headers['authorization'], params['me']);
    return route.handle({ request, params, user });
  }

  async function answer(request: HttpRequest): Promise<{ response: HttpResponse; route: string }> {
    const { method, path } = request;
    let route = 'none';
    try {
      if (fallback !== undefined && router.methods(path).length === 0) {
        const response = await fallback(request);
        if (response !== null) return { response, route: 'fallback' };
      }
      if (method === 'OPTIONS') {
        return { response: preflight(request, router.methods(path), originAllowed), route };
      }
      const match = router.match(method, path);
      route = match.route.path;
      return { response: { ...(await call(request, match)) }, route };
    } catch (error) {
      return { response: failure(error, request, router.methods(path)), route };
    }
  }

  function failure(error: unknown, { method, path }: HttpRequest, methods: string[]): HttpResponse {
    if (error instanceof ClientError) {
      const response = clientErrorAnswer(error);
      if (error.code === 'method_not_allowed') response.headers['allow'] = methods.join(', ');
      return response;
    }
    if (isServiceError(error)) {
      logger.warn({ err: error, method, path }, 'A request could not be answered.');
      return errorAnswer('unavailable', 'What answers this is not reachable now; try again.');
    }
    logger.error({ err: error, method, path }, 'A request met a fault.');
    return errorAnswer('internal', 'A fault of the server; it is in its log.');
  }

  return {
    routes,
    async handle(request) {
      const stop = seconds.startTimer();
      const { response, route } = await answer(request);
      stop({ method: shownMethod(request.method), route, status: response.status });
      const cors = corsHeaders(request.headers['origin'], originAllowed);
      const caching = response.headers['cache-control'] === undefined ? { 'cache-control': 'no-store' } : {};
      return { ...response, headers: { ...caching, ...response.headers, ...cors } };
    },
  };
}

/** Strangers' methods do not become series of metrics. */
function shownMethod(method: string): string {
  return ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS'].includes(method) ? method : 'other';
}

/** The document, and what the path of sockets says to a plain request. */
function documentRoutes(): Route[] {
  const document = JSON.stringify(openapi);
  return [
    {
      method: 'GET',
      path: '/openapi.json',
      caller: 'anyone',
      handle: async () => ({
        status: 200,
        headers: { 'content-type': 'application/json', 'cache-control': 'max-age=300' },
        body: document,
      }),
    },
    {
      method: 'GET',
      path: '/v1/socket',
      caller: 'anyone',
      handle: async () => {
        throw new ClientError('upgrade_required', 'This path takes WebSocket upgrades.');
      },
    },
  ];
}
