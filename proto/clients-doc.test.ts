import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../test/project.ts';
import { codes } from './codes.ts';
import { frameTable } from './frames.ts';
import { limits } from './limits.ts';

const guide = readFileSync(join(projectRoot, 'proto/CLIENTS.md'), 'utf8');
const protocol = readFileSync(join(projectRoot, 'proto/PROTOCOL.md'), 'utf8');
const named = new Set([...guide.matchAll(/PR-(\d+)/g)].map(([, no]) => Number(no)));

test('the guide for authors of clients names the sentences that bind them, and only ones there are', () => {
  const stated = new Map<number, string>();
  for (const [, no, sentence] of protocol.matchAll(/\*\*\[PR-(\d+)\]\*\*([^*]*)/g))
    stated.set(Number(no), sentence ?? '');
  assert.deepEqual(
    [...named].filter((no) => !stated.has(no)),
    [],
  );
  const binding = [...stated]
    .filter(([, sentence]) => /client[^.]*\bMUST\b|^ Otherwise it MUST/.test(sentence))
    .map(([no]) => no);
  assert.ok(binding.length >= 6, `only ${binding} found`);
  assert.deepEqual(
    binding.filter((no) => !named.has(no)),
    [],
  );
});

test('its frames, codes and files are there, its numbers are those of the code', () => {
  for (const [, word] of guide.matchAll(/^\| `(\w+)`/gm)) assert.ok(word! in frameTable, word);
  for (const code of ['unavailable', 'rate_limited', 'internal', 'overloaded', 'token_expired']) {
    assert.ok(code in codes && guide.includes(`\`${code}\``), code);
  }
  assert.ok(guide.includes(`PR-23 allows ${limits.framesPerTenSecondsMax}`));
  for (const [, path] of guide.matchAll(/`(vectors\/[\w.-]+)`|\]\((\.*[\w./-]+)\)/g)) {
    if (path !== undefined) assert.ok(existsSync(join(projectRoot, 'proto', path)), path);
  }
});
