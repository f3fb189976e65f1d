/**
 * Leaderboards and ranks of entries, asked of the contest's ranker over the bus. What no ranker answers is
 * served from the page it last left behind, marked stale; what is final and gone from its memory, and
 * versions asked for by number, from the archive.
 */
import type { Bus } from '../../channels/bus/bus.ts';
import type { Clock } from '../../channels/clock.ts';
import { decodePageAnswer, decodeRanksAnswer, encodeQuestion } from '../../channels/contest/message-codec.ts';
import {
  type ContestPlace,
  type PageAnswer,
  type RanksAnswer,
  rankerSubject,
} from '../../channels/contest/messages.ts';
import type { Lookup } from '../../channels/lookup/lookup.ts';
import type { Pages } from '../../channels/pages/pages.ts';
import { ClientError, ServiceError } from '../../proto/codes.ts';
import { limits } from '../../proto/limits.ts';
import type { HttpResponse } from '../sockets/sockets.ts';
import {
  type ContestArchive,
  createContestArchive,
  type HttpArchive,
  type RanksBody,
  unknownContest,
} from './contest-archive.ts';
import { jsonAnswer } from './http-error.ts';
import { checkId, ids, wholeNumber } from './query.ts';
import type { Call, Route } from './router.ts';
import type { SingleFlight } from './single-flight.ts';

export interface ContestReadsOptions {
  askTimeoutMs: number;
  minVersionWaitMs: number;
  placePollMs: number;
}
export const contestReadsDefaults: ContestReadsOptions = {
  // A ranker answers within a tick; one that takes longer is taken for gone, and the kept page serves.
  askTimeoutMs: 500,
  // Part of the interface: a caller that waits for its own write gets 504 after this.
  minVersionWaitMs: 2_000,
  // First pause while waiting for a contest that was created a moment ago; doubles three times, so that a
  // name that nobody creates costs a dozen reads.
  placePollMs: 25,
};

export interface ContestReadsParts {
  bus: Bus;
  lookup: Lookup;
  pages: Pages;
  archive: HttpArchive;
  clock: Clock;
  options: ContestReadsOptions;
  singleFlight: SingleFlight;
}

/** Entries in one request for ranks. */
const ranksMax = 500;
/** Ten billion rows. */
const pageMax = 20_000_000;
/** Archived versions in one answer: an evening at one a minute. */
const versionsMax = 500;

type Reads = Omit<ContestReadsParts, 'archive'> & { archive: ContestArchive };

export function contestRoutes(setup: ContestReadsParts): Route[] {
  const { singleFlight } = setup;
  const exists = async (contest: string) => (await keptPlace(setup.lookup, contest)) !== null;
  const parts: Reads = { ...setup, archive: createContestArchive(setup.archive, exists) };

  async function leaderboard({ request, params }: Call): Promise<HttpResponse> {
    const contest = checkId('contest', params['contest'] ?? '');
    const { query } = request;
    const page = wholeNumber(query, 'page', { min: 0, max: pageMax, fallback: 0 });
    const minVersion = minVersionOf(query);
    if (query.has('version')) {
      refuse(query, 'minVersion', 'is not taken beside `version`.');
      const version = wholeNumber(query, 'version', { min: 0, max: limits.integerMax, fallback: 0 });
      return singleFlight(`archived ${contest} ${page} ${version}`, () =>
        parts.archive.page(contest, version, page),
      );
    }
    return singleFlight(`page ${contest} ${page} ${minVersion}`, () =>
      readPage(parts, contest, page, minVersion),
    );
  }

  async function ranks({ request, params }: Call): Promise<HttpResponse> {
    const contest = checkId('contest', params['contest'] ?? '');
    const entries = ids(request.query, 'entry', ranksMax);
    const minVersion = minVersionOf(request.query);
    refuse(request.query, 'version', 'is not taken: ranks are of the newest version.');
    return singleFlight(`ranks ${contest} ${minVersion} ${entries.join(' ')}`, () =>
      readRanks(parts, contest, entries, minVersion),
    );
  }

  async function versions({ request, params }: Call): Promise<HttpResponse> {
    const contest = checkId('contest', params['contest'] ?? '');
    const { query } = request;
    const limit = wholeNumber(query, 'limit', { min: 1, max: versionsMax, fallback: 50 });
    const before = query.has('before')
      ? wholeNumber(query, 'before', { min: 0, max: limits.integerMax, fallback: 0 })
      : null;
    return singleFlight(`versions ${contest} ${limit} ${before}`, () =>
      parts.archive.versions(contest, limit, before),
    );
  }

  return [
    { method: 'GET', path: '/v1/contests/{contest}/leaderboard', caller: 'token', handle: leaderboard },
    { method: 'GET', path: '/v1/contests/{contest}/versions', caller: 'token', handle: versions },
    { method: 'GET', path: '/v1/contests/{contest}/ranks', caller: 'token', handle: ranks },
  ];
}

