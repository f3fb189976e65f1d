import { setTimeout as delay } from 'node:timers/promises';

/** Asks again until the answer is true. The sentence says in the error what was waited for. */
export async function until(
  sentence: string,
  isSo: () => Promise<boolean>,
  { timeoutMs = 60_000, pollMs = 50 } = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      if (await isSo()) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await delay(pollMs);
  }
  const why = last instanceof Error ? ` (${last.message})` : '';
  throw new Error(`not within ${timeoutMs / 1_000} s: ${sentence}${why}`);
}
