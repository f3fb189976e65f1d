/**
 * One server as a plain process: started until it answers, killed, stopped, paused, started again on the same
 * ports and data. What every server of the kit is made of.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded, killAtEnd } from './guard.ts';
import { host, isFree, isListening } from './ports.ts';

export interface ServerNode {
  /** What it is called in messages, as `kafka 2`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  /** Its data, configuration and log. */
  readonly folder: string;
  readonly pid: number | undefined;
  /** Starts it again on the same ports and data. Resolves when it answers. */
  start(): Promise<void>;
  /** SIGKILL. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL to one that takes too long. Resolves when the process is gone. */
  stop(): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** The last lines of its log. */
  logTail(lines?: number): string;
}

export interface ServerOptions {
  name: string;
  port: number;
  folder: string;
  command: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Throws while the server does not answer yet. Asked once it listens. */
  answers(): Promise<void>;
  /** Between two tries of `answers`. */
  pollMs: number;
  /** SIGTERM gets this long. */
  stopTimeoutMs: number;
}

/** A JVM on a machine busy with tests may take most of a minute. */
const startTimeoutMs = 120_000;
const listenPollMs = 25;

/** The server ended before it answered because its port had been taken. */
export class PortTaken extends Error {}

export function createServerProcess(options: ServerOptions): ServerNode {
  const { name, port, folder, pollMs } = options;
  const logFile = join(folder, 'log');
  let child: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();

  function launch(): ChildProcess {
    const [file = '', ...words] = options.command;
    const log = openSync(logFile, 'a');
    // a session of its own: Ctrl-C reaches the process that stops them in order, not the servers
    const started = spawn(file, words, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.environment },
    });
    closeSync(log);
    const { pid } = started;
    if (pid !== undefined) killAtEnd(pid);
    started.unref();
    gone = new Promise((resolve) => {
      started.on('error', () => resolve());
      started.on('exit', () => {
        if (pid !== undefined) hasEnded(pid);
        if (child === started) child = undefined;
        resolve();
      });
    });
    return started;
  }

  function logTail(lines = 25): string {
    try {
      return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '';
    }
  }

  function failure(what: string): Error {
    const tail = logTail();
    if (/address (already )?in use|failed to bind/i.test(tail)) {
      return new PortTaken(`${name}: port ${port} or one beside it is taken by another process\n${tail}`);
    }
    return new Error(`${name} ${what}; its log ends:\n${tail}`);
  }

  async function untilAnswers(started: ChildProcess): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    let last: unknown;
    let listens = false;
    while (Date.now() < deadline) {
      if (started.pid === undefined) throw new Error(`${name}: ${options.command[0]} cannot be run`);
      if (!isRunning(started)) {
        throw failure(`ended (${started.signalCode ?? `code ${started.exitCode}`}) before it answered`);
      }
      listens ||= await isListening(port);
      if (listens) {
        try {
          await options.answers();
          if (isRunning(started)) return;
        } catch (error) {
          last = error;
        }
      }
      await delay(listens ? pollMs : listenPollMs);
    }
    throw failure(`did not answer within ${startTimeoutMs / 1_000} s (${String(last ?? 'not listening')})`);
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const ending = child;
    if (ending === undefined) return;
    ending.kill(signal);
    if (signal === 'SIGTERM') {
      // a paused process takes the signal only when it goes on
      ending.kill('SIGCONT');
      const late = new AbortController();
      const patience = delay(options.stopTimeoutMs, undefined, { signal: late.signal }).catch(
        () => undefined,
      );
      await Promise.race([gone, patience]);
      late.abort();
      ending.kill('SIGKILL');
    }
    ending.ref();
    await gone;
  }

  mkdirSync(folder, { recursive: true });
  return {
    name,
    host,
    port,
    address: `${host}:${port}`,
    folder,
    get pid() {
      return child?.pid;
    },
    async start() {
      if (child !== undefined) throw new Error(`${name} runs already`);
      // the answers of another's server on this port would be taken for ours
      if (!(await isFree(port))) throw new PortTaken(`${name}: port ${port} is taken by another process`);
      const started = launch();
      child = started;
      try {
        await untilAnswers(started);
      } catch (error) {
        await end('SIGKILL');
        child = undefined;
        throw error;
      }
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    logTail,
  };
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Every one of the nodes, at the same time. */
export async function eachNode(
  nodes: readonly ServerNode[],
  act: (node: ServerNode) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(nodes.map(act));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

const raceTriesMax = 5;

/**
 * Starts what `launch` starts, on other ports when another program took one of them meanwhile. A port that
 * the caller chose is not replaced.
 */
export async function withFreshPorts<T>(chosen: boolean, launch: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await launch();
    } catch (error) {
      if (chosen || tries >= raceTriesMax || !(error instanceof PortTaken)) throw error;
    }
  }
}
