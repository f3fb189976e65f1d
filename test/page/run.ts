/**
 * `npm run test:page`: the page in a Chromium, in a demo of its own. Pictures and measures go to
 * `.ci-output/page/`. Ends with the line `N passed, N failed`; without a Chromium it says how to get one and
 * exits 2.
 *
 *   --teams N     teams in the contest (100,000)
 *   --only PART   checks, looks, package or smooth
 *   --load N      N simulated viewers beside the page while its frames are measured
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { findChromium, howToGetOne, launch, versionOf } from '../../demo/chromium.ts';
import { type DemoProcess, startDemoProcess } from '../../demo/demo-process.ts';
import { projectRoot } from '../project.ts';
import { checks, type Scene } from './checks.ts';
import { createField } from './field.ts';
import { checkLooks } from './looks.ts';
import { checkPackage } from './package.ts';
import { enterTeam, openWindow } from './room-window.ts';
import { measure } from './smoothness.ts';

const { values } = parseArgs({
  options: { teams: { type: 'string' }, only: { type: 'string' }, load: { type: 'string' } },
});
const teams = Number(values.teams ?? 100_000);
const output = join(projectRoot, '.ci-output/page');
/** Of the time: above it, a reader would see it stutter. */
const longTaskPercentMax = 5;
const measuredSeconds = 20;

let passed = 0;
let failed = 0;

async function step(sentence: string, run: () => Promise<void>): Promise<void> {
  const begun = Date.now();
  try {
    await run();
    passed += 1;
    print(`✔ ${sentence} (${((Date.now() - begun) / 1_000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    print(`✖ ${sentence}\n${error instanceof Error ? error.stack : String(error)}`);
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function testRoom(browser: Browser, demo: DemoProcess): Promise<void> {
  const first = await openWindow(browser, demo.url);
  const second = await openWindow(browser, demo.url);
  const scene: Scene = { browser, demo, field: createField(teams), teams, first, second };
  for (const [sentence, run] of checks) await step(sentence, () => run(scene));
  await step('no window met an error, and none asked another host', async () => {
    const faults = [...first.faults, ...second.faults];
    if (faults.length > 0) throw new Error(faults.join('\n'));
  });
  await first.close();
  await second.close();
}

async function testSmoothness(browser: Browser, demo: DemoProcess): Promise<void> {
  const window = await openWindow(browser, demo.url);
  await enterTeam(window);
  const load = values.load === undefined ? null : startLoad(demo, window.user, values.load);
  if (load !== null) await window.page.waitForTimeout(15_000);
  const measured = await measure(window.page, measuredSeconds);
  load?.kill('SIGINT');
  const line = JSON.stringify({ viewers: Number(values.load ?? 0), ...measured });
  print(line);
  writeFileSync(join(output, 'smoothness.json'), `${line}\n`);
  await window.close();
  if (measured.longTaskPercent > longTaskPercentMax) {
    throw new Error(`long tasks took ${measured.longTaskPercent} % of the time`);
  }
}

function startLoad(demo: DemoProcess, user: string, viewers: string): ChildProcess {
  void user;
  const script = fileURLToPath(new URL('../../config/main.js', import.meta.url));
  const args = [script, 'load', '--url', demo.url.replace(/^http/, 'ws'), '--viewers', viewers];
  return spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

async function main(): Promise<number> {
  const path = findChromium(process.env);
  if (path === null) {
    process.stderr.write(`${howToGetOne}\n`);
    return 2;
  }
  print(versionOf(path));
  mkdirSync(output, { recursive: true });
  const wants = (part: string): boolean => values.only === undefined || values.only === part;
  const demo = await startDemoProcess(['--teams', String(teams), '--small-contests', '50', '--speed', '1']);
  const browser = await launch(path);
  try {
    await demo.line(/Watch as user/);
    if (wants('checks')) await testRoom(browser, demo);
    if (wants('looks')) {
      await step('in both themes and at all sizes axe-core finds nothing', () =>
        checkLooks(browser, demo, output),
      );
    }
    if (wants('package')) {
      await step('the SDK’s package runs on a page of another origin', () => checkPackage(browser));
    }
    if (wants('smooth')) await step('the page is smooth', () => testSmoothness(browser, demo));
  } finally {
    await browser.close();
    await demo.stop();
  }
  print(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exit(await main());
