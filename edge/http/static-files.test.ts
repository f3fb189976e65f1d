import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { HttpResponse } from '../sockets/sockets.ts';
import { openStaticFiles } from './static-files.ts';

const root = mkdtempSync(join(tmpdir(), 'rankcast-static-'));
after(() => rmSync(root, { recursive: true, force: true }));
const folder = join(root, 'page');
mkdirSync(join(folder, 'fonts'), { recursive: true });
mkdirSync(join(folder, '.hidden'));
writeFileSync(join(root, 'secret.txt'), 'not for the world');
writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Room</title>');
writeFileSync(join(folder, 'main-ABCD1234.js'), `console.log(${'1 + '.repeat(1_000)}1);`);
writeFileSync(join(folder, 'fonts', 'text.woff2'), new Uint8Array(2_000));
writeFileSync(join(folder, '.env'), 'KEY=1');
writeFileSync(join(folder, '.hidden', 'a.txt'), 'hidden');
writeFileSync(join(folder, 'two words.txt'), 'two');
symlinkSync(join(root, 'secret.txt'), join(folder, 'link.txt'));
const files = openStaticFiles(folder);

function get(path: string, headers: Record<string, string> = {}): HttpResponse {
  const answer = files({ path, headers });
  assert.ok(answer, `${path} is not found`);
  return answer;
}
const textOf = ({ body }: HttpResponse) => Buffer.from(body as Uint8Array).toString();

test('the root is index.html, asked for again each time, and in no frame', () => {
  const answer = get('/');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(answer.headers['cache-control'], 'no-cache');
  assert.equal(answer.headers['content-security-policy'], "frame-ancestors 'none'");
  assert.equal(textOf(answer), textOf(get('/index.html')));
});

test('files have their types; hashed names are kept for ever', () => {
  const script = get('/main-ABCD1234.js');
  assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
  assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal(script.headers['x-content-type-options'], 'nosniff');
  assert.equal(get('/fonts/text.woff2').headers['content-type'], 'font/woff2');
  assert.equal(textOf(get('/two%20words.txt')), 'two');
});

test('text is zipped for those who take it', () => {
  const plain = get('/main-ABCD1234.js');
  const zipped = get('/main-ABCD1234.js', { 'accept-encoding': 'br;q=1.0, gzip, *;q=0.1' });
  assert.equal(zipped.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(zipped.body as Uint8Array).toString(), textOf(plain));
  assert.equal(plain.headers['vary'], 'accept-encoding');
  for (const refused of ['gzip;q=0', 'br', 'identity, gzip; q=0.0']) {
    const answer = get('/main-ABCD1234.js', { 'accept-encoding': refused });
    assert.equal(answer.headers['content-encoding'], undefined, refused);
  }
  assert.equal(
    get('/fonts/text.woff2', { 'accept-encoding': 'gzip' }).headers['content-encoding'],
    undefined,
  );
});

test('who has a file already gets 304', () => {
  const { etag = '' } = get('/').headers;
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const answer = get('/', { 'if-none-match': tag });
    assert.equal(answer.status, 304, tag);
    assert.equal(answer.body, '');
  }
  assert.equal(get('/', { 'if-none-match': '"other"' }).status, 200);
});

test('nothing outside of the folder, no hidden file and no link is found', () => {
  const paths = ['/../secret.txt', '/..%2Fsecret.txt', '/%2e%2e/secret.txt', '/fonts/../../secret.txt'];
  paths.push('//etc/passwd', '/.env', '/.hidden/a.txt', '/link.txt', '/%', '/%00', '', '/fonts', '/fonts/');
  paths.push('/__proto__', '/constructor', '\\..\\secret.txt');
  for (const path of paths) assert.equal(files({ path, headers: {} }), null, path);
});

test('a folder that cannot be served is refused with a sentence', () => {
  assert.throws(() => openStaticFiles(join(root, 'none')), /none cannot be read: /);
  assert.throws(() => openStaticFiles(join(folder, 'fonts')), /holds no index\.html/);
  assert.throws(() => openStaticFiles(folder, { folderBytesMax: 100 }), /more than 100 bytes/);
  assert.throws(() => openStaticFiles(folder, { folderFilesMax: 2 }), /more than 2 files/);
});
