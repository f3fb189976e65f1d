import { ServiceError } from '../../proto/codes.ts';
import type { Clock } from '../clock.ts';
import type { RedisBusOptions } from './bus-options.redis.ts';
import { closedError } from './faults.redis.ts';

export type Handler = (question: Uint8Array) => Promise<Uint8Array | null>;

export interface QuestionsParts {
  clock: Clock;
  options: RedisBusOptions;
  /** Name of this bus among all. */
  busId: string;
  publish(topic: string, bytes: Uint8Array): Promise<void>;
  subscribe(topic: string, onMessage: (bytes: Uint8Array) => void): Promise<() => void>;
  onError(error: unknown): void;
}

interface Open {
  resolve(answer: Uint8Array): void;
  reject(error: ServiceError): void;
}
interface Asked {
  readonly replyTo: string;
  readonly no: string;
  readonly deadlineMs: number;
  readonly question: Uint8Array;
}

/**
 * Questions and answers as messages. A question goes to the topic of its subject with the topic of the asking
 * bus, a number and its deadline; an answer goes to that topic with the number. The first one counts.
 */
export class Questions {
  readonly #parts: QuestionsParts;
  readonly #open = new Map<string, Open>();
  #count = 0;
  #replies: Promise<unknown> | null = null;
  /** When the answers being worked on are no longer waited for. */
  readonly #answering = new Map<number, number>();
  #answers = 0;
  #closed = false;

  constructor(parts: QuestionsParts) {
    this.#parts = parts;
  }

  ask(subject: string, question: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    if (this.#closed) return Promise.reject(closedError());
    const { clock, options } = this.#parts;
    if (this.#open.size >= options.questionsMax) {
      return Promise.reject(
        new ServiceError(`${this.#open.size} questions are open already; try again.`, true),
      );
    }
    const no = String(++this.#count);
    return new Promise((resolve, reject) => {
      const cancel = clock.after(deadlineMs, () => {
        fail(new ServiceError(`Nobody answered "${subject}" within ${deadlineMs} ms.`, true));
      });
      const end = (): void => {
        cancel();
        this.#open.delete(no);
      };
      const fail = (error: ServiceError): void => {
        end();
        reject(error);
      };
      this.#open.set(no, {
        resolve(answer) {
          end();
          resolve(answer);
        },
        reject: fail,
      });
      this.#send(subject, no, question, deadlineMs).catch((error: unknown) => {
        if (this.#open.has(no)) fail(error as ServiceError);
      });
    });
  }

  async answer(subject: string, handler: Handler): Promise<() => void> {
    if (this.#closed) throw closedError();
    return await this.#parts.subscribe(`ask:${subject}`, (bytes) => {
      const asked = decodeQuestion(bytes);
      if (asked !== null) this.#work(asked, handler);
    });
  }

  /** Forgets answers that nobody waits for any more. */
  tick(): void {
    const now = this.#parts.clock.now();
    for (const [no, until] of this.#answering) if (until <= now) this.#answering.delete(no);
  }

  close(): void {
    this.#closed = true;
    for (const { reject } of [...this.#open.values()]) {
      reject(new ServiceError('The bus was closed before an answer came.', false));
    }
  }

  async #send(subject: string, no: string, question: Uint8Array, deadlineMs: number): Promise<void> {
    const { busId, publish, subscribe } = this.#parts;
    const replyTo = `reply:${busId}`;
    this.#replies ??= subscribe(replyTo, (bytes) => this.#onReply(bytes)).catch((error: unknown) => {
      this.#replies = null;
      throw error;
    });
    await this.#replies;
    if (!this.#open.has(no)) return;
    await publish(`ask:${subject}`, withHead(`${replyTo} ${no} ${deadlineMs}`, question));
  }

  #onReply(bytes: Uint8Array): void {
    const { head, body } = split(bytes);
    this.#open.get(head)?.resolve(body);
  }

  #work({ replyTo, no, deadlineMs, question }: Asked, handler: Handler): void {
    const { clock, options, publish, onError } = this.#parts;
    if (this.#answering.size >= options.answersMax) return;
    const own = ++this.#answers;
    this.#answering.set(own, clock.now() + deadlineMs);
    this.#run(handler, question)
      .then((answer) =>
        answer === null || this.#closed ? undefined : publish(replyTo, withHead(no, answer)),
      )
      .catch((error: unknown) => {
        if (!this.#closed) onError(error);
      })
      .finally(() => this.#answering.delete(own));
  }

  async #run(handler: Handler, question: Uint8Array): Promise<Uint8Array | null> {
    return await handler(question);
  }
}

/** Head, a line break, and what comes as it is. */
function withHead(head: string, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(head) + 1 + body.length);
  const at = bytes.write(head);
  bytes[at] = 10;
  bytes.set(body, at + 1);
  return bytes;
}
function split(bytes: Uint8Array): { head: string; body: Uint8Array } {
  const at = bytes.indexOf(10);
  return { head: Buffer.from(bytes.subarray(0, at)).toString(), body: bytes.subarray(at + 1) };
}
function decodeQuestion(bytes: Uint8Array): Asked | null {
  const { head, body } = split(bytes);
  const [replyTo, no, deadlineMs] = head.split(' ');
  if (replyTo === undefined || no === undefined || deadlineMs === undefined) return null;
  return { replyTo, no, deadlineMs: Number(deadlineMs), question: body };
}
