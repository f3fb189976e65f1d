/**
 * The gateway as a child process: started from its command line, seen only through what it prints and serves.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface GatewayOptions {
  /** Path of the command line's script. */
  script: string;
  args: readonly string[];
  env: Record<string, string>;
  /** Its log lines go here. */
  log: string;
  /** A child that has not said its ports by then is ended. */
  startTimeoutMs: number;
  /** After being asked to end, a child gets so long. */
  stopTimeoutMs: number;
}
export const gatewayDefaults = {
  /** A cold start on a slow machine, with a log to read back. */
  startTimeoutMs: 60_000,
  /** Ctrl-C must be done within 2 s; the data withstands a kill. */
  stopTimeoutMs: 1_500,
} as const;

export interface Gateway {
  readonly port: number;
  readonly opsPort: number;
  readonly adapter: string;
  /** Resolves when the process has ended, with a sentence. */
  readonly ended: Promise<string>;
  /** Ends it: asks first, then kills. Resolves when it has ended. */
  stop(): Promise<void>;
}

/** Rejects with the child's own sentence when it does not start. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  // of this start only, so that it stays short; appended to by both processes
  rmSync(options.log, { force: true });
  const log = openSync(options.log, 'a');
  const child = spawn(process.execPath, [options.script, ...options.args], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', log],
  });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`The gateway could not be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(endSentence(options.log, code, signal)));
  });
  const stop = () => stopChild(child, ended, options.stopTimeoutMs);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    const { startTimeoutMs, log } = options;
    const sentence = `The gateway did not say its ports within ${startTimeoutMs} ms; see ${log}.`;
    timer = setTimeout(() => resolve(sentence), options.startTimeoutMs);
  });
  const started = await Promise.race([firstPorts(child, options.log), ended, timeout]);
  clearTimeout(timer);
  if (typeof started === 'string') {
    await stop();
    throw new Error(started);
  }
  return { ...started, ended, stop };
}

interface Ports {
  port: number;
  opsPort: number;
  adapter: string;
}

function firstPorts(child: ChildProcess, log: string): Promise<Ports> {
  return new Promise((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const ports = parsePorts(line);
      if (ports === null) appendFileSync(log, `${line}\n`);
      else resolve(ports);
    });
  });
}

function parsePorts(line: string): Ports | null {
  try {
    const { port, opsPort, adapter } = JSON.parse(line) as Partial<Ports>;
    if (typeof port !== 'number' || typeof opsPort !== 'number') return null;
    return { port, opsPort, adapter: String(adapter) };
  } catch {
    return null;
  }
}

async function stopChild(child: ChildProcess, ended: Promise<string>, timeoutMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await ended;
  clearTimeout(timer);
}

/** The child's last words: sentences for people among the lines of JSON in its log. */
function endSentence(log: string, code: number | null, signal: string | null): string {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  const words = lines.filter((line) => line !== '' && !line.startsWith('{')).slice(-5);
  const how = signal === null ? `with code ${code}` : `by ${signal}`;
  return words.length > 0 ? words.join('\n') : `The gateway ended ${how}; see ${log}.`;
}
