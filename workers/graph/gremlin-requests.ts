import { setTimeout as delay } from 'node:timers/promises';
import type { Bytecode } from 'gremlin';
import { connectionFault } from '../../channels/dependency/connection-fault.ts';
import type { Dependency } from '../../channels/dependency/dependency.ts';
import { ServiceError } from '../../proto/codes.ts';
import { Unanswered } from './gremlin-connection.ts';
import type { GremlinPool } from './gremlin-pool.ts';

/** The requests that a call of the graph is made of. */
export interface GremlinRequests {
  /**
   * Answers in the order of the requests. They run some at a time, each tried again as the dependency has
   * it; none is begun, and none may work on, after `endsAt` (of performance.now). Rejects with the first
   * fault once none is under way.
   *
   * One that changes something and was not answered is only tried again, and only rejects, when the server
   * has given up on it too: so nothing that was given up overtakes what is written later.
   */
  all(
    operation: 'read' | 'write' | 'sweep',
    requests: readonly Bytecode[],
    endsAt: number,
  ): Promise<unknown[][]>;
  /** One that may take long, tried a few times; not for what must end with a group's session. */
  slow(request: Bytecode): Promise<unknown[]>;
}

export interface GremlinRequestOptions {
  /** Requests under way that change something, of all calls of this process. */
  changesAtOnce: number;
  requestTimeoutMs: number;
  requestsPerCall: number;
  listTimeoutMs: number;
}

/** What is left must be worth sending. */
const shortestMs = 500;
const slowTriesMax = 3;

export function createGremlinRequests(parts: {
  pool: GremlinPool;
  dependency: Dependency;
  options: GremlinRequestOptions;
}): GremlinRequests {
  const { pool, dependency, options } = parts;
  const changing = createLanes(options.changesAtOnce);

  async function one(
    bytecode: Bytecode,
    endsAt: number,
    changes: boolean,
    signal: AbortSignal,
  ): Promise<unknown[]> {
    const timeoutMs = () => {
      const leftMs = endsAt - performance.now();
      if (leftMs < shortestMs || signal.aborted) {
        throw new ServiceError('gremlin: the call was not done within its time.', true);
      }
      return Math.min(leftMs, options.requestTimeoutMs);
    };
    // Before anything is waited for, and again by the pool once there is a connection.
    timeoutMs();
    try {
      return await pool.submit(bytecode, timeoutMs);
    } catch (error) {
      if (changes && error instanceof Unanswered) await delay(error.overAt - performance.now());
      throw error;
    }
  }

  return {
    async all(operation, requests, endsAt) {
      const answers: unknown[][] = [];
      let next = 0;
      let fault: { error: unknown } | null = null;
      const worker = async () => {
        while (fault === null && next < requests.length) {
          const index = next++;
          const changes = operation !== 'read';
          const leave = changes ? await changing.enter() : null;
          try {
            answers[index] = await dependency.run(operation, (signal) =>
              one(requests[index]!, endsAt, changes, signal),
            );
          } catch (error) {
            fault ??= { error };
          } finally {
            leave?.();
          }
        }
      };
      const workers = Math.min(options.requestsPerCall, requests.length);
      await Promise.all(Array.from({ length: workers }, worker));
      if (fault !== null) throw (fault as { error: unknown }).error;
      return answers;
    },
    async slow(request) {
      for (let tries = 1; ; tries++) {
        try {
          return await pool.submit(request, () => options.listTimeoutMs);
        } catch (error) {
          const retryable = !(error instanceof ServiceError) || error.retryable;
          if (retryable && tries < slowTriesMax) continue;
          if (error instanceof ServiceError) throw error;
          throw new ServiceError(connectionFault('gremlin', error), true, error);
        }
      }
    },
  };
}

/** Lets so many in at a time, in order; who is in gets what lets the next one in. */
function createLanes(count: number): { enter(): Promise<() => void> } {
  const waiting: (() => void)[] = [];
  let free = count;
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    async enter() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return leave;
    },
  };
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  const some: T[][] = [];
  for (let at = 0; at < items.length; at += size) some.push(items.slice(at, at + size));
  return some;
}
