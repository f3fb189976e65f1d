import assert from 'node:assert/strict';
import type { LogMessage, StoredMessage } from './bus.ts';

/** What the laws of the bus are told with: listeners that keep what they heard, and messages. */

/** Keeps what was heard and wakes who waits for it. */
export class Heard<Message> {
  readonly all: Message[] = [];
  #wake: () => void = () => undefined;
  readonly listen = (message: Message): void => {
    this.all.push(message);
    this.#wake();
  };
  async until(count: number): Promise<void> {
    while (this.all.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    assert.equal(this.all.length, count);
  }
}

export function message(id: string, data = '{}', at = 1): LogMessage {
  return { id, at, data: new TextEncoder().encode(data) };
}
export const text = (stored: StoredMessage): string => new TextDecoder().decode(stored.data);
export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
export const plain = (history: { messages: StoredMessage[] }): unknown => ({
  ...history,
  messages: history.messages.map((stored) => ({ ...stored, data: text(stored) })),
});
