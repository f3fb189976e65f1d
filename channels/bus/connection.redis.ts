import { Command, type Redis } from 'ioredis';
import { ServiceError } from '../../proto/codes.ts';
import type { Clock } from '../clock.ts';
import { allScripts } from './scripts.redis.ts';

export type Argument = string | number | Buffer;

/**
 * One connection, from its opening to its end; it is never reopened. So whatever is sent on it goes to one
 * server process, in order, once: nothing waits in a queue of the library to be sent to another process
 * later, and `runId` is the name of the very process that runs the commands.
 *
 * Commands of one turn of the event loop leave in one write.
 */
export class RedisConnection {
  readonly redis: Redis;
  runId = '';
  /** Open, its process known, the scripts loaded. */
  usable = false;
  /** Commands without an answer yet. */
  outstanding = 0;
  readonly #clock: Clock;
  readonly #onEnd: (error: Error) => void;
  /** Of the last answer, or of the first command that owes one. */
  #progressAt = 0;
  #corked = false;
  #fault: Error | null = null;
  #ended = false;

  constructor(redis: Redis, clock: Clock, onEnd: (error: Error) => void) {
    this.redis = redis;
    this.#clock = clock;
    this.#onEnd = onEnd;
    redis.on('error', (error: Error) => {
      this.#fault = withoutCommand(error);
    });
    redis.on('end', () => this.end(this.#fault ?? new Error('The connection was closed.')));
  }

  /** Resolves when usable; a failure ends it. */
  async open(): Promise<void> {
    try {
      await this.redis.connect();
      const [info] = await Promise.all([
        this.#send('info', ['server'], true),
        ...allScripts.map(({ text }) => this.#send('script', ['LOAD', text], true)),
      ]);
      this.runId = /run_id:([0-9a-f]{20})/.exec(String(info))?.[1] ?? '';
      if (this.runId === '') throw new ServiceError('Redis does not say its run_id (INFO server).', false);
      this.usable = !this.#ended;
    } catch (error) {
      this.end(this.#fault ?? withoutCommand(error as Error));
    }
  }

  /** Rejects when the connection ends before the answer. Bulk answers are `Buffer`s. */
  send(name: string, args: readonly Argument[]): Promise<unknown> {
    if (!this.usable) return Promise.reject(new Error('The connection was closed.'));
    return this.#send(name, args, false);
  }

  /** Owes answers and has given none for so long. */
  stalled(ms: number): boolean {
    return this.outstanding > 0 && this.#clock.now() - this.#progressAt >= ms;
  }
  get bytesRead(): number {
    return this.redis.stream?.bytesRead ?? 0;
  }

  /** At once: what is under way rejects. */
  end(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.usable = false;
    this.redis.disconnect();
    this.redis.stream?.destroy();
    this.#onEnd(error);
  }

  async #send(name: string, args: readonly Argument[], text: boolean): Promise<unknown> {
    const command = new Command(name, args as Argument[], { replyEncoding: text ? 'utf8' : null });
    if (this.outstanding++ === 0) this.#progressAt = this.#clock.now();
    this.#cork();
    try {
      return await this.redis.sendCommand(command);
    } catch (error) {
      throw withoutCommand(error as Error);
    } finally {
      this.outstanding--;
      this.#progressAt = this.#clock.now();
    }
  }

  #cork(): void {
    const { stream } = this.redis;
    if (this.#corked || stream === undefined) return;
    this.#corked = true;
    stream.cork();
    setImmediate(() => {
      this.#corked = false;
      stream.uncork();
    });
  }
}

/** What the client hangs on its errors holds all arguments: of a refused HELLO, the password. */
function withoutCommand(error: Error): Error {
  if ('command' in error) delete error.command;
  return error;
}
