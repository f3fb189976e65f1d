import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  type IPolicy,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import type { Logger } from 'pino';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import type { Clock } from '../clock.ts';
import { connectionFault } from './connection-fault.ts';

/**
 * A server that the process stands on: whether it answers, and calls to it with a time limit, a bounded
 * number of tries with growing waits, and a circuit breaker, so that one that is down is neither waited for
 * nor stormed. What it is shows in `/readyz` and in the metrics `rankcast_dependency_*`.
 */
export interface Dependency {
  readonly name: string;
  /**
   * Calls with the limits of the options; `once` never repeats (for what may have had its effect). Rejects
   * with a `ServiceError` that names the server; a `ClientError` passes untouched and counts as an answer.
   */
  run<T>(operation: string, call: Call<T>, kind?: 'retry' | 'once'): Promise<T>;
  /** The connection stands (again). */
  connected(): void;
  /** The connection was lost, or could not be made. */
  lost(error: unknown): void;
  /** `ready`, or in a sentence why not. */
  state(): string;
}

/** Given up on when the signal says so. */
export type Call<T> = (signal: AbortSignal) => Promise<T>;

export interface DependencyOptions {
  callTimeoutMs: number;
  triesMax: number;
  retryFirstMs: number;
  retryLongestMs: number;
  faultsToOpen: number;
  openMs: number;
}
export const dependencyDefaults: DependencyOptions = {
  /** Far above any healthy answer, below what a client waits for. */
  callTimeoutMs: 5_000,
  /** With the waits below: about a second, then the caller's own retry (a worker's batch) takes over. */
  triesMax: 4,
  retryFirstMs: 50,
  retryLongestMs: 1_000,
  /** So many calls in a row without an answer are no accident. */
  faultsToOpen: 10,
  /** Then nobody asks for so long; after that one call is let through. */
  openMs: 1_000,
};

export interface DependencyParts {
  /** As operators know it: `redis`, `kafka`, `gremlin`, `cassandra`. */
  name: string;
  clock: Clock;
  registry: Registry;
  logger: Logger;
  options?: Partial<DependencyOptions>;
  /** Whether the same call may succeed later; by default, what is neither our own refusal nor final. */
  isRetryable?(error: unknown): boolean;
  /**
   * Whether the server has answered, and would answer the same at once: not tried again here, and not held
   * against it (one that is full still serves reads). By default nothing but our own refusals is.
   */
  isAnswer?(error: unknown): boolean;
}

export function createDependency(parts: DependencyParts): Dependency {
  const { name, clock, registry, logger } = parts;
  const options = { ...dependencyDefaults, ...parts.options };
  const { up, calls, durations } = dependencyMetrics(registry);
  const isRetryable = parts.isRetryable ?? retryableByDefault;
  const isFault = (error: unknown): boolean =>
    !(error instanceof ClientError) && parts.isAnswer?.(error) !== true;
  const limit = timeout(options.callTimeoutMs, TimeoutStrategy.Aggressive);
  const breaker = circuitBreaker(handleWhen(isFault), {
    halfOpenAfter: options.openMs,
    breaker: new ConsecutiveBreaker(options.faultsToOpen),
  });
  const again = retry(
    handleWhen((error) => !(error instanceof BrokenCircuitError) && isFault(error) && isRetryable(error)),
    {
      maxAttempts: options.triesMax - 1,
      backoff: new ExponentialBackoff({
        initialDelay: options.retryFirstMs,
        maxDelay: options.retryLongestMs,
      }),
    },
  );
  const policies: Record<'retry' | 'once', IPolicy> = {
    retry: wrap(again, breaker, limit),
    once: wrap(breaker, limit),
  };
  let fault = 'connecting';
  up.set({ dependency: name }, 0);
  watchBreaker(breaker, () => logger.warn({ dependency: name, fault }, 'calls are held back'));

  function toServiceError(error: unknown): unknown {
    if (error instanceof ClientError || error instanceof ServiceError) return error;
    if (error instanceof BrokenCircuitError) {
      const message = `${name} did not answer ${options.faultsToOpen} times in a row; asked again soon.`;
      return new ServiceError(message, true, error);
    }
    if (error instanceof TaskCancelledError) {
      return new ServiceError(`${name} did not answer within ${options.callTimeoutMs} ms.`, true, error);
    }
    return new ServiceError(connectionFault(name, error), isRetryable(error), error);
  }

  return {
    name,
    async run(operation, call, kind = 'retry') {
      const started = clock.now();
      let outcome = 'answered';
      try {
        // A signal of its own: cockatiel's one for all warns of a leak from the eleventh call at a time on.
        return await policies[kind].execute(({ signal }) => call(signal), new AbortController().signal);
      } catch (error) {
        outcome = error instanceof ClientError ? 'refused' : 'failed';
        throw toServiceError(error);
      } finally {
        calls.inc({ dependency: name, operation, outcome });
        durations.observe({ dependency: name, operation }, (clock.now() - started) / 1_000);
      }
    },
    connected() {
      if (fault === '') return;
      fault = '';
      up.set({ dependency: name }, 1);
      logger.info({ dependency: name }, 'connected');
    },
    lost(error) {
      const sentence = connectionFault(name, error);
      if (fault !== sentence) logger.warn({ dependency: name, fault: sentence }, 'connection lost');
      fault = sentence;
      up.set({ dependency: name }, 0);
    },
    state: () => (fault === '' ? 'ready' : fault),
  };
}

function retryableByDefault(error: unknown): boolean {
  return !(error instanceof ServiceError) || error.retryable;
}

function watchBreaker(breaker: CircuitBreakerPolicy, onOpen: () => void): void {
  breaker.onBreak(onOpen);
}

function dependencyMetrics(registry: Registry) {
  const known = <T>(name: string, make: () => T): T =>
    (registry.getSingleMetric(name) as T | undefined) ?? make();
  const registers = [registry];
  return {
    up: known(
      'rankcast_dependency_up',
      () =>
        new Gauge({
          name: 'rankcast_dependency_up',
          help: 'Whether the connection to a server stands.',
          labelNames: ['dependency'],
          // of several processes on one port: down where one has lost it
          aggregator: 'min',
          registers,
        }),
    ),
    calls: known(
      'rankcast_dependency_calls_total',
      () =>
        new Counter({
          name: 'rankcast_dependency_calls_total',
          help: 'Calls to a server by outcome: answered, refused (a fault of ours), failed.',
          labelNames: ['dependency', 'operation', 'outcome'],
          registers,
        }),
    ),
    durations: known(
      'rankcast_dependency_call_duration_seconds',
      () =>
        new Histogram({
          name: 'rankcast_dependency_call_duration_seconds',
          help: 'How long calls to a server took, with all their tries.',
          labelNames: ['dependency', 'operation'],
          buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
          registers,
        }),
    ),
  };
}
