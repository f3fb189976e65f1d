import { parentPort } from 'node:worker_threads';
import { orderSlots } from './order.ts';
import type { SortDone, SortJob } from './order-sorter.ts';

/** The thread of order-sorter.ts: one sort after the other; buffers move, nothing is copied. */
parentPort?.on('message', ({ no, scores, present }: SortJob) => {
  const done: SortDone = { no, ordinals: orderSlots({ scores, present }), scores };
  parentPort?.postMessage(done, [done.ordinals.buffer as ArrayBuffer, scores.buffer as ArrayBuffer]);
});
