import { type ClientError, type CodeName, codes, ServiceError } from '../../proto/codes.ts';
import type { HttpResponse } from '../sockets/sockets.ts';

const jsonType = 'application/json';

/** 200 unless said otherwise. */
export function jsonAnswer(value: unknown, status = 200): HttpResponse {
  return { status, headers: { 'content-type': jsonType }, body: JSON.stringify(value) };
}

/** `{"error":{"code","message"}}` with the status of the code. */
export function errorAnswer(code: CodeName, message: string): HttpResponse {
  const headers: Record<string, string> = { 'content-type': jsonType };
  const status = codes[code].http;
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (status === 429 || status === 503) headers['retry-after'] = '1';
  return { status, headers, body: JSON.stringify({ error: { code, message } }) };
}

export function clientErrorAnswer(error: ClientError): HttpResponse {
  return errorAnswer(error.code, error.message);
}

/** A dependency failed: what it said stays in the log. */
export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof ServiceError;
}
