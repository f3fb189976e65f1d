import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Metrics of the bus on Redis. */
export interface BusMetrics {
  reconnected(kind: 'command' | 'subscriber'): void;
  reset(reason: string): void;
  beat(roundTripMs: number): void;
  refused(operation: string): void;
  /** Times a call; the answer ends it. */
  timed<T>(operation: 'publish' | 'append' | 'history' | 'heads', call: Promise<T>): Promise<T>;
}

interface Sizes {
  commandConnections(): number;
  subscriberConnections(): number;
  topics(): number;
  waiting(): number;
}

export function createBusMetrics(registry: Registry | undefined, sizes: Sizes): BusMetrics {
  const registers = [registry ?? new Registry()];
  const reconnects = new Counter({
    name: 'rankcast_bus_reconnects_total',
    help: 'Connections of the bus to Redis that ended, or could not be made, and were tried again.',
    labelNames: ['kind'],
    registers,
  });
  const resets = new Counter({
    name: 'rankcast_bus_resets_total',
    help: 'Interruptions told to listeners: closed, silent, deaf, moved, epoch.',
    labelNames: ['reason'],
    registers,
  });
  const beats = new Histogram({
    name: 'rankcast_bus_heartbeat_seconds',
    help: 'Round trips of heartbeats on subscriber connections.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2],
    registers,
  });
  const durations = new Histogram({
    name: 'rankcast_bus_call_duration_seconds',
    help: 'How long calls of the bus took, with all their tries.',
    labelNames: ['operation'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5],
    registers,
  });
  const failures = new Counter({
    name: 'rankcast_bus_failures_total',
    help: 'Calls of the bus that were refused or failed.',
    labelNames: ['operation'],
    registers,
  });
  new Gauge({
    name: 'rankcast_bus_connections',
    help: 'Connections of the bus to Redis, standing or being made.',
    labelNames: ['kind'],
    registers,
    collect() {
      this.set({ kind: 'command' }, sizes.commandConnections());
      this.set({ kind: 'subscriber' }, sizes.subscriberConnections());
    },
  });
  gauge('rankcast_bus_topics', 'Topics and channels the process is subscribed to.', sizes.topics);
  gauge('rankcast_bus_appends_waiting', 'Messages appended and not answered yet.', sizes.waiting);

  function gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  }

  return {
    reconnected: (kind) => reconnects.inc({ kind }),
    reset: (reason) => resets.inc({ reason }),
    beat: (roundTripMs) => beats.observe(roundTripMs / 1_000),
    refused: (operation) => failures.inc({ operation }),
    async timed(operation, call) {
      const started = performance.now();
      try {
        return await call;
      } catch (error) {
        failures.inc({ operation });
        throw error;
      } finally {
        durations.observe({ operation }, (performance.now() - started) / 1_000);
      }
    },
  };
}
