/**
 * The HTTP interface on the real embedded engines, with a ranker played by the test. For the tests beside it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createEmbeddedBus } from '../../channels/bus/bus.embedded.ts';
import type { Bus } from '../../channels/bus/bus.ts';
import { createManualClock, type ManualClock } from '../../channels/clock.manual.ts';
import { decodeQuestion, encodePageAnswer, encodeRanksAnswer } from '../../channels/contest/message-codec.ts';
import { type ContestPlace, rankerSubject } from '../../channels/contest/messages.ts';
import { createEmbeddedLookup } from '../../channels/lookup/lookup.embedded.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import { createEmbeddedPages } from '../../channels/pages/pages.embedded.ts';
import type { Pages } from '../../channels/pages/pages.ts';
import { shownAffinity } from '../../channels/sets/affinity.ts';
import { createEmbeddedRankedSets } from '../../channels/sets/ranked-sets.embedded.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { createEmbeddedArchive } from '../../workers/archive/archive.embedded.ts';
import type { Archive } from '../../workers/archive/archive.ts';
import { createEmbeddedLog } from '../../workers/log/log.embedded.ts';
import type { Log } from '../../workers/log/log.ts';
import { logTopics } from '../../workers/log/topics.ts';
import { createIngest, ingestDefaults } from '../../workers/source/ingest.ts';
import { originTest } from '../admission.ts';
import type { HttpRequest } from '../sockets/sockets.ts';
import { mintToken } from '../verifier/mint-token.ts';
import { createVerifier } from '../verifier/verifier.jose.ts';
import { verifierDefaults } from '../verifier/verifier-options.ts';
import {
  createHttpApi,
  type HttpApi,
  type HttpApiOptions,
  type HttpApiParts,
  httpApiDefaults,
} from './http-api.ts';

export const secret = 'the secret of the HTTP tests, long enough';
export const apiKey = 'the-first-key-of-back-ends-in-tests';
export const secondKey = 'the-second-key-while-they-are-changed';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}
export interface Bench {
  api: HttpApi;
  bus: Bus;
  lookup: Lookup;
  sets: RankedSets;
  pages: Pages;
  archive: Archive;
  log: Log;
  clock: ManualClock;
  disconnected: string[];
  token: string;
  tokenOf(user: string): Promise<string>;
  /** `authorization` is the whole header; by default the token of u1. */
  ask(
    method: string,
    url: string,
    asked?: { headers?: Record<string, string>; body?: string },
  ): Promise<Answer>;
  /** As a back end. */
  tell(method: string, url: string, body?: string): Promise<Answer>;
}

export const place: ContestPlace = { partition: 1, kind: 'fantasy', match: 'm1', epoch: 'e1' };

