import { STATUS_CODES } from 'node:http';
import type { HttpResponse } from './sockets.ts';

const lines = new Map<number, string>(
  Object.entries(STATUS_CODES).map(([status, phrase]) => [Number(status), `${status} ${phrase ?? ''}`]),
);

/** `404 Not Found`. */
export function statusLine(status: number): string {
  return lines.get(status) ?? String(status);
}

/** What a caller sees of a bug. */
export function faultAnswer(): HttpResponse & { accept: false; body: string } {
  const body = JSON.stringify({ error: { code: 'server_error', message: 'A fault of the server.' } });
  return { accept: false, status: 500, headers: { 'content-type': 'application/json' }, body };
}

/** The parts of a header that is a list. */
export function listOf(header: string): string[] {
  return header
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
