/**
 * A folder of files for browsers (the demo's page), read whole when it is opened: what is not in the folder's
 * list is not found, so that no path leads outside of it, and no request touches the disk.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { HttpRequest, HttpResponse } from '../sockets/sockets.ts';

export interface StaticFilesOptions {
  folderBytesMax: number;
  folderFilesMax: number;
}
export const staticFilesDefaults: StaticFilesOptions = {
  /** A page with its fonts is a megabyte; a folder given by mistake must not fill the memory. */
  folderBytesMax: 16 * 1024 * 1024,
  /** For the same reason. */
  folderFilesMax: 500,
};

/**
 * The answer to a GET or HEAD; null: there is no such file. `path` as in the request: still percent-encoded.
 */
export type StaticFiles = (request: Pick<HttpRequest, 'path' | 'headers'>) => HttpResponse | null;

interface StaticFile {
  body: Uint8Array;
  /** null: it would hardly be smaller. */
  zipped: Uint8Array | null;
  headers: Record<string, string>;
  etag: string;
}

const contentTypes: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.woff2': 'font/woff2',
};
const zippable = /^(text|application|image\/svg)/;
/** `name-0F3A9B2C.js`: another content has another name. */
const hashedName = /-[0-9A-Za-z]{8}\.[a-z0-9]+$/;

/**
 * Throws a sentence where the folder cannot be served. Names that begin with a dot, and links, are left out.
 */
export function openStaticFiles(folder: string, options: Partial<StaticFilesOptions> = {}): StaticFiles {
  const { folderBytesMax, folderFilesMax } = { ...staticFilesDefaults, ...options };
  const files = new Map<string, StaticFile>();
  let bytes = 0;
  for (const path of listFiles(folder)) {
    const body = readFileSync(join(folder, path));
    bytes += body.length;
    if (bytes > folderBytesMax) throw new Error(`${folder} holds more than ${folderBytesMax} bytes.`);
    if (files.size === folderFilesMax) throw new Error(`${folder} holds more than ${folderFilesMax} files.`);
    files.set(`/${path}`, staticFile(path, body));
  }
  const index = files.get('/index.html');
  if (index === undefined) throw new Error(`${folder} holds no index.html.`);
  files.set('/', index);
  return ({ path, headers }) => {
    const name = decoded(path);
    const file = name === null ? undefined : files.get(name);
    return file === undefined ? null : answer(file, headers);
  };
}

/** Paths below the folder, with `/` between their parts. */
function listFiles(folder: string): string[] {
  let found: ReturnType<typeof list>;
  try {
    found = list(folder);
  } catch (cause) {
    throw new Error(`${folder} cannot be read: ${(cause as Error).message}`, { cause });
  }
  return found
    .filter((item) => item.isFile())
    .map((item) => relative(folder, join(item.parentPath, item.name)).split(sep))
    .filter((parts) => !parts.some((part) => part.startsWith('.')))
    .map((parts) => parts.join('/'))
    .sort();
}

function list(folder: string) {
  return readdirSync(folder, { recursive: true, withFileTypes: true });
}

function staticFile(path: string, body: Uint8Array): StaticFile {
  const type = contentTypes[extname(path).toLowerCase()] ?? 'application/octet-stream';
  const zipped = zippable.test(type) && body.length > 1_024 ? gzipSync(body, { level: 9 }) : null;
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const headers: Record<string, string> = {
    'content-type': type,
    // a hashed name never changes its content; others are asked for again, and answered 304
    'cache-control': hashedName.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
  };
  if (zipped !== null) headers['vary'] = 'accept-encoding';
  if (type.startsWith('text/html')) headers['content-security-policy'] = "frame-ancestors 'none'";
  return { body, zipped, headers, etag };
}

function answer(file: StaticFile, asked: Record<string, string>): HttpResponse {
  const { headers } = file;
  if (matches(asked['if-none-match'], file.etag)) return { status: 304, headers, body: '' };
  const zips = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(asked['accept-encoding'] ?? '');
  if (file.zipped === null || !zips) return { status: 200, headers, body: file.body };
  return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: file.zipped };
}

/** RFC 9110, 13.1.2: a list of tags, weak ones compare like strong ones, or a star. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((one) => {
    const tag = one.trim();
    return tag === '*' || tag.replace(/^W\//, '') === etag;
  });
}

/** null: it is not percent-encoding, or hides what a name cannot hold. */
function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
