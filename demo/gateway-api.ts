/** What the demo asks of the gateway over HTTP: records in, follows. */
import type { Clock } from '../client/clock.ts';
import type { ContestEvent } from '../proto/records.ts';
import { pause } from './pause.ts';
import type { Post } from './replay-into.ts';

export interface PostOptions {
  /** `http://host:port`. */
  url: string;
  apiKey: string;
  clock: Clock;
  fetch?: typeof fetch;
  /** Ends waiting between tries. */
  signal?: AbortSignal;
  triesMax?: number;
  retryMs?: number;
}
const postDefaults = {
  /** With waits that double from `retryMs`: about half a minute, a restart of the gateway. */
  triesMax: 8,
  retryMs: 250,
} as const;

/** The gateway did not take a record, and will not. */
export class RefusedError extends Error {}

interface IngestAnswer {
  taken: number;
  refused: { line: number; code: string; message: string }[];
}

/**
 * Posts records to `contest-events`. Tries again while the gateway is away or overloaded (records may be
 * repeated harmlessly); rejects with a sentence when a record is refused or the tries are used up.
 */
export function createPost(options: PostOptions): Post {
  const triesMax = options.triesMax ?? postDefaults.triesMax;
  const retryMs = options.retryMs ?? postDefaults.retryMs;
  return async (records) => {
    const body = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    for (let tries = 1; ; tries++) {
      const problem = await postOnce(options, body, records);
      if (problem === null) return;
      if (tries === triesMax || options.signal?.aborted) throw new Error(problem);
      await pause(retryMs * 2 ** (tries - 1), options.clock, options.signal);
    }
  };
}

/** null: done. A sentence: worth another try. Throws when it is not. */
async function postOnce(options: PostOptions, body: string, records: ContestEvent[]): Promise<string | null> {
  const request = options.fetch ?? fetch;
  const url = `${options.url}/v1/ingest/contest-events`;
  const headers = { authorization: `Bearer ${options.apiKey}`, 'content-type': 'application/x-ndjson' };
  let status: number;
  let text: string;
  try {
    const answer = await request(url, { method: 'POST', headers, body, ...signalOf(options.signal) });
    status = answer.status;
    text = await answer.text();
  } catch (error) {
    const cause = (error as Error).cause;
    return `${url} cannot be reached: ${cause instanceof Error ? cause.message : (error as Error).message}`;
  }
  if (status === 429 || status >= 500) return `${url} answered ${status}: ${text}`;
  if (status !== 200) throw new Error(`${url} answered ${status}: ${text}`);
  const { refused } = JSON.parse(text) as IngestAnswer;
  const [first] = refused;
  if (first === undefined) return null;
  const id = records[first.line - 1]?.id ?? '?';
  throw new RefusedError(`${refused.length} records refused, first ${id} (${first.code}): ${first.message}`);
}

export interface FollowOptions {
  url: string;
  /** Mints a token of the user. */
  tokenOf(user: string): Promise<string>;
  fetch?: typeof fetch;
  signal?: AbortSignal;
}

/** Makes one user follow another as an app would: with the user's own token. Rejects with a sentence. */
export async function putFollow(options: FollowOptions, from: string, to: string): Promise<void> {
  const request = options.fetch ?? fetch;
  const url = `${options.url}/v1/users/${from}/following/${to}`;
  const headers = { authorization: `Bearer ${await options.tokenOf(from)}` };
  const answer = await request(url, { method: 'PUT', headers, ...signalOf(options.signal) });
  const text = await answer.text();
  if (answer.status !== 202) throw new Error(`${url} answered ${answer.status}: ${text}`);
}

function signalOf(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
