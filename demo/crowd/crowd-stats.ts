import { LatencyHistogram, type LatencySummary } from './latency-histogram.ts';

/** Frames that viewers count. */
export const countedFrames = [
  'board',
  'players',
  'ranks',
  'entries',
  'hold',
  'message',
  'gap',
  'behind',
] as const;
export type CountedFrame = (typeof countedFrames)[number];

/** More different codes than there are would be a fault of the counting: the rest is counted together. */
const errorCodesMax = 100;

/** What all viewers together have seen. */
export class CrowdStats {
  /** Sockets that are connected now, and attempts, and viewers that gave up for good. */
  open = 0;
  attempts = 0;
  connected = 0;
  ended = 0;
  bytes = 0;
  /** Positions that fell, came twice or were left out. */
  orderFaults = 0;
  readonly frames: Record<CountedFrame, number> = zeros();
  readonly errors = new Map<string, number>();
  /** Upgrade begun to `connected`. */
  readonly connect = new LatencyHistogram();
  /** `subscribe` sent to the first state (rooms) or `subscribed` (feeds). */
  readonly subscribe = new LatencyHistogram();
  /** Event time of a record to the board or points that show it. */
  readonly event = new LatencyHistogram();
  /** Follow sent over HTTP to its message in the feed of the one followed. */
  readonly follow = new LatencyHistogram();
  followsSent = 0;
  eventsSent = 0;

  error(code: string): void {
    const known = this.errors.has(code) || this.errors.size < errorCodesMax ? code : 'other';
    this.errors.set(known, (this.errors.get(known) ?? 0) + 1);
  }

  get errorsTotal(): number {
    let total = 0;
    for (const count of this.errors.values()) total += count;
    return total;
  }
}

function zeros(): Record<CountedFrame, number> {
  return Object.fromEntries(countedFrames.map((name) => [name, 0])) as Record<CountedFrame, number>;
}

export interface CrowdReport {
  viewers: number;
  connectedAtEnd: number;
  attempts: number;
  connected: number;
  /** Viewers whom a close code told not to come back. */
  endedForGood: number;
  seconds: number;
  frames: Record<CountedFrame, number>;
  bytes: number;
  eventsSent: number;
  followsSent: number;
  orderFaults: number;
  errors: Record<string, number>;
  latencyMs: Record<'connect' | 'subscribe' | 'eventToFrame' | 'followToFeed', LatencySummary>;
  /** How late this process itself was: what it measures is late by as much. */
  ownDelayMs: { p50: number; p99: number; max: number };
}

export function reportOf(
  stats: CrowdStats,
  given: Pick<CrowdReport, 'viewers' | 'connectedAtEnd' | 'seconds' | 'ownDelayMs'>,
): CrowdReport {
  return {
    viewers: given.viewers,
    connectedAtEnd: given.connectedAtEnd,
    attempts: stats.attempts,
    connected: stats.connected,
    endedForGood: stats.ended,
    seconds: given.seconds,
    frames: { ...stats.frames },
    bytes: stats.bytes,
    eventsSent: stats.eventsSent,
    followsSent: stats.followsSent,
    orderFaults: stats.orderFaults,
    errors: Object.fromEntries([...stats.errors].sort(([a], [b]) => (a < b ? -1 : 1))),
    latencyMs: {
      connect: stats.connect.summary(),
      subscribe: stats.subscribe.summary(),
      eventToFrame: stats.event.summary(),
      followToFeed: stats.follow.summary(),
    },
    ownDelayMs: given.ownDelayMs,
  };
}

/** The report for people. */
export function reportText(report: CrowdReport): string {
  const { frames, errors, latencyMs } = report;
  const lines = [
    `${report.viewers} viewers, ${report.connectedAtEnd} connected at the end, ` +
      `${report.connected} connections of ${report.attempts} attempts, ${report.seconds.toFixed(1)} s`,
    `frames: ${countedFrames.map((name) => `${name} ${frames[name]}`).join(', ')}; ${report.bytes} bytes`,
    `sent: ${report.eventsSent} events, ${report.followsSent} follows`,
    `positions out of order: ${report.orderFaults}`,
    `errors: ${
      Object.keys(errors).length === 0
        ? 'none'
        : Object.entries(errors)
            .map((e) => e.join(' '))
            .join(', ')
    }`,
    '',
    `${'ms'.padEnd(14)}${['count', 'p50', 'p90', 'p99', 'max'].map((name) => name.padStart(10)).join('')}`,
  ];
  for (const [name, row] of Object.entries(latencyMs)) {
    const cells = [row.p50, row.p90, row.p99, row.max].map((ms) =>
      (ms === null ? '-' : ms.toFixed(1)).padStart(10),
    );
    lines.push(`${name.padEnd(14)}${String(row.count).padStart(10)}${cells.join('')}`);
  }
  const { p50, p99, max } = report.ownDelayMs;
  lines.push(
    '',
    `This process itself was late by ${p50.toFixed(1)} ms (p50), ${p99.toFixed(1)} (p99), ` +
      `${max.toFixed(1)} (max).`,
  );
  return `${lines.join('\n')}\n`;
}
