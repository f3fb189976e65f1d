import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isLoopback, outsideAddresses, reachable } from './addresses.ts';
import { isPageBuilt, writePageFolder } from './page-folder.ts';
import { playOf } from './program.ts';

test('the finals are played in turn, each time under an id of its own', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((run) => playOf(run).match),
    ['final-2019', 'final-2021', 'final-2019-2', 'final-2021-2', 'final-2019-3'],
  );
  assert.equal(playOf(2).title, 'IPL final 2021');
  assert.equal(playOf(3).file, 'final-2019');
});

test('addresses: what is this machine, and what others can reach', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) {
    assert.ok(isLoopback(host), host);
    assert.deepEqual(outsideAddresses(host), []);
  }
  for (const host of ['0.0.0.0', '::', '192.168.1.5']) assert.ok(!isLoopback(host), host);
  assert.deepEqual(
    [reachable('0.0.0.0'), reachable('::'), reachable('::1'), reachable('10.0.0.7')],
    ['127.0.0.1', '127.0.0.1', '[::1]', '10.0.0.7'],
  );
  assert.deepEqual(outsideAddresses('10.0.0.7'), ['10.0.0.7']);
  for (const address of outsideAddresses('0.0.0.0')) assert.match(address, /^\d+\.\d+\.\d+\.\d+$/);
});

test('the served folder is the built one, anew, with the address of the demo’s API', () => {
  const root = mkdtempSync(join(tmpdir(), 'rankcast-page-folder-'));
  const [built, served] = [join(root, 'built'), join(root, 'served')];
  assert.ok(!isPageBuilt(built));
  for (const folder of [built, served]) mkdirSync(folder);
  writeFileSync(join(built, 'index.html'), 'new');
  writeFileSync(join(served, 'main-old.js'), 'old');
  assert.ok(isPageBuilt(built));
  writePageFolder(built, served, 4_711);
  assert.equal(readFileSync(join(served, 'index.html'), 'utf8'), 'new');
  assert.deepEqual(JSON.parse(readFileSync(join(served, 'demo.json'), 'utf8')), { apiPort: 4_711 });
  assert.ok(!existsSync(join(served, 'main-old.js')));
  rmSync(root, { recursive: true });
});
