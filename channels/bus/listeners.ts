import type { Unsubscribe } from './bus.ts';

/**
 * Who listens to what, inside one process. Lists are copied when they change, so a delivery holds the list it
 * began with; who has left is skipped.
 */
export class Listeners<Message> {
  readonly #byName = new Map<string, readonly Listener<Message>[]>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  add(name: string, call: (message: Message) => void): Unsubscribe {
    const listener: Listener<Message> = { call, here: true };
    this.#byName.set(name, [...(this.#byName.get(name) ?? []), listener]);
    return () => {
      if (!listener.here) return;
      listener.here = false;
      const left = (this.#byName.get(name) ?? []).filter((other) => other !== listener);
      if (left.length === 0) this.#byName.delete(name);
      else this.#byName.set(name, left);
    };
  }

  /** Who listens at this moment; null: nobody. */
  of(name: string): readonly Listener<Message>[] | null {
    return this.#byName.get(name) ?? null;
  }

  /** What a listener throws is reported and stays its own. */
  deliver(listeners: readonly Listener<Message>[], message: Message): void {
    for (const listener of listeners) {
      if (!listener.here) continue;
      try {
        listener.call(message);
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  clear(): void {
    for (const listeners of this.#byName.values()) {
      for (const listener of listeners) listener.here = false;
    }
    this.#byName.clear();
  }
}

export interface Listener<Message> {
  readonly call: (message: Message) => void;
  here: boolean;
}
