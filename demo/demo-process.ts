/**
 * A demo in a process of its own, for tests and pictures: any free port, a folder that is removed, its
 * secrets to ask the gateway with.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../client/clock.ts';
import { createDemoTokens } from './demo-tokens.ts';

export interface DemoProcess {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Resolves with the first line (printed already or not) that matches. */
  line(pattern: RegExp): Promise<string>;
  token(user: string): Promise<string>;
  readonly tokenSecret: string;
  stop(): Promise<void>;
}

const script = fileURLToPath(new URL('start.js', import.meta.url));

export async function startDemoProcess(flags: readonly string[]): Promise<DemoProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'rankcast-page-'));
  const child = spawn(process.execPath, [script, '--port', '0', '--folder', join(folder, 'demo'), ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = createLineWaiter(child);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGINT');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const opened = await line(/Open the contest room: /);
    const url = /http:\S+[^/\s]/.exec(opened)?.[0] ?? '';
    const secrets = JSON.parse(readFileSync(join(folder, 'demo', 'secrets.json'), 'utf8'));
    const tokens = createDemoTokens(secrets.tokenSecret, systemClock);
    return { url, line, token: tokens.mint, tokenSecret: secrets.tokenSecret, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function createLineWaiter(child: ChildProcess): (pattern: RegExp) => Promise<string> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  if (child.stdout === null) throw new Error('the demo has no output');
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(text);
    for (const look of waiting) look();
  });
  return (pattern) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find((text) => pattern.test(text));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      child.once('exit', () => reject(new Error(`the demo ended before it printed ${pattern}`)));
      look();
    });
}
