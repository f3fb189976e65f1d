/**
 * `npm run start:real` as a user has it: the demo over processes of their own on real servers; a worker that
 * is killed comes back, the match goes on, and one signal ends everything.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openRealServers, type RealServers } from './real-servers.ts';

const script = fileURLToPath(new URL('./start-real.js', import.meta.url));
const cwd = mkdtempSync(join(tmpdir(), 'rankcast-start-real-'));
let servers: RealServers;
let child: ChildProcess;
const lines: string[] = [];
const waiting = new Set<() => void>();

/** Resolves with the first line from `from` on that matches. */
function line(pattern: RegExp, from = 0): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = lines.slice(from).find((one) => pattern.test(one));
      if (found === undefined) return;
      waiting.delete(look);
      resolve(found);
    };
    waiting.add(look);
    child.once('exit', () =>
      reject(new Error(`it ended before ${pattern}:\n${lines.slice(-20).join('\n')}`)),
    );
    look();
  });
}

before(async () => {
  servers = await openRealServers();
});
after(async () => {
  child?.kill('SIGKILL');
  await servers?.close();
  rmSync(cwd, { recursive: true, force: true });
});

test('the demo plays on real servers, through the death of a ranker', async () => {
  const flags = ['--port', '0', '--speed', '20', '--teams', '2000', '--small-contests', '5'];
  const env = { ...process.env, ...servers.environment };
  child = spawn(process.execPath, [script, ...flags], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (text) => {
    lines.push(text);
    for (const look of waiting) look();
  });
  const pid = Number(/process (\d+)/.exec(await line(/ranker-0 +process \d+/))?.[1]);
  const room = /http:\S+/.exec(await line(/Open the contest room: http/))?.[0] ?? '';
  await line(/^1\.2\.1 /);
  process.kill(pid, 'SIGKILL');
  await line(/ranker-0 ended by SIGKILL; it is started again/);
  await line(/^1\.5\.1 /);
  const page = await fetch(room);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<html/);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
});
