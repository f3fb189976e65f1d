import { Counter, Gauge, type Registry } from 'prom-client';
import type { ServerFrame } from '../proto/frames.ts';

/** Plain numbers on the hot path; Prometheus reads them when it asks. */
export class LiveStats {
  readonly frames: Record<ServerFrame['t'], number> = {
    connected: 0,
    subscribed: 0,
    unsubscribed: 0,
    refreshed: 0,
    pong: 0,
    error: 0,
    gap: 0,
    move: 0,
    message: 0,
    board: 0,
    players: 0,
    entries: 0,
    ranks: 0,
    hold: 0,
    behind: 0,
  };
  bytes = 0;
  framesIn = 0;
  dropped = 0;
  conflated = 0;
  endedSlow = 0;
  holes = 0;
  gaps = 0;
  whoQuestions = 0;
  whoUsers = 0;
  whoFailures = 0;
  readonly ended = new Map<string, number>();

  sent(kind: ServerFrame['t'], copies: number, bytes: number): void {
    this.frames[kind] += copies;
    this.bytes += copies * bytes;
  }

  countEnd(code: string): void {
    this.ended.set(code, (this.ended.get(code) ?? 0) + 1);
  }
}

/** What is counted elsewhere, at the moment of asking. */
export interface LiveGauges {
  sockets(): { open: number; ready: number; choked: number };
  subscriptions(): { contest: number; match: number; log: number };
  channels(): { contests: number; matches: number; log: number; stale: number };
  /**
   * Version of the newest mirror per partition is the ranker's to show; here the least and greatest
   * followed.
   */
  versions(): { least: number; greatest: number };
  rankerSilenceMs(): number;
}

export function registerLiveMetrics(registry: Registry, stats: LiveStats, gauges: LiveGauges): void {
  counted(registry, 'rankcast_frames_received_total', 'Frames of clients.', () => stats.framesIn);
  counted(registry, 'rankcast_sent_bytes_total', 'Bytes of frames handed to sockets.', () => stats.bytes);
  counted(registry, 'rankcast_drops_total', 'Frames that did not fit a buffer.', () => stats.dropped);
  counted(
    registry,
    'rankcast_conflations_total',
    'Drained sockets given newest states.',
    () => stats.conflated,
  );
  counted(registry, 'rankcast_holes_total', 'Holes seen in log channels.', () => stats.holes);
  counted(registry, 'rankcast_gaps_total', 'Gaps told on log channels.', () => stats.gaps);
  counted(registry, 'rankcast_who_questions_total', 'Batches of `who`.', () => stats.whoQuestions);
  counted(registry, 'rankcast_who_users_total', 'Users asked for by `who`.', () => stats.whoUsers);
  counted(registry, 'rankcast_who_failures_total', 'Batches of `who` that failed.', () => stats.whoFailures);
  labelled(registry, 'rankcast_frames_sent_total', 'Frames handed to sockets.', 'frame', () => stats.frames);
  labelled(registry, 'rankcast_sockets_ended_total', 'Sockets ended by the edge.', 'code', () =>
    Object.fromEntries(stats.ended),
  );
  gauged(registry, 'rankcast_sockets', 'Sockets.', 'state', () => ({ ...gauges.sockets() }));
  gauged(registry, 'rankcast_subscriptions', 'Subscriptions.', 'kind', () => ({ ...gauges.subscriptions() }));
  gauged(registry, 'rankcast_channels', 'Channels followed.', 'kind', () => ({ ...gauges.channels() }));
  gauged(registry, 'rankcast_mirror_version', 'Versions of mirrored contests.', 'which', () => ({
    ...gauges.versions(),
  }));
  new Gauge({
    name: 'rankcast_ranker_silence_seconds',
    help: 'Longest that the ranker of something followed has said and answered nothing.',
    aggregator: 'max',
    registers: [registry],
    collect() {
      this.set(gauges.rankerSilenceMs() / 1_000);
    },
  });
}

function counted(registry: Registry, name: string, help: string, value: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(value());
    },
  });
}

function labelled(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  values: () => Record<string, number>,
): void {
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [key, value] of Object.entries(values())) this.inc({ [label]: key }, value);
    },
  });
}

function gauged(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  values: () => Record<string, number>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      for (const [key, value] of Object.entries(values())) this.set({ [label]: key }, value);
    },
  });
}
