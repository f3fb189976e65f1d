import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './project.ts';

/**
 * A law is stated as `**[XX-1]**` in markdown, or as ` * [XX-1] ...` in a comment. A test names it `[XX-1]`
 * in its title.
 */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: projectRoot,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(ts|md)$/.test(file));

const stated = new Map<string, string>();
const twice: string[] = [];
const named = new Map<string, string>();
for (const file of files) {
  const text = readFileSync(join(projectRoot, file), 'utf8');
  const pattern = file.endsWith('.md') ? /\*\*\[([A-Z]+-\d+)\]\*\*/g : /^\s*\* \[([A-Z]+-\d+)\] /gm;
  for (const match of text.matchAll(pattern)) {
    const law = match[1] ?? '';
    if (stated.has(law)) twice.push(`${law}: ${stated.get(law)} and ${file}`);
    stated.set(law, file);
  }
  if (!/\.(test|conformance|fuzz)\.ts$/.test(file)) continue;
  for (const match of text.matchAll(/(?:test|it|law)\(\s*[`'"]([^`'"\n]*)/g)) {
    for (const law of (match[1] ?? '').matchAll(/\[([A-Z]+-\d+)\]/g)) named.set(law[1] ?? '', file);
  }
}

test('every numbered law is stated once and named by a test', () => {
  assert.deepEqual(twice, []);
  const untested = [...stated].filter(([law]) => !named.has(law)).map(([law, file]) => `${law} (${file})`);
  assert.deepEqual(untested, []);
  assert.ok(stated.size >= 20, `only ${stated.size} laws found`);
});

test('every law that a test names is stated', () => {
  const unknown = [...named].filter(([law]) => !stated.has(law)).map(([law, file]) => `${law} (${file})`);
  assert.deepEqual(unknown, []);
});

test('every MUST of the protocol stands in a numbered sentence', () => {
  const text = readFileSync(join(projectRoot, 'proto/PROTOCOL.md'), 'utf8');
  const bare: string[] = [];
  for (const paragraph of text.split(/\n\s*\n|\n(?=[-|*] )/)) {
    if (/\bMUST\b/.test(paragraph) && !/\*\*\[PR-\d+\]\*\*/.test(paragraph))
      bare.push(paragraph.slice(0, 120));
  }
  assert.deepEqual(bare, []);
});
