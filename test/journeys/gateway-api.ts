import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 20;
const pollTimeoutMs = 10_000;

/** A refused record, as `GET /v1/dead-letters` shows it. */
export interface DeadLetter {
  topic: string;
  /** The record's text, as far as it is kept. */
  record: string;
  code: string;
  message: string;
}

export interface IngestAnswer {
  taken: number;
  versions: { key: string; version: number }[];
  refused: { line: number; code: string; message: string }[];
}

/** What back ends and tokens are known by. */
export interface Keys {
  apiKey: string;
  tokenSecret: string;
}
export const newKeys = (): Keys => ({
  apiKey: randomBytes(24).toString('hex'),
  tokenSecret: randomBytes(24).toString('hex'),
});

/** A gateway's sockets and HTTP, as its users see them. */
export abstract class GatewayApi {
  readonly keys: Keys;
  /** Tokens of an hour, by user. */
  readonly #tokens = new Map<string, string>();
  abstract port: number;

  constructor(keys: Keys) {
    this.keys = keys;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get socketUrl(): string {
    return `ws://127.0.0.1:${this.port}/v1/socket`;
  }

  /** HS256, written out here so that the tests do not trust the gateway's own minting. */
  token(user: string, ttlS = 3600): string {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + ttlS;
    const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: user, exp })}`;
    return `${body}.${createHmac('sha256', this.keys.tokenSecret).update(body).digest('base64url')}`;
  }

  #tokenOf(user: string): string {
    const kept = this.#tokens.get(user) ?? this.token(user);
    this.#tokens.set(user, kept);
    return kept;
  }

  async ingest(topic: string, records: readonly object[]): Promise<IngestAnswer> {
    const body = records.map((record) => JSON.stringify(record)).join('\n');
    const response = await fetch(`${this.url}/v1/ingest/${topic}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.keys.apiKey}`, 'content-type': 'application/x-ndjson' },
      body,
    });
    if (response.status !== 200) throw new Error(`ingest: ${response.status} ${await response.text()}`);
    return (await response.json()) as IngestAnswer;
  }
  async get<Answer>(path: string, user: string): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      headers: { authorization: `Bearer ${this.#tokenOf(user)}` },
    });
    if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  }
  /** What became of a graph command, once that is known. */
  async command(id: string, user: string): Promise<{ state: string; code?: string; message?: string }> {
    const headers = { authorization: `Bearer ${this.#tokenOf(user)}` };
    for (const until = Date.now() + pollTimeoutMs; ; ) {
      const response = await fetch(`${this.url}/v1/commands/${id}`, { headers });
      const status = (await response.json()) as { state: string; code?: string; message?: string };
      // not found: the log has it, the worker has not come to it
      if ((response.status !== 404 && status.state !== 'pending') || Date.now() > until) return status;
      await delay(pollMs);
    }
  }
  /** Dead letters by the refused record's id, once those of all `ids` are there. */
  async deadLetters(ids: readonly string[]): Promise<Map<string, DeadLetter>> {
    const found = new Map<string, DeadLetter>();
    for (const until = Date.now() + pollTimeoutMs; ; ) {
      for (let from = 0; ; ) {
        const page = await this.#letters(from);
        for (const letter of page.items) found.set(idIn(letter.record), letter);
        if (page.items.length === 0) break;
        from = page.next;
      }
      if (ids.every((id) => found.has(id)) || Date.now() > until) return found;
      await delay(pollMs);
    }
  }
  async #letters(from: number): Promise<{ next: number; items: DeadLetter[] }> {
    const response = await fetch(`${this.url}/v1/dead-letters?from=${from}`, {
      headers: { authorization: `Bearer ${this.keys.apiKey}` },
    });
    if (response.status !== 200) throw new Error(`dead letters: ${response.status} ${await response.text()}`);
    return (await response.json()) as { next: number; items: DeadLetter[] };
  }
}

const idIn = (record: string): string => /"id":"([^"]+)"/.exec(record)?.[1] ?? '';
