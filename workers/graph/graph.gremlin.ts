import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import type { Clock } from '../../channels/clock.ts';
import { createDependency, type Dependency } from '../../channels/dependency/dependency.ts';
import { readTls, type TlsOptions } from '../../channels/dependency/tls-files.ts';
import type { Graph, PairState } from './graph.ts';
import { type GremlinConnection, openGremlinConnection } from './gremlin-connection.ts';
import { createListWindows } from './gremlin-lists.ts';
import { createGremlinPool, type GremlinPool } from './gremlin-pool.ts';
import { chunks, createGremlinRequests } from './gremlin-requests.ts';
import { blockId, decodeState, endedId, followId, type StoredState } from './gremlin-states.ts';
import { createGremlinSweeper, hourOfForgetting } from './gremlin-sweeper.ts';
import { type EdgeIds, edgesOf, listFollows, readEdges, readEnded, storedOf } from './gremlin-traversals.ts';
import { createGremlinWriter, lastOfEach } from './gremlin-writer.ts';
import { commandAgeMaxMs, emptyState } from './pair-rules.ts';
import type { AwsCredentialsProvider } from './sigv4.ts';

/**
 * The graph on a Gremlin server: Amazon Neptune, or any that takes GraphBinary over a WebSocket. How it
 * lies there is told in gremlin-states.ts; why so, and what each call costs, in
 * docs/decisions/0005-graph-on-gremlin.md.
 *
 * Elements of a pair are found by their ids, so a write costs the same however many followers a user has.
 * `list` is for repair: each window of `listWindowMax` rows looks at all follows of the user.
 *
 * Throws an Error whose sentence says what is wrong with an option; that the server cannot be reached shows
 * in `state` and in the calls.
 */
export function createGremlinGraph(setup: GremlinGraphSetup): GremlinGraph {
  const { clock, onError } = setup;
  const { awsRegion } = setup.options;
  const changesAtOnce = awsRegion === undefined ? gremlinGraphDefaults.changesAtOnce : changesAtOnceOnNeptune;
  const options = { ...gremlinGraphDefaults, changesAtOnce, ...setup.options };
  const dependency = openDependency(setup, options);
  const pool = openPool(setup, options, dependency);
  const requests = createGremlinRequests({ pool, dependency, options });
  const hourOf = hourOfForgetting(clock, commandAgeMaxMs + options.workerLagMsMax);
  const write = createGremlinWriter({ requests, options, hourOf });
  const windows = createListWindows(options.listWindowMs, () => performance.now());
  const sweeper = createGremlinSweeper({
    clock,
    options,
    onError,
    async submit(request) {
      const [rows = []] = await requests.all('sweep', [request], performance.now() + options.deadlineMs);
      return rows;
    },
  });

  return {
    async read(pairs, endsAt = performance.now() + options.deadlineMs) {
      const some = chunks(pairs, options.pairsPerRequest);
      const asked = some.flatMap((chunk) => readRequests(chunk, options.edgeIds));
      const stored = new Map<string, StoredState>();
      for (const rows of await requests.all('read', asked, endsAt)) storedOf(rows, stored);
      const state = (from: string, to: string) => decodeState(from, to, stored) ?? emptyState(from, to);
      return pairs.map(([from, to]): [PairState, PairState] => [state(from, to), state(to, from)]);
    },
    async write(states, endsAt = performance.now() + options.deadlineMs) {
      const last = lastOfEach(states);
      try {
        await write(last, endsAt);
      } finally {
        windows.forget(last);
      }
    },
    async list(user, list, after, limit) {
      const kept = windows.take(user, list, after, limit);
      if (kept !== null) return kept;
      const window = Math.max(limit, options.listWindowMax);
      const rows = edgesOf(await requests.slow(listFollows(user, list, after, window)));
      return windows.keep(user, list, rows, limit, rows.length < window);
    },
    state: () => dependency.state(),
    async close() {
      await sweeper.close();
      pool.close();
    },
  };
}

export interface GremlinGraph extends Graph {
  /** `ready`, or in a sentence why not. */
  state(): string;
}

export interface GremlinGraphSetup {
  clock: Clock;
  logger: Logger;
  /** Where the metrics of the dependency go. */
  registry?: Registry;
  /** In place of the credentials that the AWS SDK finds. */
  credentials?: AwsCredentialsProvider;
  /** Hears of faults in the background (forgetting what stands no more). */
  onError(error: unknown): void;
  random?(): number;
  options: Partial<GremlinGraphOptions> & { url: string };
}

export interface GremlinGraphOptions extends TlsOptions {
  /** ws://host:port/gremlin, or wss:// for TLS. */
  url: string;
  user?: string;
  password?: string;
  /** Set: upgrades are signed for Neptune in this region. */
  awsRegion?: string;
  /** The name that the server knows the graph by. */
  traversalSource: string;
  edgeIds: EdgeIds;
  connectionsMax: number;
  requestsPerConnection: number;
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  deadlineMs: number;
  triesMax: number;
  retryFirstMs: number;
  retryLongestMs: number;
  reconnectFirstMs: number;
  reconnectLongestMs: number;
  pingIntervalMs: number;
  requestsPerCall: number;
  changesAtOnce: number;
  pairsPerRequest: number;
  statesPerRequest: number;
  usersPerRequest: number;
  knownUsersMax: number;
  listWindowMax: number;
  listWindowMs: number;
  listTimeoutMs: number;
  sweepIntervalMs: number;
  sweepBatchMax: number;
  sweepBackMs: number;
  workerLagMsMax: number;
}

