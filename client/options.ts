import { limits } from '../proto/limits.ts';
import type { Clock } from './clock.ts';

/** What the SDK needs of a WebSocket: the browser's, Node's own and the one of `ws` all have it. */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  /** Where there is one: cuts without waiting for the other side. */
  terminate?: () => void;
}
export type WebSocketConstructor = new (url: string, protocols: string) => WebSocketLike;
export type FetchLike = (
  url: string,
  init: { headers: Record<string, string>; signal: AbortSignal },
) => Promise<{ status: number; json(): Promise<unknown> }>;

export interface ConnectOptions {
  /** Where the gateway is: `https://host`, `wss://host`, `http://localhost:8080/some/prefix`. */
  url: string;
  /** A token, or what fetches one. A text cannot be renewed: when it runs out, the client closes. */
  token: string | (() => string | Promise<string>);
  /** By default the platform's. Node 20 has none: pass the one of `ws`. */
  WebSocket?: WebSocketConstructor;
  /** By default the platform's. */
  fetch?: FetchLike;
  /** `json` is the same in readable form. */
  encoding?: 'msgpack' | 'json';
  /** Names the program and its version in the gateway's logs. */
  agent?: string;
  clock?: Clock;
  /** From 0 up to but not 1. */
  random?: () => number;
  reconnectBaseMs?: number;
  reconnectCapMs?: number;
  unknownWaitMs?: number;
  stableMs?: number;
  openTimeoutMs?: number;
  refreshBeforeMs?: number;
  requestTimeoutMs?: number;
  framesPerTenSecondsMax?: number;
}

export const connectDefaults = {
  /** The first reconnect comes within this: quick for one phone, spread for thousands at once. */
  reconnectBaseMs: 1_000,
  /** The longest wait: an outage of minutes must not leave clients away for as long again. */
  reconnectCapMs: 30_000,
  /**
   * A room whose contest is not known yet is asked for again for so long: who creates a contest and joins it
   * in one breath is ahead of the ranker, and an edge remembers for 5 s that there was none. 0: not at all.
   */
  unknownWaitMs: 15_000,
  /** A connection that lasted so long was a good one: waits begin anew. */
  stableMs: 5_000,
  /** Opening and `connected` together, on a slow phone. */
  openTimeoutMs: 10_000,
  /** A token is renewed so long before its end (or at half of its life, if that is later). */
  refreshBeforeMs: 60_000,
  /** An answer over HTTP: the gateway itself waits up to 2 s for a version. */
  requestTimeoutMs: 10_000,
  /** Half of what an edge allows by default: what two windows sent may arrive in one. */
  framesPerTenSecondsMax: limits.framesPerTenSecondsMax / 2,
} as const;

/** The gateway's two addresses out of the one given. Throws a sentence where it is none. */
export function endpoints(url: string): { socket: string; http: string } {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new TypeError(`url: ${JSON.stringify(url)} is not an address like https://host or ws://host:8080`);
  }
  const secure = { 'https:': true, 'wss:': true, 'http:': false, 'ws:': false }[parsed.protocol];
  if (secure === undefined) {
    throw new TypeError(`url: ${JSON.stringify(url)} begins with none of https:, wss:, http:, ws:`);
  }
  const prefix = parsed.pathname.replace(/\/(v1\/socket\/?)?$/, '');
  const place = `://${parsed.host}${prefix}`;
  return {
    socket: `${secure ? 'wss' : 'ws'}${place}/v1/socket`,
    http: `${secure ? 'https' : 'http'}${place}`,
  };
}
