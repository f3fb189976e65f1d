/** Reads over HTTP, as this user: pages of a leaderboard, ranks of any entries. */
import type { Clock } from './clock.ts';
import type { FetchLike } from './options.ts';
import { isCodeName, RankcastError } from './rankcast-error.ts';
import type { Tokens } from './tokens.ts';

export interface LeaderboardPage {
  version: number;
  total: number;
  /** Points that one unit of score is worth. */
  scoreStep: number;
  /** Up to 500, in the leaderboard's order. */
  rows: { rank: number; entry: string; score: number }[];
}
export interface RanksAnswer {
  /** As of which these are exact. */
  version: number;
  /** Newest version applied where it was answered. */
  appliedVersion: number;
  scoreStep: number;
  /** Those found, in the order asked; null score and rank: not in the contest. */
  ranks: { entry: string; score: number | null; rank: number | null }[];
}
export interface ReadOptions {
  /** The answer waits up to 2 s until this version is applied, else `version_timeout`. */
  minVersion?: number;
}
export interface HttpSettings {
  url: string;
  tokens: Tokens;
  fetch: FetchLike | undefined;
  clock: Clock;
  requestTimeoutMs: number;
}

export class Http {
  readonly #settings: HttpSettings;
  readonly #underWay = new Set<AbortController>();

  constructor(settings: HttpSettings) {
    this.#settings = settings;
  }

  /** Page 0 is the first 500 rows. */
  async page(contest: string, page: number, options: ReadOptions): Promise<LeaderboardPage> {
    const query = new URLSearchParams({ page: String(page) });
    const answer = (await this.#get(contest, 'leaderboard', query, options)) as Omit<
      LeaderboardPage,
      'rows'
    > & {
      rows: [number, string, number][];
    };
    return { ...answer, rows: answer.rows.map(([rank, entry, score]) => ({ rank, entry, score })) };
  }

  async ranks(contest: string, entries: readonly string[], options: ReadOptions): Promise<RanksAnswer> {
    const query = new URLSearchParams(entries.map((entry) => ['entry', entry]));
    return (await this.#get(contest, 'ranks', query, options)) as RanksAnswer;
  }

  /** Ends all that is under way. */
  close(): void {
    for (const abort of this.#underWay) abort.abort();
  }

  async #get(contest: string, what: string, query: URLSearchParams, options: ReadOptions): Promise<unknown> {
    if (options.minVersion !== undefined) query.set('minVersion', String(options.minVersion));
    const url = `${this.#settings.url}/v1/contests/${encodeURIComponent(contest)}/${what}?${query}`;
    const { tokens } = this.#settings;
    const token = await tokens.get();
    const first = await this.#ask(url, token);
    // a kept token may have run out or been revoked since: one more try with a new one
    const { status, body } =
      first.status === 401 && tokens.renewable ? await this.#ask(url, await tokens.renew()) : first;
    if (status !== 200) throw errorOf(status, body, url);
    return body;
  }

  async #ask(url: string, token: string): Promise<{ status: number; body: unknown }> {
    const { clock, requestTimeoutMs } = this.#settings;
    const fetch = this.#settings.fetch;
    if (fetch === undefined) {
      throw new RankcastError('unsupported', 'This platform has no fetch: pass one as the option `fetch`.');
    }
    const abort = new AbortController();
    this.#underWay.add(abort);
    const cancel = clock.after(requestTimeoutMs, () => abort.abort());
    try {
      const answer = await fetch(url, {
        headers: { authorization: `Bearer ${token}` },
        signal: abort.signal,
      });
      return { status: answer.status, body: await answer.json() };
    } catch (cause) {
      if (abort.signal.aborted) {
        throw new RankcastError(
          'no_answer',
          `No answer from ${url} within ${requestTimeoutMs} ms.`,
          null,
          cause,
        );
      }
      throw new RankcastError('unreachable', `${url}: ${String(cause)}`, null, cause);
    } finally {
      cancel();
      this.#underWay.delete(abort);
    }
  }
}

function errorOf(status: number, body: unknown, url: string): RankcastError {
  const error = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  if (!isCodeName(error?.code)) return new RankcastError('bad_answer', `${url} answered ${status}.`);
  return new RankcastError(error.code, String(error.message));
}
