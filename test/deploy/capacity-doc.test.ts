import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { planFigures } from '../../config/commands/plan-figures.ts';
import { projectRoot } from '../project.ts';
import { blocksOf } from '../readme-blocks.ts';

const file = join(projectRoot, 'docs/capacity.md');
const run = (args: readonly string[]) =>
  spawnSync(process.execPath, args, { cwd: projectRoot, encoding: 'utf8' });

test('the command of the page prints what the page shows', () => {
  const [command, output] = blocksOf(file);
  const [node, ...args] = command?.text.trim().split(' ') ?? [];
  assert.equal(node, 'node');
  const { status, stdout, stderr } = run(args);
  assert.equal(stderr, '');
  assert.equal(stdout, output?.text);
  assert.equal(status, 0);
});

test('the page’s table of figures is the one that is reckoned with', () => {
  const rows = [...readFileSync(file, 'utf8').matchAll(/^\| `(\w+)` \| ([\d.]+) \| \S/gm)];
  assert.deepEqual(Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)])), planFigures);
});

test('--json prints input and plan; a plan that will not do exits with 1, a wrong option with 2', () => {
  const main = 'dist/config/main.js';
  const good = run([main, 'plan', '--sockets', '1000', '--json']);
  assert.equal(good.status, 0);
  const { input, plan } = JSON.parse(good.stdout) as {
    input: { sites: unknown[] };
    plan: { problems: string[]; total: { sockets: number } };
  };
  assert.equal(input.sites.length, 1);
  assert.equal(plan.total.sockets, 1_000);
  const tight = run([main, 'plan', '--site', 'a:100000::1']);
  assert.equal(tight.status, 1);
  assert.match(tight.stdout, /will not do: a: egress/);
  const wrong = run([main, 'plan', '--sockets', 'many']);
  assert.equal(wrong.status, 2);
  assert.equal(wrong.stdout, '');
  assert.match(wrong.stderr, /^rankcast: --sockets: "many" is not a whole number from 0 to 1000000000$/m);
});
