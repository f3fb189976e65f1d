/** Lists of followers, follow commands and what became of them, profiles. */
import type { Logger } from 'pino';
import type { Clock } from '../../channels/clock.ts';
import { commandStatuses, putPending } from '../../channels/lookup/command-status.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import { profiles } from '../../channels/lookup/profile.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { ClientError } from '../../proto/codes.ts';
import type { GraphCommand } from '../../proto/records.ts';
import type { HttpResponse } from '../sockets/sockets.ts';
import type { HttpIngest } from './http-api.ts';
import { jsonAnswer } from './http-error.ts';
import { checkId, ids, wholeNumber } from './query.ts';
import type { Rebuilds } from './rebuilds.ts';
import type { Call, Route } from './router.ts';
import type { SingleFlight } from './single-flight.ts';

export interface SocialRoutesParts {
  sets: RankedSets;
  lookup: Lookup;
  ingest: HttpIngest;
  clock: Clock;
  logger: Logger;
  singleFlight: SingleFlight;
  rebuilds: Rebuilds;
  /** A stored affinity as it is worth now, 0 to 1. */
  shownAffinity(stored: number, nowMs: number): number;
  /** A new id of 1 to 36 bytes, never given before. */
  newId(): string;
}

const listLimitMax = 500;
const profilesMax = 500;

export function socialRoutes(parts: SocialRoutesParts): Route[] {
  const { sets, lookup, clock, singleFlight, shownAffinity } = parts;

  /** Reads again, once, what was lost and may be mended by then. */
  async function whole<T>(user: string, read: () => Promise<T | null>): Promise<T> {
    const found = await read();
    if (found !== null) return found;
    await parts.rebuilds(user);
    const mended = await read();
    if (mended === null) throw rebuilding(user);
    return mended;
  }

  const list = (name: 'followers' | 'following') => {
    return async ({ request, params }: Call): Promise<HttpResponse> => {
      const user = checkId('user', params['user'] ?? '');
      const offset = wholeNumber(request.query, 'offset', { min: 0, max: 1e12, fallback: 0 });
      const limit = wholeNumber(request.query, 'limit', { min: 1, max: listLimitMax, fallback: 50 });
      return singleFlight(`${name} ${user} ${offset} ${limit}`, async () => {
        const page = await whole(user, () => sets.page(`${name}_${user}`, offset, limit));
        const now = clock.now();
        const items = page.rows.map(([member, stored]) => ({
          user: member,
          affinity: shownAffinity(stored, now),
        }));
        return jsonAnswer({ total: page.total, items });
      });
    };
  };

  async function counts({ params }: Call): Promise<HttpResponse> {
    const user = checkId('user', params['user'] ?? '');
    return singleFlight(`counts ${user}`, async () => {
      const both = await whole(user, async () => {
        const [followers, following] = await sets.counts([`followers_${user}`, `following_${user}`]);
        if (typeof followers !== 'number' || typeof following !== 'number') return null;
        return { followers, following };
      });
      return jsonAnswer(both);
    });
  }

  async function command({ params }: Call): Promise<HttpResponse> {
    const id = checkId('id', params['id'] ?? '');
    const [status] = await commandStatuses(lookup, [id]);
    if (!status) {
      throw new ClientError('not_found', `No command ${id} is known: it is older than 24 h, or never was.`);
    }
    return jsonAnswer(status);
  }

  async function readProfiles({ request }: Call): Promise<HttpResponse> {
    const users = ids(request.query, 'user', profilesMax);
    return singleFlight(`profiles ${users.join(' ')}`, async () => {
      const found = await profiles(lookup, users);
      const shown = found.flatMap((profile) => {
        if (profile === null) return [];
        const { user, name, avatar } = profile;
        return [avatar === undefined ? { user, name } : { user, name, avatar }];
      });
      return jsonAnswer({ profiles: shown });
    });
  }

  return [
    { method: 'GET', path: '/v1/users/{user}/followers', caller: 'token', handle: list('followers') },
    { method: 'GET', path: '/v1/users/{user}/following', caller: 'token', handle: list('following') },
    { method: 'GET', path: '/v1/users/{user}/counts', caller: 'token', handle: counts },
    { method: 'GET', path: '/v1/commands/{id}', caller: 'token', handle: command },
    { method: 'GET', path: '/v1/profiles', caller: 'token', handle: readProfiles },
    ownRoute(parts, 'PUT', 'following', 'follow'),
    ownRoute(parts, 'DELETE', 'following', 'unfollow'),
    ownRoute(parts, 'PUT', 'blocked', 'block'),
    ownRoute(parts, 'DELETE', 'blocked', 'unblock'),
  ];
}

/** Writes a command to the log; answered once the log has it. */
function ownRoute(
  parts: SocialRoutesParts,
  method: 'PUT' | 'DELETE',
  list: 'following' | 'blocked',
  kind: GraphCommand['kind'],
): Route {
  const { ingest, lookup, clock, logger, newId } = parts;

  async function handle({ params, user }: Call): Promise<HttpResponse> {
    const other = checkId('other', params['other'] ?? '');
    if (other === user) throw new ClientError('self', 'A user cannot follow or block themself.');
    const id = newId();
    await ingest.submit('graph-commands', { id, at: clock.now(), kind, from: user, to: other });
    try {
      await putPending(lookup, id);
    } catch (error) {
      // The log has it: it will be done, only its state is unknown until then.
      logger.warn({ err: error, command: id }, 'The state of a command could not be noted.');
    }
    return jsonAnswer({ command: id }, 202);
  }

  return { method, path: `/v1/users/{me}/${list}/{other}`, caller: 'self', handle };
}

function rebuilding(user: string): ClientError {
  return new ClientError('rebuilding', `The lists of ${user} were lost and are being rebuilt.`);
}
