/** What back ends call, with an API key: records in, messages out, sockets ended, channels looked at. */
import type { Bus } from '../../channels/bus/bus.ts';
import type { Clock } from '../../channels/clock.ts';
import { parseChannel } from '../../channels/name.ts';
import { ClientError } from '../../proto/codes.ts';
import { limits } from '../../proto/limits.ts';
import type { HttpResponse } from '../sockets/sockets.ts';
import type { HttpIngest, HttpLive } from './http-api.ts';
import { jsonAnswer } from './http-error.ts';
import { publishAll } from './publish.ts';
import { checkId, wholeNumber } from './query.ts';
import type { Call, Route } from './router.ts';

export interface BackEndRoutesOptions {
  ingestBytesMax: number;
  publishBytesMax: number;
}
export const backEndRoutesDefaults: BackEndRoutesOptions = {
  // Ten thousand lines of points, or thousands of entries; a batch is one write of the log.
  ingestBytesMax: 16 * 1024 * 1024,
  // Sixty of the longest messages, or thousands of short ones.
  publishBytesMax: 1024 * 1024,
};

/** Letters of one answer: two kilobytes each at most. */
const lettersMax = 500;

export interface BackEndRoutesParts {
  bus: Bus;
  clock: Clock;
  ingest: HttpIngest;
  live: HttpLive;
  options: BackEndRoutesOptions;
}

export function backEndRoutes({ bus, clock, ingest, live, options }: BackEndRoutesParts): Route[] {
  async function take({ request, params }: Call): Promise<HttpResponse> {
    const body = await request.body(options.ingestBytesMax);
    return jsonAnswer(await ingest.ingest(params['topic'] ?? '', body));
  }

  async function publish({ request }: Call): Promise<HttpResponse> {
    const body = await request.body(options.publishBytesMax);
    return jsonAnswer(await publishAll(bus, body, clock.now()));
  }

  async function deadLetters({ request }: Call): Promise<HttpResponse> {
    const from = wholeNumber(request.query, 'from', { min: 0, max: limits.integerMax, fallback: 0 });
    const limit = wholeNumber(request.query, 'limit', { min: 1, max: lettersMax, fallback: 100 });
    return jsonAnswer(await ingest.deadLetters(from, limit));
  }

  async function disconnect({ params }: Call): Promise<HttpResponse> {
    await live.disconnectUser(checkId('user', params['user'] ?? ''));
    return { status: 204, headers: {}, body: '' };
  }

  async function channel({ params }: Call): Promise<HttpResponse> {
    const name = parseChannel(params['channel'] ?? '');
    if (typeof name === 'string') throw new ClientError('bad_channel', name);
    return jsonAnswer(await live.channelInfo(name.name));
  }

  return [
    { method: 'POST', path: '/v1/ingest/{topic}', caller: 'key', handle: take },
    { method: 'GET', path: '/v1/dead-letters', caller: 'key', handle: deadLetters },
    { method: 'POST', path: '/v1/publish', caller: 'key', handle: publish },
    { method: 'POST', path: '/v1/users/{user}/disconnect', caller: 'key', handle: disconnect },
    { method: 'GET', path: '/v1/channels/{channel}', caller: 'key', handle: channel },
  ];
}
