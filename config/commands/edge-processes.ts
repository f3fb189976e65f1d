/**
 * The supervisor of an edge's processes: one per core on one port, since neither socket library shares its
 * sockets between threads. uWebSockets.js shares the port (the kernel spreads connections); for ws this
 * process listens and hands connections on (node:cluster). A process that dies is started again, with a pause
 * that grows; one operators' port answers for all.
 */
import cluster, { type Worker } from 'node:cluster';
import type { Logger } from 'pino';
import { Counter, Gauge, Registry } from 'prom-client';
import type { Clock } from '../../channels/clock.ts';
import { type Ops, openOpsPort, type Readiness } from '../../edge/ops.ts';
import { freePort, whyNotListening } from '../../edge/sockets/listening.ts';
import { exitCodes } from './command-error.ts';
import { ProcessTotals } from './process-metrics.ts';
import type { FromSupervisor, ToSupervisor } from './supervised.ts';

export interface EdgeProcessesOptions {
  processes: number;
  host: string;
  port: number;
  opsHost: string;
  opsPort: number;
}
export interface EdgeProcessesParts {
  options: EdgeProcessesOptions;
  /** The program of each process, and its arguments before `--port`. */
  program: string;
  args: readonly string[];
  clock: Clock;
  logger: Logger;
}
export interface EdgeProcesses {
  readonly port: number;
  readonly opsPort: number;
  readonly adapter: string;
  /** Resolves with the exit code when all have ended: on `end`, or because they died too often. */
  readonly ended: Promise<number>;
  /** Drains all, as on SIGTERM. */
  end(): void;
  /** Kills them. */
  kill(): void;
  /** Has all look at the TLS certificate's files. */
  reload(): void;
}

/** The pause before a process is started again: doubled for each death within a minute. */
const restartMs = 100;
const restartMsMax = 5_000;
/** So many deaths within a minute are no accident of one process: the edge ends. */
const deathsMax = 10;
const deathsWithinMs = 60_000;
/** A process that does not answer for so long is too busy to be called ready. */
const reportMs = 1_000;

/** Rejects with a sentence where a port is taken, or with the code of a process that did not start. */
export async function startEdgeProcesses(parts: EdgeProcessesParts): Promise<EdgeProcesses> {
  const { host, port } = parts.options;
  // Its processes share the port with whoever else does: so that no second edge starts there.
  if (port !== 0) {
    const why = await whyNotListening(host, port);
    if (why.cause !== undefined) throw why;
  }
  const supervisor = new Supervisor(parts, port === 0 ? await freePort(host) : port);
  try {
    await supervisor.start();
  } catch (error) {
    supervisor.kill();
    await supervisor.close();
    throw error;
  }
  return supervisor;
}

/** A process ended before it listened: it has said why. */
export class StartError extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`A process of the edge ended with ${exitCode} before it listened.`);
    this.name = 'StartError';
    this.exitCode = exitCode;
  }
}

/** The supervisor's own; answers what counts restarts. */
export function registerProcessMetrics(registry: Registry, listening: { readonly size: number }): Counter {
  const registers = [registry];
  new Gauge({
    name: 'rankcast_edge_processes',
    help: 'Processes of the edge that take sockets.',
    registers,
    collect() {
      this.set(listening.size);
    },
  });
  return new Counter({
    name: 'rankcast_edge_process_restarts_total',
    help: 'Processes of the edge that died and were started again.',
    registers,
  });
}

class Supervisor implements EdgeProcesses {
  readonly port: number;
  adapter = '';
  readonly ended: Promise<number>;
  private readonly parts: EdgeProcessesParts;
  private readonly workers = new Map<number, Worker>();
  private readonly listening = new Set<number>();
  private readonly totals = new ProcessTotals();
  private readonly reports = new Map<number, (readiness: Readiness) => void>();
  private readonly registry = new Registry();
  private readonly restarts: Counter;
  private deaths: number[] = [];
  private reportId = 0;
  private ops: Pick<Ops, 'port' | 'close'> | null = null;
  private ending = false;
  private exitCode = 0;
  private resolveEnded: (exitCode: number) => void = () => {};

  constructor(parts: EdgeProcessesParts, port: number) {
    this.parts = parts;
    this.port = port;
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    this.restarts = registerProcessMetrics(this.registry, this.listening);
  }

  get opsPort(): number {
    return this.ops?.port ?? 0;
  }

  async start(): Promise<void> {
    const { options, program, args, logger } = this.parts;
    this.ops = await openOpsPort({
      host: options.opsHost,
      port: options.opsPort,
      readiness: () => this.readiness(),
      metrics: () => this.metrics(),
      onFault: (error) => logger.error({ err: error }, 'The operators’ port failed.'),
    });
    cluster.setupPrimary({ exec: program, args: [...args, '--port', String(this.port)] });
    const started = Array.from({ length: options.processes }, () => this.fork());
    await Promise.all(started);
    logger.info({ port: this.port, processes: options.processes }, 'all processes of the edge listen');
  }

