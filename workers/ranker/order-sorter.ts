import { Worker } from 'node:worker_threads';
import { ServiceError } from '../../proto/codes.ts';
import { orderSlots } from './order.ts';
import type { Order } from './orders.ts';
import type { OrderInput } from './ranking.ts';

/**
 * Sorts orders: small ones at once, large ones in a thread of its own, so that no board waits for them. The
 * thread starts with the first large one; one that dies takes the sorts under way with it and is started
 * anew.
 */
export interface OrderSorter {
  sort(input: OrderInput): Promise<Order>;
  close(): Promise<void>;
}

export interface SortJob {
  no: number;
  scores: OrderInput['scores'];
  present: Uint8Array;
}
export interface SortDone {
  no: number;
  ordinals: Uint32Array;
  scores: OrderInput['scores'];
}

interface Waiting {
  input: { contest: string; version: number };
  resolve(order: Order): void;
  reject(error: unknown): void;
}

/** `inlineEntriesMax`: up to so many are sorted in the caller's own turn. */
export function createOrderSorter(inlineEntriesMax: number): OrderSorter {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let made = 0;

  function failAll(error: unknown): void {
    worker = null;
    for (const { reject } of waiting.values()) {
      reject(new ServiceError('the thread that sorts leaderboards has ended', true, error));
    }
    waiting.clear();
  }
  function thread(): Worker {
    if (worker !== null) return worker;
    const started = new Worker(new URL('./order-thread.js', import.meta.url));
    started.unref();
    started.on('message', ({ no, ordinals, scores }: SortDone) => {
      const job = waiting.get(no);
      waiting.delete(no);
      job?.resolve({ ...job.input, ordinals, scores });
    });
    started.on('error', failAll);
    started.on('exit', (code) => {
      if (worker === started) failAll(new Error(`exit code ${code}`));
    });
    worker = started;
    return started;
  }

  return {
    async sort({ contest, version, total, scores, present }) {
      if (total <= inlineEntriesMax) {
        return { contest, version, ordinals: orderSlots({ scores, present }), scores };
      }
      return new Promise((resolve, reject) => {
        made += 1;
        waiting.set(made, { input: { contest, version }, resolve, reject });
        const job: SortJob = { no: made, scores, present };
        thread().postMessage(job, [scores.buffer as ArrayBuffer, present.buffer as ArrayBuffer]);
      });
    },
    async close() {
      const running = worker;
      failAll(new Error('closed'));
      await running?.terminate();
    },
  };
}
