/**
 * The body of one HTTP request, fed by an adapter, read by the router. Bounded: nothing beyond the reader's
 * limit is kept, and what nobody wants is thrown away up to `discardBytesMax`, so that the answer can be read
 * by a client that only looks for it when it has sent everything.
 */
import { ClientError } from '../../proto/codes.ts';
import { faultAnswer } from './http-status.ts';
import type { HttpRequest, HttpResponse, SocketsOptions } from './sockets.ts';

/**
 * A client that sends more than this in vain has its connection closed. 4 MiB: a batch of ingest sent to a
 * typo.
 */
export const discardBytesMax = 4 * 1024 * 1024;

export interface BodyFlow {
  pause(): void;
  resume(): void;
}

export type Answering = Pick<SocketsOptions, 'onRequest' | 'onFault'>;

const empty = new Uint8Array(0);

export class RequestBody {
  private readonly flow: BodyFlow;
  private readonly declared: number;
  private chunks: Uint8Array[] = [];
  private length = 0;
  private discarded = 0;
  private limit = -1;
  private paused = false;
  private state: 'open' | 'whole' | 'aborted' | 'over' = 'open';
  private reading: Promise<Uint8Array> | null = null;
  private settle: { resolve(bytes: Uint8Array): void; reject(error: Error): void } | null = null;
  private ended: (() => void) | null = null;
  private last = false;

  /** `declared`: the Content-Length, 0 for no body, -1 for unknown. */
  constructor(declared: number, flow: BodyFlow) {
    this.declared = declared;
    this.flow = flow;
    if (declared === 0) this.state = 'whole';
  }

  /** A chunk, copied already. */
  take(chunk: Uint8Array, last: boolean): void {
    if (this.state === 'aborted') return;
    if (this.state === 'over') this.discarded += chunk.length;
    else {
      this.chunks.push(chunk);
      this.length += chunk.length;
      if (this.limit >= 0 && this.length > this.limit) this.overstep();
    }
    if (last) this.complete();
    else if (this.discarded > discardBytesMax) this.stopWaiting();
    else if (this.limit < 0 && this.state === 'open' && !this.paused) this.hold();
  }

  abort(): void {
    if (this.state === 'whole') return;
    const open = this.state === 'open';
    this.state = 'aborted';
    this.chunks = [];
    if (open) this.settle?.reject(abortedError());
    this.stopWaiting();
  }

  read(maxBytes: number): Promise<Uint8Array> {
    if (this.reading !== null) return this.reading;
    this.reading = this.begin(maxBytes);
    // The reader may have gone away by the time it is rejected.
    this.reading.catch(() => {});
    return this.reading;
  }

  /**
   * Resolves when the body has been received, or will not be: true, or false if the connection must close.
   */
  async finished(): Promise<boolean> {
    if (this.state === 'open' && this.reading === null) this.overstep();
    if (this.state === 'over' && !this.last && this.discarded <= discardBytesMax) {
      this.release();
      await new Promise<void>((resolve) => {
        this.ended = resolve;
      });
    }
    return this.state === 'whole' || (this.state === 'over' && this.last);
  }

  private begin(maxBytes: number): Promise<Uint8Array> {
    this.limit = maxBytes;
    if (this.state === 'aborted') return Promise.reject(abortedError());
    if (this.length > maxBytes || this.declared > maxBytes) {
      const error = tooLargeError(maxBytes);
      this.overstep();
      return Promise.reject(error);
    }
    if (this.state === 'whole') return Promise.resolve(this.join());
    this.release();
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }

  private complete(): void {
    this.last = true;
    if (this.state === 'open') {
      this.state = 'whole';
      this.settle?.resolve(this.join());
    }
    this.stopWaiting();
  }

  private overstep(): void {
    this.discarded += this.length;
    this.length = 0;
    this.chunks = [];
    if (this.state === 'whole') this.last = true;
    this.state = 'over';
    this.settle?.reject(tooLargeError(this.limit));
    this.settle = null;
  }

  private join(): Uint8Array {
    const [first] = this.chunks;
    if (first === undefined) return empty;
    return this.chunks.length === 1 ? first : Buffer.concat(this.chunks);
  }

  private hold(): void {
    this.paused = true;
    this.flow.pause();
  }

  private release(): void {
    if (!this.paused) return;
    this.paused = false;
    this.flow.resume();
  }

  private stopWaiting(): void {
    this.ended?.();
    this.ended = null;
  }
}

/** The response, and whether the connection must close after it. */
export async function answerWithBody(
  request: HttpRequest,
  body: RequestBody,
  options: Answering,
): Promise<{ response: HttpResponse; close: boolean }> {
  let response: HttpResponse;
  try {
    response = await options.onRequest(request);
  } catch (error) {
    options.onFault(error);
    response = faultAnswer();
  }
  return { response, close: !(await body.finished()) };
}

function abortedError(): ClientError {
  return new ClientError('bad_request', 'The connection was closed before the body ended.');
}

function tooLargeError(maxBytes: number): ClientError {
  return new ClientError('body_too_large', `The body is longer than the ${maxBytes} bytes this path takes.`);
}

/** Content-Length as a number: 0 without a body, -1 for a chunked one. */
export function declaredLength(headers: Record<string, string>): number {
  if (headers['transfer-encoding'] !== undefined) return -1;
  const declared = Number(headers['content-length'] ?? 0);
  return Number.isSafeInteger(declared) && declared >= 0 ? declared : -1;
}
