import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../config/main.js', import.meta.url));

/** Asked to end the moment its store appears: nothing of it runs yet. */
async function endEarly(command: readonly string[]): Promise<{ code: number | null; said: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'rankcast-early-'));
  const secret = 'a-secret-of-a-test-that-is-long-enough-for-all';
  try {
    const args = [...command, '--port', '0', '--ops-port', '0', '--data', folder];
    args.push('--api-key', secret, '--token-secret', secret);
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
    while (!existsSync(join(folder, 'store')) && child.exitCode === null) await delay(1);
    child.kill('SIGTERM');
    return { code: await ended, said };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('asked to end while it starts, a process closes what it has opened and exits 0', async () => {
  for (const command of [['all'], ['worker']]) {
    const { code, said } = await endEarly(command);
    assert.equal(code, 0, said);
    assert.match(said, /"ended"/);
  }
});
