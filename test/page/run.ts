/**
 * `npm run test:page`: the page in a Chromium, in a demo of its own. Pictures and measures go to
 * `.ci-output/page/`. Ends with the line `N passed, N failed`; without a Chromium it says how to get one and
 * exits 2.
 *
 *   --teams N     teams in the contest (100,000)
 *   --only PART   checks, looks, package or smooth
 *   --load N      N simulated viewers beside the page while its frames are measured
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
/**
 * Processor time of the page's own thread. Long tasks are wall time, which a starved machine stretches, so
 * they are printed and not judged.
 */
const threadMsPerSecondMax = 500;
const measuredSeconds = 20;
/** Below what a gateway lets in from one address. */
const connectsPerSecond = 150;

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
  const viewers = Number(values.load ?? 0);
  const load = viewers === 0 ? null : startLoad(demo, viewers);
  // all of them are there by then
  await window.page.waitForTimeout((viewers / connectsPerSecond) * 1_000);
  const measured = await measure(window.page, measuredSeconds);
  const report = await load;
  const line = JSON.stringify({ viewers, ...measured, load: report });
  print(line);
  writeFileSync(join(output, 'smoothness.json'), `${line}\n`);
  await window.close();
  if (report !== null && report.connected !== viewers) {
    throw new Error(`of ${viewers} viewers ${report.connected} were connected`);
  }
  if (measured.threadMsPerS.all > threadMsPerSecondMax) {
    throw new Error(`the page's thread worked ${measured.threadMsPerS.all} ms in each second`);
  }
}

/** Viewers of the same contest, through the command line; resolves with its report. */
async function startLoad(demo: DemoProcess, viewers: number): Promise<{ connected: number }> {
  const script = fileURLToPath(new URL('../../config/main.js', import.meta.url));
  const args = [script, 'load', 'contest:final-2019', '--url', demo.url, '--viewers', String(viewers)];
  args.push(
    '--connects-per-s',
    String(connectsPerSecond),
    '--duration-s',
    String(measuredSeconds + 5),
    '--json',
  );
  const env = { ...process.env, RANKCAST_TOKEN_SECRET: demo.tokenSecret };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`rankcast load ended with code ${code}`);
  return JSON.parse(text);
}

/** Each part in a demo of its own, from the first ball on. */
const parts: [name: string, speed: string, run: (browser: Browser, demo: DemoProcess) => Promise<void>][] = [
  ['checks', '2', testRoom],
  [
    'looks',
    '1',
    (browser, demo) =>
      step('in both themes and at all sizes axe-core finds nothing', () => checkLooks(browser, demo, output)),
  ],
  ['smooth', '1', (browser, demo) => step('the page is smooth', () => testSmoothness(browser, demo))],
];

async function main(): Promise<number> {
  const path = findChromium(process.env);
  if (path === null) {
    process.stderr.write(`${howToGetOne}\n`);
    return 2;
  }
  print(versionOf(path));
  mkdirSync(output, { recursive: true });
  const browser = await launch(path);
  try {
    for (const [name, speed, run] of parts) {
      if (values.only !== undefined && values.only !== name) continue;
      const demo = await startDemoProcess(['--teams', String(teams), '--speed', speed]);
      try {
        await demo.line(/Watch as user/);
        await run(browser, demo);
      } finally {
        await demo.stop();
      }
    }
    if (values.only === undefined || values.only === 'package') {
      await step('the SDK’s package runs on a page of another origin', () => checkPackage(browser));
    }
  } finally {
    await browser.close();
  }
  print(`\n${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

process.exit(await main());