  end(): void {
    if (this.ending) return;
    this.ending = true;
    this.tell({ type: 'end' });
    this.endWhenEmpty();
  }

  kill(): void {
    this.ending = true;
    for (const { process } of this.workers.values()) process.kill('SIGKILL');
  }

  reload(): void {
    this.tell({ type: 'reload' });
  }

  async close(): Promise<void> {
    await this.ops?.close();
  }

  private tell(message: FromSupervisor): void {
    for (const worker of this.workers.values()) if (worker.isConnected()) worker.send(message);
  }

  /** Resolves when the process listens; rejects when it ends before. */
  private fork(): Promise<void> {
    const worker = cluster.fork();
    const { id } = worker;
    this.workers.set(id, worker);
    return new Promise((resolve, reject) => {
      worker.on('message', (message: ToSupervisor) => {
        // What is heard after the end would have the dead be counted on.
        if (this.workers.get(id) !== worker) return;
        if (message.type === 'listening') {
          this.adapter = message.adapter;
          this.listening.add(id);
          resolve();
        } else if (message.type === 'report') {
          this.totals.said(id, message.metrics);
          this.reports.get(message.id)?.(message.readiness);
        }
      });
      // What is said to one that has just died is lost; its end is told by itself.
      worker.on('error', () => {});
      worker.on('exit', (code, signal) => {
        reject(new StartError(code ?? exitCodes.failed));
        this.workers.delete(id);
        this.listening.delete(id);
        void this.totals.hasEnded(id).then(() => this.onExit(code, signal));
      });
    });
  }

  private onExit(code: number | null, signal: string | null): void {
    const { clock, logger } = this.parts;
    if (this.ending) {
      if (code !== 0) this.exitCode = exitCodes.failed;
      this.endWhenEmpty();
      return;
    }
    // Before all have listened once, `start` fails.
    if (this.adapter === '') return;
    const now = clock.now();
    this.deaths = this.deaths.filter((at) => at > now - deathsWithinMs);
    // Without its servers a process does not start; those that have them go on.
    const unreachable = code === exitCodes.unreachable;
    if (!unreachable) this.deaths.push(now);
    if (this.deaths.length > deathsMax) {
      logger.fatal({ deaths: this.deaths.length }, 'processes of the edge die too often: it ends');
      this.exitCode = exitCodes.failed;
      this.end();
      return;
    }
    const growingMs = restartMs * 2 ** (this.deaths.length - 1);
    const pauseMs = unreachable ? restartMsMax : Math.min(restartMsMax, growingMs);
    logger.error({ code, signal, pauseMs }, 'a process of the edge died; it is started again');
    clock.after(pauseMs, () => {
      if (this.ending) return;
      this.restarts.inc();
      this.fork().catch(() => {});
    });
  }

  private endWhenEmpty(): void {
    if (this.workers.size > 0) return;
    void this.close().then(() => this.resolveEnded(this.exitCode));
  }

  /** Ready when every process is, and says of each dependency what the first that misses it does. */
  private async readiness(): Promise<Readiness> {
    const { processes } = this.parts.options;
    const answers = await Promise.all([...this.workers.values()].map((worker) => this.ask(worker)));
    const dependencies: Record<string, string> = {};
    let ready = 0;
    for (const answer of answers) {
      if (answer?.ready === true) ready += 1;
      for (const [name, state] of Object.entries(answer?.dependencies ?? {})) {
        if ((dependencies[name] ?? 'ready') === 'ready') dependencies[name] = state;
      }
    }
    dependencies['processes'] = ready >= processes ? 'ready' : `${ready} of ${processes} are ready`;
    if (this.ending) dependencies['edge'] = 'draining';
    return { ready: ready >= processes && !this.ending, dependencies };
  }

  private async metrics(): Promise<{ contentType: string; text: string }> {
    await Promise.all([...this.workers.values()].map((worker) => this.ask(worker)));
    return { contentType: this.registry.contentType, text: await this.totals.text(this.registry) };
  }

  /** null: no answer in time. */
  private ask(worker: Worker): Promise<Readiness | null> {
    this.reportId += 1;
    const id = this.reportId;
    return new Promise((resolve) => {
      const settle = (readiness: Readiness | null): void => {
        cancel();
        this.reports.delete(id);
        resolve(readiness);
      };
      const cancel = this.parts.clock.after(reportMs, () => settle(null));
      this.reports.set(id, settle);
      if (worker.isConnected()) worker.send({ type: 'report', id } satisfies FromSupervisor);
      else settle(null);
    });
  }
}
