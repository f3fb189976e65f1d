/**
 * Takes the README's pictures: a demo is started, a team entered, and the room taken in the second innings,
 * in light and in dark. `node dist/demo/screenshot.js` writes docs/screenshot.png and
 * docs/screenshot-dark.png.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { findChromium, howToGetOne, launch } from './chromium.ts';
import { type DemoProcess, startDemoProcess } from './demo-process.ts';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const width = 1_280;
const height = 960;
/** Deliveries a second: the second innings is there within half a minute. */
const speed = '6';
/** When half of the chase is done. */
const moment = /^2\.13\.4 /;
/** The captain first, then the vice-captain. */
const team = ['JJ Bumrah', 'SR Watson', 'Q de Kock', 'DL Chahar', 'KA Pollard', 'Imran Tahir', 'RD Chahar'];
team.push('F du Plessis', 'HH Pandya', 'Ishan Kishan', 'SN Thakur');

async function openRoom(browser: Browser, url: string, colorScheme: 'light' | 'dark'): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    deviceScaleFactor: 1.5,
    // a picture holds still
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('[data-pick].button').click();
  for (const name of team) await page.getByRole('checkbox', { name, exact: true }).check();
  await page.getByRole('radio', { name: `${team[0]} as captain` }).check();
  await page.getByRole('radio', { name: `${team[1]} as vice-captain` }).check();
  await page.locator('#picker-enter').click();
  await page.locator('.card.team[data-rank]').waitFor();
  return page;
}

async function takePictures(browser: Browser, demo: DemoProcess): Promise<void> {
  await demo.line(/^1\.0\.2 /);
  const light = await openRoom(browser, demo.url, 'light');
  const dark = await openRoom(browser, demo.url, 'dark');
  await light.locator('#others .follow').first().click();
  await demo.line(moment);
  for (const [page, name] of [
    [light, 'screenshot.png'],
    [dark, 'screenshot-dark.png'],
  ] as const) {
    await page.evaluate(() => {
      document.getElementById('notices')?.replaceChildren();
      scrollTo(0, 0);
    });
    await page.screenshot({ path: join(docs, name) });
    process.stdout.write(`docs/${name}\n`);
  }
}

async function main(): Promise<number> {
  const path = findChromium(process.env);
  if (path === null) {
    process.stderr.write(`${howToGetOne}\n`);
    return 2;
  }
  const demo = await startDemoProcess(['--speed', speed]);
  const browser = await launch(path);
  try {
    await takePictures(browser, demo);
  } finally {
    await browser.close();
    await demo.stop();
  }
  return 0;
}

process.exit(await main());
