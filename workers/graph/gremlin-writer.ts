import { ServiceError } from '../../proto/codes.ts';
import type { PairState } from './graph.ts';
import { chunks, type GremlinRequests } from './gremlin-requests.ts';
import { type EdgeIds, type HourOf, mergeUsers, writeStates } from './gremlin-traversals.ts';

export interface GremlinWriterOptions {
  edgeIds: EdgeIds;
  statesPerRequest: number;
  usersPerRequest: number;
  knownUsersMax: number;
}

/**
 * Writes states: users that are not there yet first, then the states, each pair in one request only; so no
 * two requests of a call touch the same element, and their order does not matter.
 */
export function createGremlinWriter(parts: {
  requests: GremlinRequests;
  options: GremlinWriterOptions;
  hourOf: HourOf;
}): (states: readonly PairState[], endsAt: number) => Promise<void> {
  const { requests, options, hourOf } = parts;
  /** Users whose vertices were seen to be there. */
  const known = new Set<string>();

  async function mergeStrangers(states: readonly PairState[], endsAt: number): Promise<void> {
    const strangers = new Set<string>();
    for (const { from, to, following, blocking } of states) {
      if (!following && !blocking) continue;
      if (!known.has(from)) strangers.add(from);
      if (!known.has(to)) strangers.add(to);
    }
    const users = [...strangers];
    await requests.all('write', chunks(users, options.usersPerRequest).map(mergeUsers), endsAt);
    if (known.size + users.length > options.knownUsersMax) known.clear();
    for (const user of users.slice(0, options.knownUsersMax)) known.add(user);
  }

  async function writeAll(states: readonly PairState[], endsAt: number): Promise<void> {
    await mergeStrangers(states, endsAt);
    const some = chunks(states, options.statesPerRequest);
    await requests.all(
      'write',
      some.map((chunk) => writeStates(chunk, options.edgeIds, hourOf)),
      endsAt,
    );
  }

  return async (states, endsAt) => {
    try {
      await writeAll(states, endsAt);
    } catch (error) {
      // A user taken for known may be gone: removed by hand, or with the server's memory.
      if (known.size === 0 || (error instanceof ServiceError && error.retryable)) throw error;
      known.clear();
      await writeAll(states, endsAt);
    }
  };
}

/** Each pair once, the last of a call. */
export function lastOfEach(states: readonly PairState[]): PairState[] {
  const last = new Map<string, PairState>();
  for (const state of states) last.set(`${state.from}:${state.to}`, state);
  return [...last.values()];
}
