/** An edge as one of several processes under a supervisor (edge-processes.ts): what the two say. */
import cluster from 'node:cluster';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import { createReadiness, type Ops, type OpsParts, type Readiness } from '../../edge/ops.ts';
import type { EndSignal } from './end-signal.ts';

export type ProcessMetrics = MetricObjectWithValues<MetricValue<string>>[];

export type ToSupervisor =
  | { type: 'listening'; port: number; adapter: string }
  | { type: 'report'; id: number; readiness: Readiness; metrics: ProcessMetrics };
export type FromSupervisor =
  | { type: 'end' }
  /** Look at the TLS certificate's files. */
  | { type: 'reload' }
  | { type: 'report'; id: number };

export interface Supervised {
  end: EndSignal;
  /** Instead of an operators' port of its own: the supervisor asks for both. */
  openOps(parts: OpsParts): Promise<Ops>;
  tellListening(port: number, adapter: string): void;
  onReload(listener: () => void): void;
}

/** Null in a process that has no supervisor. */
export function supervisedProcess(): Supervised | null {
  if (!cluster.isWorker || cluster.worker === undefined) return null;
  // Or it would be ended at once, its sockets with it, when the supervisor dies.
  cluster.worker.exitedAfterDisconnect = true;
  const listeners = new Map<FromSupervisor['type'], (message: FromSupervisor) => void>();
  process.on('message', (message: FromSupervisor) => listeners.get(message.type)?.(message));
  let asked = false;
  const signal = new Promise<void>((resolve) => {
    const ask = (): void => {
      asked = true;
      resolve();
    };
    // From a terminal a signal comes to every process, and then the supervisor's word: a second is no hurry.
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, ask);
    process.on('disconnect', ask);
    listeners.set('end', ask);
  });
  const say = (message: ToSupervisor): void => {
    if (process.connected) process.send?.(message);
  };
  return {
    end: {
      get asked() {
        return asked;
      },
      signal,
    },
    async openOps({ registry, dependencies }) {
      const { readiness, unready } = createReadiness(registry, dependencies);
      listeners.set('report', (message) => {
        if (message.type !== 'report') return;
        const { id } = message;
        void registry.getMetricsAsJSON().then((metrics) => {
          say({ type: 'report', id, readiness: readiness(), metrics: metrics as ProcessMetrics });
        });
      });
      return { port: 0, unready, close: async () => void listeners.delete('report') };
    },
    tellListening: (port, adapter) => say({ type: 'listening', port, adapter }),
    onReload: (listener) => void listeners.set('reload', listener),
  };
}
