import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { Registry } from 'prom-client';
import { createEmbeddedBus } from '../../channels/bus/bus.embedded.ts';
import type { Bus } from '../../channels/bus/bus.ts';
import { createManualClock, type ManualClock } from '../../channels/clock.manual.ts';
import {
  decodePageAnswer,
  decodeRanksAnswer,
  decodeWantAnswer,
  decodeWhoAnswer,
  encodeQuestion,
} from '../../channels/contest/message-codec.ts';
import {
  type PageAnswer,
  type Question,
  type RanksAnswer,
  rankerSubject,
  type WantAnswer,
  type WhoAnswer,
} from '../../channels/contest/messages.ts';
import { createEmbeddedLookup } from '../../channels/lookup/lookup.embedded.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import { createEmbeddedPages } from '../../channels/pages/pages.embedded.ts';
import type { Pages } from '../../channels/pages/pages.ts';
import { createEmbeddedRankedSets } from '../../channels/sets/ranked-sets.embedded.ts';
import type { RankedSets } from '../../channels/sets/ranked-sets.ts';
import { openEmbeddedStore } from '../../channels/store/store.embedded.ts';
import { recordKey } from '../../proto/parse-record.ts';
import type { ContestEvent } from '../../proto/records.ts';
import { createEmbeddedArchive } from '../archive/archive.embedded.ts';
import type { Archive } from '../archive/archive.ts';
import { createEmbeddedLog } from '../log/log.embedded.ts';
import type { Log, Place } from '../log/log.ts';
import { type DeadLetter, readDeadLetter } from '../source/dead-letters.ts';
import { createRanker, type Ranker, type RankerParts } from './ranker.ts';
import { type RankerOptions, rankerDefaults } from './ranker-options.ts';

/**
 * Rankers on the real embedded log, bus and lookup, each with a clock of its own that a test moves by hand.
 */
export interface RankerBed {
  log: Log;
  bus: Bus;
  lookup: Lookup;
  archive: Archive;
  /** Lets the log's waits before a retry go by. */
  retry(): Promise<void>;
  pages: Pages;
  sets: RankedSets;
  checkpointFolder: string;
  start(options?: Partial<RankerOptions>, parts?: Partial<RankerParts>): Promise<Running>;
  append(...records: ContestEvent[]): Promise<Place[]>;
  want(question: Partial<Omit<Extract<Question, { q: 'want' }>, 'q'>>): Promise<WantAnswer>;
  who(contest: string, users: string[]): Promise<WhoAnswer>;
  ranks(contest: string, entries: string[], minVersion?: number, waitMs?: number): Promise<RanksAnswer>;
  page(contest: string, page: number, minVersion?: number, waitMs?: number): Promise<PageAnswer>;
  letters(): Promise<DeadLetter[]>;
}
export interface Running {
  ranker: Ranker;
  clock: ManualClock;
  registry: Registry;
  /** Resolves when the version (of partition 0) is applied. */
  applied(version: number): Promise<void>;
  /** Drops it as a crash would: no last checkpoint, no goodbye. */
  kill(): Promise<void>;
}

export const startOfTime = 1_700_000_000_000;