export const gremlinGraphDefaults: Omit<GremlinGraphOptions, 'url'> = {
  traversalSource: 'g',
  edgeIds: 'given',
  /** A server works on one request per thread; Neptune has two threads per virtual CPU. */
  connectionsMax: 4,
  requestsPerConnection: 4,
  connectTimeoutMs: 3_000,
  /** A healthy request takes some milliseconds; the server gives up on it a little before. */
  requestTimeoutMs: 5_000,
  /**
   * For a whole read or write, with all its tries, where the caller says no other end. A graph worker gives
   * one to both of a batch, by its session in the log (`batchWithinMs` in graph-worker.ts).
   */
  deadlineMs: 7_000,
  triesMax: 6,
  retryFirstMs: 20,
  retryLongestMs: 1_000,
  reconnectFirstMs: 100,
  reconnectLongestMs: 5_000,
  /** Finds a dead connection within twice this, and keeps it alive through balancers and Neptune (20 min). */
  pingIntervalMs: 10_000,
  /** Requests that one read or write has under way. */
  requestsPerCall: 8,
  /**
   * One: a server without transactions (TinkerGraph, the default of Gremlin Server) corrupts a user's list
   * when two requests add to it at a time. Neptune gets eight.
   */
  changesAtOnce: 1,
  pairsPerRequest: 100,
  /** Neptune advises 200 records (labels and properties) and forbids some thousands of steps in a request. */
  statesPerRequest: 50,
  usersPerRequest: 100,
  /** Users not merged again with each write: some 10 MB. */
  knownUsersMax: 100_000,
  /** Rows that a look at a list brings: some 10 MB. */
  listWindowMax: 50_000,
  /** A repair takes some seconds for as many; what changes meanwhile is told to the sets as well. */
  listWindowMs: 30_000,
  /** Ten million follows are looked at in a minute or two. */
  listTimeoutMs: 120_000,
  sweepIntervalMs: 60_000,
  sweepBatchMax: 500,
  /** How long no worker may have run and what ended before is still found at the next start. */
  sweepBackMs: 400 * 24 * 3_600_000,
  /** As the embedded graph: an outage of a night. */
  workerLagMsMax: 12 * 3_600_000,
};

const changesAtOnceOnNeptune = 8;

function readRequests(pairs: readonly (readonly [from: string, to: string])[], edgeIds: EdgeIds) {
  const edges: string[] = [];
  const ended: string[] = [];
  for (const [from, to] of pairs) {
    edges.push(followId(from, to), blockId(from, to), followId(to, from), blockId(to, from));
    ended.push(endedId(from, to), endedId(to, from));
  }
  return [readEdges(edges, edgeIds), readEnded(ended)];
}

/** The circuit breaker counts requests, of which many are under way: so many faults are no accident. */
const faultsToOpen = 50;

function openDependency(setup: GremlinGraphSetup, options: GremlinGraphOptions): Dependency {
  const { clock, logger, registry = new Registry() } = setup;
  const { connectTimeoutMs, requestTimeoutMs, triesMax, retryFirstMs, retryLongestMs } = options;
  // What ends a try is the request's own limit: a try must be over, here and there, before the next begins.
  // Connecting takes no more than its time and the least for a probe.
  const callTimeoutMs = connectTimeoutMs + requestTimeoutMs + 2_000;
  return createDependency({
    name: 'gremlin',
    clock,
    registry,
    logger,
    options: { callTimeoutMs, triesMax, retryFirstMs, retryLongestMs, faultsToOpen },
  });
}

function openPool(
  setup: GremlinGraphSetup,
  options: GremlinGraphOptions,
  dependency: Dependency,
): GremlinPool {
  const { user, password, connectTimeoutMs, pingIntervalMs, traversalSource: source } = options;
  const url = new URL(options.url);
  const tls = readTls(options);
  if (tls !== undefined && url.protocol !== 'wss:') {
    throw new Error(`files for TLS are given, but the address begins with ${url.protocol}//, not wss://`);
  }
  const sign = lazySigner(setup, options.awsRegion);
  const open = (onOver: (error: Error) => void): Promise<GremlinConnection> =>
    openGremlinConnection({
      url: options.url,
      source,
      tls,
      user,
      password,
      headers: () => sign(url),
      connectTimeoutMs,
      pingIntervalMs,
      onOver,
    });
  return createGremlinPool({
    ...options,
    open,
    onConnected: () => dependency.connected(),
    onLost: (error) => dependency.lost(error),
    random: setup.random ?? Math.random,
  });
}

/** The AWS libraries are loaded only where something is to be signed. */
function lazySigner(setup: GremlinGraphSetup, region: string | undefined) {
  if (region === undefined) return async () => ({});
  const { clock, credentials } = setup;
  const signer = import('./sigv4.ts').then(({ createUpgradeSigner }) =>
    createUpgradeSigner({
      region,
      service: 'neptune-db',
      now: clock.now,
      ...(credentials === undefined ? {} : { credentials }),
    }),
  );
  signer.catch(() => undefined);
  return async (url: URL): Promise<Record<string, string>> => (await signer)(url);
}