function minVersionOf(query: URLSearchParams): number {
  return wholeNumber(query, 'minVersion', { min: 0, max: limits.integerMax, fallback: 0 });
}

/** Better than an answer of another version than the one meant. */
function refuse(query: URLSearchParams, name: string, why: string): void {
  if (query.has(name)) throw new ClientError('bad_request', `\`${name}\` ${why}`);
}

async function readPage(
  parts: Reads,
  contest: string,
  page: number,
  minVersion: number,
): Promise<HttpResponse> {
  const until = parts.clock.now() + parts.options.minVersionWaitMs;
  const place = await findPlace(parts, contest, minVersion, until);
  if (place === null) return finalPage(parts, contest, page, minVersion, unknownContest(contest));
  let answer: PageAnswer;
  try {
    const question = (waitMs: number) => encodeQuestion({ q: 'page', contest, page, minVersion, waitMs });
    answer = decodePageAnswer(await ask(parts, place, question, minVersion, until));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return keptPage(parts, contest, place, page, minVersion, error);
  }
  if (answer.outcome === 'timeout') throw versionTimeout(minVersion, answer.version);
  // The ranker has let go of it: final for an hour.
  if (answer.outcome === 'unknown') return keptPage(parts, contest, place, page, minVersion, null);
  return jsonAnswer(pageBody(answer));
}

function pageBody({ version, total, scoreStep, rows }: PageAnswer) {
  return { version, total, scoreStep, rows };
}

/** The page last left behind; `why` null: nobody failed, the contest is over and gone from memory. */
async function keptPage(
  parts: Reads,
  contest: string,
  place: ContestPlace,
  page: number,
  minVersion: number,
  why: ServiceError | null,
): Promise<HttpResponse> {
  const kept = await parts.pages.get(contest, page);
  if (kept === null || kept.epoch !== place.epoch) {
    const message = `No ranker answers for contest ${contest}, and no page of it is kept.`;
    const otherwise = why === null ? unknownContest(contest) : new ServiceError(message, true, why);
    return finalPage(parts, contest, page, minVersion, otherwise);
  }
  if (kept.version < minVersion) throw versionTimeout(minVersion, kept.version);
  const answer = decodePageAnswer(kept.bytes);
  return jsonAnswer(why === null ? pageBody(answer) : { ...pageBody(answer), stale: true });
}

/** A page of the final board that the archive has; fails with `otherwise` where it has none. */
async function finalPage(
  parts: Reads,
  contest: string,
  page: number,
  minVersion: number,
  otherwise: Error,
): Promise<HttpResponse> {
  const board = await parts.archive.final(contest);
  if (board === null) throw otherwise;
  if (board.version < minVersion) throw versionTimeout(minVersion, board.version);
  const answer = await parts.archive.page(contest, board.version, page);
  const headers = { ...answer.headers, 'cache-control': 'no-store' };
  if (!(otherwise instanceof ServiceError)) return { ...answer, headers };
  const body = typeof answer.body === 'string' ? answer.body : Buffer.from(answer.body).toString();
  return { ...answer, headers, body: JSON.stringify({ ...JSON.parse(body), stale: true }) };
}

