import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * Lets a process (a script of ours with arguments) live until it has said `enough` lines, kills it without
 * warning and answers all it has said. Rejects when it ends by itself.
 */
export async function linesUntilKilled(
  script: string,
  scriptArguments: readonly string[],
  enough: number,
): Promise<string[]> {
  const child = spawn(process.execPath, [script, ...scriptArguments], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const exit = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === enough) child.kill('SIGKILL');
  }
  await exit;
  assert.ok(lines.length >= enough, 'the process ended by itself');
  return lines;
}