export async function withApi(
  body: (bench: Bench) => Promise<void>,
  changes: Partial<HttpApiOptions> = {},
  parts: Partial<HttpApiParts> = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-http-'));
  const store = openEmbeddedStore(folder);
  const clock = createManualClock();
  const onError = (error: unknown): never => {
    throw error;
  };
  const logger = pino({ level: 'silent' });
  const registry = new Registry();
  const bus = createEmbeddedBus({ store, clock, newEpoch: () => 'b1', onError });
  const lookup = createEmbeddedLookup({ store, clock, onError });
  const sets = createEmbeddedRankedSets({ store });
  const pages = createEmbeddedPages({ store, clock, onError });
  const archive = createEmbeddedArchive({ store });
  const log = createEmbeddedLog({ store, clock, topics: logTopics, onError });
  const verifier = createVerifier({ options: { ...verifierDefaults, tokenSecret: secret }, clock, logger });
  const disconnected: string[] = [];
  let ids = 0;
  const api = createHttpApi({
    bus,
    lookup,
    sets,
    pages,
    archive,
    ingest: createIngest({ log, clock, options: ingestDefaults, logger, registry }),
    live: {
      disconnectUser: async (user) => {
        disconnected.push(user);
      },
      channelInfo: async (channel) => ({
        ...{ channel, kind: 'log', subscribers: 2, epoch: null, position: null },
        ...{ edges: 1, silentEdges: 0 },
      }),
    },
    verifier,
    clock,
    options: { ...httpApiDefaults, apiKeys: [apiKey, secondKey], ...changes },
    logger,
    registry,
    originAllowed: originTest(['https://app.example']),
    shownAffinity,
    newId: () => `k${++ids}`,
    ...parts,
  });
  const tokenOf = (user: string) => mintToken({ secret, user, ttlMs: 3_600_000, nowMs: clock.now() });
  const token = await tokenOf('u1');
  const ask: Bench['ask'] = async (method, url, asked = {}) => {
    const authorization = `Bearer ${token}`;
    const request = requestOf(method, url, { authorization, ...asked.headers }, asked.body ?? '');
    const { status, headers, body: answer } = await api.handle(request);
    const text = typeof answer === 'string' ? answer : Buffer.from(answer).toString();
    return { status, headers, body: text === '' ? null : (JSON.parse(text) as unknown) };
  };
  const tell: Bench['tell'] = (method, url, text = '') =>
    ask(method, url, { headers: { authorization: `Bearer ${apiKey}` }, body: text });
  try {
    await body({
      api,
      bus,
      lookup,
      sets,
      pages,
      archive,
      log,
      clock,
      disconnected,
      token,
      tokenOf,
      ask,
      tell,
    });
  } finally {
    await bus.close();
    await lookup.close();
    await sets.close();
    await pages.close();
    await archive.close();
    await log.close();
    await store.close();
    await rm(folder, { recursive: true });
  }
}

function requestOf(method: string, url: string, given: Record<string, string>, body: string): HttpRequest {
  const [path = '', query = ''] = url.split('?');
  const headers = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
  const bytes = new TextEncoder().encode(body);
  return {
    method,
    path,
    query: new URLSearchParams(query),
    headers,
    address: '127.0.0.1',
    body: async () => bytes,
  };
}

export interface PlayedRanker {
  version: number;
  asked: number;
  /** Answers wait for this. */
  hold: Promise<void>;
  stop(): void;
}

/** A ranker of contest c1: two entries; c2 has been let go of. Waits for a version as a real one would. */
export async function playRanker({ bus, clock }: Bench, version: number): Promise<PlayedRanker> {
  const ranker: PlayedRanker = { version, asked: 0, hold: Promise.resolve(), stop: () => {} };
  ranker.stop = await bus.answer(rankerSubject(place.partition), async (bytes) => {
    const question = decodeQuestion(bytes);
    if (question.q !== 'page' && question.q !== 'ranks') return null;
    ranker.asked += 1;
    await ranker.hold;
    const until = clock.now() + question.waitMs;
    while (ranker.version < question.minVersion && clock.now() < until) {
      await new Promise<void>((resolve) => clock.after(100, resolve));
    }
    const late = ranker.version < question.minVersion;
    const outcome = late ? 'timeout' : question.contest === 'c1' ? 'ok' : 'unknown';
    const head = { outcome, version: ranker.version, scoreStep: 0.5 } as const;
    if (question.q === 'page') {
      const rows: [number, string, number][] =
        question.page === 0
          ? [
              [1, 'e1', 71],
              [2, 'e2', 64],
            ]
          : [];
      return encodePageAnswer({ ...head, total: 2, rows });
    }
    const known = new Map<string, [number, number]>([
      ['e1', [71, 1]],
      ['e2', [64, 2]],
    ]);
    const ranks = question.entries.map((entry) => known.get(entry) ?? null);
    return encodeRanksAnswer({ ...head, appliedVersion: ranker.version + 1, ranks });
  });
  return ranker;
}

export function putPlace(lookup: Lookup, contest: string): Promise<void> {
  return lookup.put(`contest_${contest}`, 0, Buffer.from(JSON.stringify(place)), 0);
}

export function errorOf({ body }: Answer): { code: string; message: string } {
  return (body as { error: { code: string; message: string } }).error;
}
