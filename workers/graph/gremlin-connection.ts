import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Bytecode } from 'gremlin';
import { WebSocket } from 'ws';
import type { TlsMaterial } from '../../channels/dependency/tls-files.ts';
import { serverFault } from './gremlin-faults.ts';
import { connectTcp, overTcp } from './gremlin-socket.ts';
import { probe } from './gremlin-traversals.ts';
import {
  type Answer,
  answerCodes,
  decodeAnswer,
  encodeCredentials,
  encodeTraversal,
} from './gremlin-wire.ts';

/**
 * One WebSocket to a Gremlin server, any number of requests at a time. The client library's own connection is
 * not used: it takes no client certificate or server name, waits for an answer for ever, and ends the process
 * when a server resets a refused upgrade or sends what cannot be decoded.
 */
export interface GremlinConnection {
  /**
   * What comes out at the traversal's end. Rejects with a GremlinFault that the server answered; with an
   * Unanswered when the connection was lost, or nothing came in time: then it is given up, since the server's
   * own limit, which is a little shorter, should have been heard of.
   */
  submit(bytecode: Bytecode, timeoutMs: number): Promise<unknown[]>;
  /** Requests under way. */
  load(): number;
  /** No longer open, or to be replaced: send nothing more. */
  isOver(): boolean;
  /** Finishes what is under way, then closes. */
  retire(): void;
  /** Closes now; what is under way rejects. */
  end(): void;
}

/** A request that was sent and not answered: it may have been carried out, or be so yet. */
export class Unanswered extends Error {
  /** When the server has given up on it by its own limit; of performance.now(). */
  readonly overAt: number;
  constructor(cause: Error, overAt: number) {
    super(cause.message, { cause });
    this.name = 'Unanswered';
    this.overAt = overAt;
  }
}

export interface GremlinConnectionSetup {
  url: string;
  /** The name that the server knows the graph by. */
  source: string;
  tls: TlsMaterial | undefined;
  user: string | undefined;
  password: string | undefined;
  /** Headers of the upgrade, made for each. */
  headers(): Promise<Record<string, string>>;
  connectTimeoutMs: number;
  /** How often it is asked for a sign of life; without one by the next time it is given up. */
  pingIntervalMs: number;
  /** Called once, when it is over. */
  onOver(error: Error): void;
}

/** The longest answer taken, in bytes: a page of a list is far below. */
const answerBytesMax = 64 * 1024 * 1024;
/** The server's limit ends this much before ours, so that its answer says so. */
const serverMarginMs = 250;

/** Resolves once a traversal was answered: the server takes the credentials and knows the graph. */
export async function openGremlinConnection(setup: GremlinConnectionSetup): Promise<GremlinConnection> {
  const startedAt = performance.now();
  const leftMs = () => Math.max(setup.connectTimeoutMs - (performance.now() - startedAt), 2 * serverMarginMs);
  const headers = await within(setup.headers(), leftMs(), 'credentials did not come');
  const tcp = await connectTcp(new URL(setup.url), leftMs());
  const socket = new WebSocket(setup.url, {
    ...setup.tls,
    createConnection: overTcp(tcp, setup),
    headers,
    maxPayload: answerBytesMax,
    perMessageDeflate: false,
    followRedirects: false,
  });
  try {
    await within(opened(socket), leftMs(), 'the upgrade was not answered');
  } catch (error) {
    socket.terminate();
    tcp.destroy();
    throw error;
  }
  const connection = new Connection(tcp, socket, setup);
  try {
    await connection.submit(probe(), leftMs());
  } catch (error) {
    connection.end();
    throw error;
  }
  return connection;
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays for good: an 'error' that nobody hears would end the process.
    socket.on('error', reject);
    socket.once('open', resolve);
    socket.once('close', () => reject(new Error('the connection is closed')));
  });
}

interface Request {
  rows: unknown[];
  overAt: number;
  timer: NodeJS.Timeout;
  resolve(rows: unknown[]): void;
  reject(error: Error): void;
}

class Connection implements GremlinConnection {
  readonly #tcp: Socket;
  readonly #socket: WebSocket;
  readonly #setup: GremlinConnectionSetup;
  readonly #requests = new Map<string, Request>();
  readonly #pings: NodeJS.Timeout;
  #isOver = false;
  #isRetired = false;
  #isSilent = false;