async function finalRanks(
  parts: Reads,
  contest: string,
  entries: string[],
  minVersion: number,
  otherwise: Error,
): Promise<HttpResponse> {
  const board = await parts.archive.final(contest);
  if (board === null) throw otherwise;
  if (board.version < minVersion) throw versionTimeout(minVersion, board.version);
  const ranks = await parts.archive.ranks(board, entries);
  return jsonAnswer(otherwise instanceof ServiceError ? { ...ranks, stale: true } : ranks);
}

async function readRanks(
  parts: Reads,
  contest: string,
  entries: string[],
  minVersion: number,
): Promise<HttpResponse> {
  const until = parts.clock.now() + parts.options.minVersionWaitMs;
  const place = await findPlace(parts, contest, minVersion, until);
  const otherwise = (error: Error) => finalRanks(parts, contest, entries, minVersion, error);
  if (place === null) return otherwise(unknownContest(contest));
  const question = (waitMs: number) => encodeQuestion({ q: 'ranks', contest, entries, minVersion, waitMs });
  let answer: RanksAnswer;
  try {
    answer = decodeRanksAnswer(await ask(parts, place, question, minVersion, until));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return otherwise(error);
  }
  if (answer.outcome === 'timeout') throw versionTimeout(minVersion, answer.appliedVersion);
  if (answer.outcome === 'unknown') return otherwise(unknownContest(contest));
  const { version, appliedVersion, scoreStep } = answer;
  const ranks: RanksBody['ranks'] = [];
  answer.ranks.forEach((found, i) => {
    const entry = entries[i];
    if (found !== null && entry !== undefined) ranks.push({ entry, score: found[0], rank: found[1] });
  });
  return jsonAnswer({ version, appliedVersion, scoreStep, ranks });
}

/**
 * Asks the ranker. A caller who waits for a version has until `until`: a question that a busy ranker
 * dropped is asked again. Without a version there is one try, and what is kept answers.
 */
async function ask(
  parts: Reads,
  place: ContestPlace,
  question: (waitMs: number) => Uint8Array,
  minVersion: number,
  until: number,
): Promise<Uint8Array> {
  const { bus, clock, options } = parts;
  for (;;) {
    const left = minVersion > 0 ? Math.max(0, until - clock.now()) : 0;
    // The last try lasts until the ranker itself says that the time is over.
    const last = left <= 2 * options.askTimeoutMs;
    const deadlineMs = last ? left + options.askTimeoutMs : 2 * options.askTimeoutMs;
    try {
      return await bus.ask(rankerSubject(place.partition), question(left), deadlineMs);
    } catch (error) {
      if (!(error instanceof ServiceError) || clock.now() >= until || minVersion === 0) throw error;
    }
  }
}

async function keptPlace(lookup: Lookup, contest: string): Promise<ContestPlace | null> {
  const [bytes] = await lookup.get([`contest_${contest}`]);
  return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as ContestPlace) : null;
}

/**
 * Where a contest lives. One that is not known is answered so at once (null), unless the caller waits for a
 * version: then its creation may be what is on its way.
 */
async function findPlace(
  parts: Reads,
  contest: string,
  minVersion: number,
  until: number,
): Promise<ContestPlace | null> {
  const { lookup, clock, options } = parts;
  for (let pollMs = options.placePollMs; ; pollMs = Math.min(2 * pollMs, 8 * options.placePollMs)) {
    const place = await keptPlace(lookup, contest);
    if (place !== null || minVersion === 0) return place;
    const left = until - clock.now();
    if (left <= 0) {
      const message = `Contest ${contest} has not been created by what rankers have applied within 2 s.`;
      throw new ClientError('version_timeout', message);
    }
    await new Promise<void>((resolve) => clock.after(Math.min(pollMs, left), resolve));
  }
}

function versionTimeout(minVersion: number, version: number): ClientError {
  const message = `Version ${minVersion} was not reached within 2 s: the newest is ${version}.`;
  return new ClientError('version_timeout', message);
}
