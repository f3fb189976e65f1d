import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../config/main.js', import.meta.url));
/** A start that takes longer than this has hung. */
const startTimeoutMs = 30_000;

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

/**
 * The gateway as its users have it: a process of its own, seen through its command line, HTTP and sockets
 * only.
 */
export class Gateway {
  readonly apiKey = randomBytes(24).toString('hex');
  readonly tokenSecret = randomBytes(24).toString('hex');
  readonly data = mkdtempSync(join(tmpdir(), 'rankcast-'));
  readonly flags: readonly string[];
  port = 0;
  opsPort = 0;
  adapter = '';
  /** The last lines of its log, for failures. */
  log = '';
  readonly #keyFlags: readonly string[];
  #process: ChildProcess | null = null;
  /** Tokens of an hour, by user. */
  readonly #tokens = new Map<string, string>();

  /** `keyFlags`: in place of a shared secret for tokens. */
  constructor(flags: readonly string[] = [], keyFlags?: readonly string[]) {
    this.flags = flags;
    this.#keyFlags = keyFlags ?? ['--token-secret', this.tokenSecret];
  }

  /** Starts it (again, on the port it had, so that clients find it). */
  async start(): Promise<void> {
    const args = [
      main,
      'all',
      '--host',
      '127.0.0.1',
      '--port',
      String(this.port),
      '--ops-port',
      String(this.opsPort),
    ];
    args.push('--data', this.data, '--api-key', this.apiKey, ...this.#keyFlags);
    const child = spawn(process.execPath, [...args, ...this.flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.log = (this.log + text).slice(-20_000);
    });
    const line = await firstLine(child, () => this.log);
    const told = JSON.parse(line) as { port: number; opsPort: number; adapter: string };
    this.port = told.port;
    this.opsPort = told.opsPort;
    this.adapter = told.adapter;
  }

  get alive(): boolean {
    return this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null;
  }
  get pid(): number {
    return this.#process?.pid ?? 0;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get socketUrl(): string {
    return `ws://127.0.0.1:${this.port}/v1/socket`;
  }

  /** Sends a signal and waits for the end; answers the exit code (null when a signal ended it). */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#process;
    if (child === null || !this.alive) return null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill(signal);
    return await ended;
  }
  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.data, { recursive: true, force: true });
  }

  /** HS256, written out here so that the tests do not trust the gateway's own minting. */
  token(user: string, ttlS = 3600): string {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + ttlS;
    const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: user, exp })}`;
    return `${body}.${createHmac('sha256', this.tokenSecret).update(body).digest('base64url')}`;
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
      headers: { authorization: `Bearer ${this.apiKey}`, 'content-type': 'application/x-ndjson' },
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
      headers: { authorization: `Bearer ${this.apiKey}` },
    });
    if (response.status !== 200) throw new Error(`dead letters: ${response.status} ${await response.text()}`);
    return (await response.json()) as { next: number; items: DeadLetter[] };
  }
}

const idIn = (record: string): string => /"id":"([^"]+)"/.exec(record)?.[1] ?? '';

function firstLine(child: ChildProcess, log: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => fail('said nothing in time'), startTimeoutMs);
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`the gateway ${why}; its log ends:\n${log().slice(-3_000)}`));
    };
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const end = text.indexOf('\n');
      if (end < 0) return;
      clearTimeout(timer);
      resolve(text.slice(0, end));
    });
    child.once('exit', (code, signal) => fail(`ended with ${code ?? signal} before it was ready`));
  });
}
