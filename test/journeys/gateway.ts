import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayApi, newKeys } from './gateway-api.ts';
import { RankcastProcess } from './rankcast-process.ts';

/**
 * The gateway as its users have it: a process of its own, seen through its command line, HTTP and sockets
 * only.
 */
export class Gateway extends GatewayApi {
  readonly data = mkdtempSync(join(tmpdir(), 'rankcast-'));
  readonly flags: readonly string[];
  port = 0;
  opsPort = 0;
  adapter = '';
  readonly #keyFlags: readonly string[];
  readonly #process: RankcastProcess;

  /** `keyFlags`: in place of a shared secret for tokens; `environment`: besides that of the tests. */
  constructor(
    flags: readonly string[] = [],
    keyFlags?: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ) {
    super(newKeys());
    this.flags = flags;
    this.#keyFlags = keyFlags ?? ['--token-secret', this.keys.tokenSecret];
    this.#process = new RankcastProcess(environment);
  }

  /** Starts it (again, on the port it had, so that clients find it). */
  async start(): Promise<void> {
    const ports = ['--port', String(this.port), '--ops-port', String(this.opsPort)];
    const own = ['--data', this.data, '--api-key', this.keys.apiKey, ...this.#keyFlags];
    const args = ['all', '--host', '127.0.0.1', ...ports, ...own, ...this.flags];
    const told = await this.#process.start(args);
    this.port = told.port ?? 0;
    this.opsPort = told.opsPort;
    this.adapter = told.adapter ?? '';
  }

  get alive(): boolean {
    return this.#process.alive;
  }
  get pid(): number {
    return this.#process.pid;
  }
  /** The last lines of its log, for failures. */
  get log(): string {
    return this.#process.log;
  }

  /** Sends a signal and waits for the end; answers the exit code (null when a signal ended it). */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    return await this.#process.stop(signal);
  }
  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.data, { recursive: true, force: true });
  }
}
