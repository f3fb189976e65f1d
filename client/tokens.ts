/** The client's token: fetched once for all who ask at a time, kept until it is near its end or refused. */
import type { Clock } from './clock.ts';
import { RankcastError } from './rankcast-error.ts';

export class Tokens {
  /** false: the token is a text and cannot be renewed. */
  readonly renewable: boolean;
  readonly #source: string | (() => string | Promise<string>);
  readonly #clock: Clock;
  #kept: string | null = null;
  /** By the local clock; the end of a token that no edge has accepted yet is not known. */
  #endsAt = Number.POSITIVE_INFINITY;
  #underWay: Promise<string> | null = null;

  constructor(source: string | (() => string | Promise<string>), clock: Clock) {
    this.#source = source;
    this.#clock = clock;
    this.renewable = typeof source === 'function';
  }

  /** Whether `get` would answer with a token that was given before. */
  get kept(): boolean {
    return this.renewable && this.#kept !== null && this.#clock.now() < this.#endsAt;
  }

  /** A token that is still good, as far as is known. Rejects with `no_token`. */
  get(): Promise<string> {
    const source = this.#source;
    if (typeof source === 'string') return Promise.resolve(source);
    if (this.#kept !== null && this.#clock.now() < this.#endsAt) return Promise.resolve(this.#kept);
    this.#underWay ??= this.#fetch(source).finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  /** A new token, whatever is kept. */
  renew(): Promise<string> {
    this.forget();
    return this.get();
  }

  forget(): void {
    this.#kept = null;
  }

  /** An edge said when the kept token ends: `ms` from now. */
  endsIn(ms: number): void {
    this.#endsAt = this.#clock.now() + ms;
  }

  async #fetch(source: () => string | Promise<string>): Promise<string> {
    let token: unknown;
    try {
      token = await source();
    } catch (cause) {
      throw new RankcastError('no_token', `The token function failed: ${String(cause)}`, null, cause);
    }
    if (typeof token !== 'string' || token === '') {
      throw new RankcastError('no_token', `The token function gave ${typeof token}, not a text.`);
    }
    this.#kept = token;
    this.#endsAt = Number.POSITIVE_INFINITY;
    return token;
  }
}