/** Waits for what real files and transactions bring about; fails when it does not come. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = 'a condition',
): Promise<void> {
  for (let tries = 0; tries < 5_000; tries += 1) {
    if (await condition()) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 1));
  }
  assert.fail(`${what} did not come about`);
}

export async function withRankerBed(body: (bed: RankerBed) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-ranker-'));
  const store = openEmbeddedStore(folder);
  const clock = createManualClock(startOfTime);
  const onError = (error: unknown): never => {
    throw error;
  };
  const topics = {
    'contest-events': { partitions: 1, deleteOlderThanMs: 0 },
    'dead-letters': { partitions: 1, deleteOlderThanMs: 0 },
  };
  const log = createEmbeddedLog({ store, clock, topics, onError });
  const bus = createEmbeddedBus({ store, clock, newEpoch: () => 'e1', onError });
  const lookup = createEmbeddedLookup({ store, clock, onError });
  const pages = createEmbeddedPages({ store, clock, onError });
  const sets = createEmbeddedRankedSets({ store });
  const archive = createEmbeddedArchive({ store });
  const running: Running[] = [];
  const checkpointFolder = join(folder, 'checkpoints');

  const ask = async (question: Question): Promise<Uint8Array> => {
    // The bus's clock stands still: a question without an answer is asked again, as edges do.
    for (let tries = 0; tries < 1_000; tries += 1) {
      const answer = bus.ask(rankerSubject(0), encodeQuestion(question), 60_000);
      answer.catch(() => undefined);
      let done = false;
      const settle = (): void => {
        done = true;
      };
      answer.then(settle, settle);
      for (let turn = 0; turn < 400 && !done; turn += 1)
        await new Promise((resolve) => setTimeout(resolve, 1));
      if (done) return answer;
    }
    return assert.fail('no answer');
  };

  const bed: RankerBed = {
    log,
    bus,
    lookup,
    archive,
    retry: () => clock.advanceSettled(20_000),
    pages,
    sets,
    checkpointFolder,
    async start(options = {}, parts = {}) {
      const started = await startRanker(
        { log, bus, lookup, pages, sets, archive, ...parts },
        { ...rankerDefaults, checkpointFolder, archiveIntervalMs: 0, newcomerMs: 0, ...options },
      );
      running.push(started);
      return started;
    },
    append: (...records) =>
      log.append(
        'contest-events',
        records.map((record) => ({
          key: recordKey('contest-events', record),
          value: Buffer.from(JSON.stringify(record)),
        })),
      ),
    async want(question) {
      const whole = {
        edge: 'e1',
        leaseMs: 30_000,
        contests: [],
        matches: [],
        renewContests: [],
        renewMatches: [],
      };
      return decodeWantAnswer(await ask({ q: 'want', ...whole, ...question }));
    },
    who: async (contest, users) => decodeWhoAnswer(await ask({ q: 'who', contest, users })),
    ranks: async (contest, entries, minVersion = 0, waitMs = 0) =>
      decodeRanksAnswer(await ask({ q: 'ranks', contest, entries, minVersion, waitMs })),
    page: async (contest, page, minVersion = 0, waitMs = 0) =>
      decodePageAnswer(await ask({ q: 'page', contest, page, minVersion, waitMs })),
    letters: async () =>
      (await log.read('dead-letters', 0, 0, 10_000)).map((record) => readDeadLetter(record.value)),
  };
  try {
    await body(bed);
  } finally {
    for (const { ranker } of running) await ranker.close();
    await log.close();
    await bus.close();
    for (const port of [lookup, pages, sets, archive]) await port.close();
    await store.close();
    await rm(folder, { recursive: true });
  }
}

type Shared = Pick<RankerParts, 'log' | 'bus' | 'lookup' | 'pages' | 'sets' | 'archive'>;

async function startRanker(shared: Shared, options: RankerOptions): Promise<Running> {
  const clock = createManualClock(startOfTime);
  const registry = new Registry();
  const plug = createPlug(shared.log, shared.bus);
  const ranker = await createRanker({
    ...shared,
    log: plug.log,
    bus: plug.bus,
    clock,
    options,
    logger: pino({ level: process.env['LOG'] ?? 'silent' }),
    registry,
  });
  return {
    ranker,
    clock,
    registry,
    applied: (version) => until(() => (ranker.applied(0) ?? -1) >= version, `version ${version}`),
    kill: plug.pull,
  };
}

/** Cuts a ranker off from log and bus. */
function createPlug(log: Log, bus: Bus): { log: Log; bus: Bus; pull(): Promise<void> } {
  let pulled = false;
  const ends: (() => unknown)[] = [];
  const cut = (): void => {
    if (pulled) throw new Error('cut off');
  };
  return {
    async pull() {
      pulled = true;
      for (const end of ends.splice(0)) await end();
    },
    log: {
      ...log,
      async append(topic, records) {
        cut();
        return log.append(topic, records);
      },
      async consume(options) {
        const consumer = await log.consume({
          ...options,
          onBatch: async (batch) => (pulled ? undefined : options.onBatch(batch)),
          onRevoke: async (partition) => (pulled ? undefined : options.onRevoke(partition)),
        });
        ends.push(() => consumer.close());
        return consumer;
      },
    },
    bus: {
      ...bus,
      async publish(topic, bytes) {
        cut();
        return bus.publish(topic, bytes);
      },
      async subscribe(topic, onMessage) {
        const end = await bus.subscribe(topic, onMessage);
        ends.push(end);
        return end;
      },
      async answer(subject, handler) {
        const end = await bus.answer(subject, handler);
        ends.push(end);
        return end;
      },
    },
  };
}

/** Records with ids and times that rise. */
export function createRecords() {
  let made = 0;
  const head = (): { id: string; at: number } => {
    made += 1;
    return { id: `r${made}`, at: startOfTime + made };
  };
  const players = Array.from({ length: 22 }, (_, i) => `p${i}`);
  return {
    players,
    match: (match: string): ContestEvent => ({
      type: 'match',
      ...head(),
      match,
      players,
      startsAt: startOfTime + 1_000_000,
      pointStep: 1,
    }),
    contest: (contest: string, match: string): ContestEvent => ({
      type: 'contest',
      ...head(),
      contest,
      kind: 'fantasy',
      match,
    }),
    scoresContest: (contest: string): ContestEvent => ({
      type: 'contest',
      ...head(),
      contest,
      kind: 'scores',
    }),
    /** Entries `<prefix><from>`.. of users `u<n>`; the team of the n-th begins with player n. */
    entries: (match: string, contests: string[], from: number, to: number, prefix = 'e'): ContestEvent => ({
      type: 'entries',
      ...head(),
      match,
      entries: Array.from({ length: to - from }, (_, i) => {
        const team = players.map((_, k) => players[(from + i + k) % 22]!).slice(0, 11);
        const n = from + i;
        const [captain, viceCaptain] = team;
        return {
          entry: `${prefix}${n}`,
          user: `u${n}`,
          contests,
          players: team,
          captain: captain!,
          viceCaptain: viceCaptain!,
        };
      }),
    }),
    points: (match: string, player: number, points: number): ContestEvent => ({
      type: 'points',
      ...head(),
      match,
      player: `p${player}`,
      points,
    }),
    scoreEntries: (contest: string, names: string[]): ContestEvent => ({
      type: 'entries',
      ...head(),
      contest,
      entries: names.map((entry) => ({ entry, user: `u-${entry}`, contests: [contest] })),
    }),
    score: (contest: string, entry: string, score: number): ContestEvent => ({
      type: 'score',
      ...head(),
      contest,
      entry,
      score,
    }),
    final: (match: string): ContestEvent => ({ type: 'final', ...head(), match }),
    finalContest: (contest: string): ContestEvent => ({ type: 'final', ...head(), contest }),
  };
}
