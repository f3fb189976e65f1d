import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './project.ts';

/** Which rooms a room may import (besides itself); `test/` and test files see everything. */
const mayImport: Record<string, string[]> = {
  proto: [],
  channels: ['proto'],
  edge: ['proto', 'channels'],
  workers: ['proto', 'channels'],
  config: ['proto', 'channels', 'edge', 'workers', 'client', 'demo'],
  client: ['proto'],
  demo: ['client', 'proto'],
};
const topLevel = new Set([
  ...Object.keys(mayImport),
  ...['test', 'docs', 'Dockerfile', 'LICENSE', 'NOTICE', 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...['SECURITY.md', 'package.json', 'package-lock.json', 'tsconfig.json', 'biome.json', 'knip.json'],
  ...['.ci', '.gitignore', '.dockerignore', '.gitattributes', '.npmrc', '.nvmrc'],
]);
const forbiddenFolders = ['common', 'utils', 'util', 'lib', 'helpers', 'shared', 'misc'];

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: projectRoot,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '');
const sources = tracked.filter((file) => file.endsWith('.ts'));
const read = (file: string) => readFileSync(join(projectRoot, file), 'utf8');
const isTest = (file: string) =>
  /\.(test|conformance|fuzz|bench)\.ts$/.test(file) || file.startsWith('test/');

test('rooms import only what the table of the design allows', () => {
  const wrong: string[] = [];
  for (const file of sources) {
    const room = file.split('/')[0] ?? '';
    if (room === 'test' || isTest(file)) continue;
    const allowed = mayImport[room];
    assert.ok(allowed, `${file} stands in no room`);
    for (const target of importedFiles(file)) {
      const other = target.split('/')[0] ?? '';
      if (other !== room && !allowed.includes(other)) wrong.push(`${file} imports ${target}`);
      if (isTest(target)) wrong.push(`${file} imports a test: ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('the top level holds the rooms of the design and nothing else', () => {
  const there = new Set(tracked.map((file) => file.split('/')[0] ?? ''));
  assert.deepEqual(
    [...there].filter((name) => !topLevel.has(name)),
    [],
  );
  const bad = tracked.filter((file) => file.split('/').some((part) => forbiddenFolders.includes(part)));
  assert.deepEqual(bad, []);
});

test('a file has at most 400 lines, a line at most 110 characters', () => {
  const wrong: string[] = [];
  for (const file of sources) {
    const lines = read(file).split('\n');
    if (lines.length > 401) wrong.push(`${file}: ${lines.length - 1} lines`);
    lines.forEach((line, index) => {
      if (line.length > 110) wrong.push(`${file}:${index + 1}: ${line.length} characters`);
    });
  }
  assert.deepEqual(wrong, []);
});

test('no file names a path outside the project', () => {
  const outside = ['../' + 'shared', '/' + 'work/', '/' + 'home/', '/' + 'root/'];
  const wrong: string[] = [];
  for (const file of tracked) {
    if (/\.(gz|png|jpg|ico|woff2)$/.test(file)) continue;
    const text = read(file);
    for (const path of outside) if (text.includes(path)) wrong.push(`${file} names ${path}`);
  }
  assert.deepEqual(wrong, []);
});

test('data that others made is here with its notice', () => {
  for (const folder of ['demo/data', 'test/data']) {
    const files = readdirSync(join(projectRoot, folder));
    assert.ok(files.includes('NOTICE'), `${folder} lacks NOTICE`);
    const notice = read(`${folder}/NOTICE`);
    assert.match(notice, /Open Data\s+Commons Attribution License/);
  }
});

/** Paths (from the root) that a file imports, relative imports only. */
function importedFiles(file: string): string[] {
  const found: string[] = [];
  for (const match of read(file).matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
    const parts = [...file.split('/').slice(0, -1)];
    for (const step of (match[1] ?? '').split('/')) {
      if (step === '..') {
        assert.ok(parts.length > 0, `${file} imports from outside the project`);
        parts.pop();
      } else if (step !== '.') parts.push(step);
    }
    found.push(parts.join('/'));
  }
  return found;
}
