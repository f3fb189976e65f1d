/** How the page looks: pictures of its states at all sizes in both themes, and what axe-core finds there. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import type { DemoProcess } from '../../demo/demo-process.ts';
import { enterTeam, type Look, openWindow } from './room-window.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const looks: Look[] = [
  { width: 1280, height: 900, theme: 'light' },
  { width: 1280, height: 900, theme: 'dark' },
  { width: 768, height: 1_024, theme: 'light' },
  { width: 360, height: 740, theme: 'light' },
  { width: 360, height: 740, theme: 'dark' },
];

/** Rejects with everything that axe-core found, and with what is wider than the screen. */
export async function checkLooks(browser: Browser, demo: DemoProcess, pictures: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  const found: string[] = [];
  for (const look of looks) {
    const window = await openWindow(browser, demo.url, look);
    const { page } = window;
    const name = `${look.width}-${look.theme}`;
    const see = async (state: string, whole: boolean): Promise<void> => {
      await page.evaluate(() => scrollTo(0, 0));
      await settle(page);
      await page.screenshot({ path: join(pictures, `${name}-${state}.png`), fullPage: whole });
      found.push(...(await problemsOf(page)).map((problem) => `${name}, ${state}: ${problem}`));
    };
    await see('no-team', true);
    await page.locator('[data-pick].button').click();
    await page.locator('[data-luck]').click();
    await see('picker', false);
    await page.locator('#picker-close').click();
    await enterTeam(window);
    await page.locator('.eleven summary').click();
    await page.waitForTimeout(4_000);
    await see('team', true);
    await page.locator('#cut').click();
    await page.waitForTimeout(2_500);
    await see('cut', false);
    await page.locator('#cut').click();
    await page.locator('.report').waitFor();
    await see('back', false);
    found.push(...window.faults.map((fault) => `${name}: ${fault}`));
    await window.close();
  }
  assert.deepEqual(found, []);
}

/** Half of a movement has colours and places that nobody reads. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    const running = document.getAnimations().filter(({ playState }) => playState === 'running');
    await Promise.race([
      Promise.allSettled(running.map(({ finished }) => finished)),
      new Promise((resolve) => setTimeout(resolve, 1_500)),
    ]);
  });
}

/** Runs in the page: what reaches out of its section, to the right. */
function overflowing(): string[] {
  return [...document.querySelectorAll('main > section')].flatMap((section) => {
    const edge = section.getBoundingClientRect().right + 1;
    const beyond = [...section.querySelectorAll('*')].filter((inner) => {
      return inner.closest('svg, .unseen, .marker') === null && inner.getBoundingClientRect().right > edge;
    });
    return beyond
      .slice(0, 3)
      .map((inner) => `${inner.tagName}.${inner.className} reaches out of its section`);
  });
}

/** Fewer rules that found something to look at: it did not really run. */
const rulesMin = 20;

async function problemsOf(page: Page): Promise<string[]> {
  // the match goes on meanwhile: what is on its way from one place or colour to another is not read
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.evaluate(() => {
    for (const animation of document.getAnimations()) animation.finish();
  });
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate<AxeResults>('axe.run()');
  const problems = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) at ${target.join(' ')}: ${failureSummary}`),
  );
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  if (passes.length < rulesMin) problems.push(`axe-core looked at ${passes.length} rules only`);
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (beyond > 0) problems.push(`it is ${beyond} px wider than the screen`);
  problems.push(...(await page.evaluate(overflowing)));
  return problems;
}
