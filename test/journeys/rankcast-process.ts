import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../config/main.js', import.meta.url));
/** A start that takes longer than this has hung. */
const startTimeoutMs = 60_000;
const logCharsKept = 20_000;

/** Without what the runner says to tests: the product takes every `RANKCAST_` for an option. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const named = Object.entries(process.env).filter(([name]) => !/^RANKCAST_(TEST|SERVICES)_/.test(name));
  return Object.fromEntries(named);
}

/** What a process says in its first line. */
export interface Told {
  port: number | null;
  opsPort: number;
  adapter: string | null;
}

/** One process of the command line, seen through what it prints and the signals it gets. */
export class RankcastProcess {
  /** The last lines of its log, for failures. */
  log = '';
  readonly #environment: NodeJS.ProcessEnv;
  #process: ChildProcess | null = null;

  /** `environment`: besides that of the tests. */
  constructor(environment: NodeJS.ProcessEnv = {}) {
    this.#environment = environment;
  }

  async start(args: readonly string[]): Promise<Told> {
    const child = spawn(process.execPath, [main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...ownEnvironment(), ...this.#environment },
    });
    this.#process = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.log = (this.log + text).slice(-logCharsKept);
    });
    return JSON.parse(await firstLine(child, () => this.log)) as Told;
  }

  get alive(): boolean {
    return this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null;
  }
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Sends a signal and waits for the end; answers the exit code (null when a signal ended it). */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#process;
    if (child === null || !this.alive) return null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill(signal);
    return await ended;
  }
}

function firstLine(child: ChildProcess, log: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => fail('said nothing in time'), startTimeoutMs);
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`the process ${why}; its log ends:\n${log().slice(-3_000)}`));
    };
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const end = text.indexOf('\n');
      if (end < 0) return;
      clearTimeout(timer);
      resolve(text.slice(0, end));
    });
    child.once('exit', (code, signal) => fail(`ended with ${code ?? signal} before it was ready`));
  });
}