  constructor(tcp: Socket, socket: WebSocket, setup: GremlinConnectionSetup) {
    this.#tcp = tcp;
    this.#socket = socket;
    this.#setup = setup;
    this.#pings = setInterval(() => this.#ping(), setup.pingIntervalMs);
    this.#pings.unref();
    socket.on('message', (data, isBinary) => this.#hear(data as Buffer, isBinary));
    socket.on('pong', () => {
      this.#isSilent = false;
    });
    socket.on('error', (error) => this.#over(error));
    socket.on('close', (code) => this.#over(new Error(`the connection is closed (${code})`)));
  }

  submit(bytecode: Bytecode, timeoutMs: number): Promise<unknown[]> {
    if (this.#isOver) return Promise.reject(new Error('the connection is closed'));
    const id = randomUUID();
    const serverMs = Math.max(1, Math.floor(timeoutMs - serverMarginMs));
    const bytes = encodeTraversal(id, bytecode, this.#setup.source, serverMs);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#over(new Error('it timed out')), timeoutMs);
      const overAt = performance.now() + timeoutMs;
      this.#requests.set(id, { rows: [], overAt, timer, resolve, reject });
      this.#socket.send(bytes, (error) => {
        if (error) this.#over(error);
      });
    });
  }

  load(): number {
    return this.#requests.size;
  }

  isOver(): boolean {
    return this.#isOver || this.#isRetired;
  }

  retire(): void {
    this.#isRetired = true;
    if (this.#requests.size === 0) this.end();
  }

  end(): void {
    this.#over(new Error('the connection is closed'));
  }

  #hear(data: Buffer, isBinary: boolean): void {
    this.#isSilent = false;
    let answer: Answer;
    try {
      if (!isBinary) throw new Error('it answered with text');
      answer = decodeAnswer(data);
    } catch (error) {
      this.#over(new Error('it answered with what is no GraphBinary', { cause: error }));
      return;
    }
    this.#take(answer);
  }

  #take({ requestId, code, message, rows }: Answer): void {
    if (requestId === null) {
      // It could not even read whose request it was.
      this.#over(serverFault(code, message));
      return;
    }
    const request = this.#requests.get(requestId);
    if (request === undefined) return;
    if (code === answerCodes.challenge) {
      this.#answerChallenge(requestId, request);
      return;
    }
    if (code === answerCodes.part) {
      for (const row of rows) request.rows.push(row);
      return;
    }
    this.#requests.delete(requestId);
    clearTimeout(request.timer);
    if (code === answerCodes.done || code === answerCodes.nothing) {
      request.resolve(request.rows.length === 0 ? rows : request.rows.concat(rows));
    } else {
      request.reject(serverFault(code, message));
    }
    if (this.#isRetired && this.#requests.size === 0) this.end();
  }

  #answerChallenge(requestId: string, request: Request): void {
    const { user, password } = this.#setup;
    if (user === undefined || password === undefined) {
      this.#requests.delete(requestId);
      clearTimeout(request.timer);
      request.reject(new Error('authentication is wanted, and neither user nor password is set'));
      return;
    }
    this.#socket.send(encodeCredentials(requestId, user, password), (error) => {
      if (error) this.#over(error);
    });
  }

  #ping(): void {
    if (this.#isSilent) {
      this.#over(new Error('it timed out'));
      return;
    }
    this.#isSilent = true;
    this.#socket.ping();
  }

  #over(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#pings);
    // After an end the system would go on sending what the server has not acknowledged, and so a write that
    // is given up could still come, after later ones. A reset drops it.
    if (this.#requests.size > 0) this.#tcp.resetAndDestroy();
    // Not close(): that waits for the other side.
    this.#socket.terminate();
    for (const request of this.#requests.values()) {
      clearTimeout(request.timer);
      request.reject(new Unanswered(error, request.overAt));
    }
    this.#requests.clear();
    this.#setup.onOver(error);
  }
}

async function within<T>(work: Promise<T>, ms: number, sentence: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${sentence}: it timed out`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
