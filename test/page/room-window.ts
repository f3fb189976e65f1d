/** One window of the contest room: what it shows, read from the document as a reader would. */
import type { Browser, BrowserContext, Page } from 'playwright-core';

export interface ShownTeam {
  entry: string;
  rank: number;
  /** In half points. */
  score: number;
  /** As written: `1,234`. */
  text: string;
}
export interface Shown {
  /** Of the board. */
  version: number;
  /** Of own ranks. */
  ranksVersion: number;
  held: boolean;
  /** Label of the newest ball. */
  label: string;
  rows: string[];
  total: string;
  teams: ShownTeam[];
  followers: string[];
  line: string;
}
export interface RoomWindow {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly user: string;
  /** What went wrong in the page: uncaught errors and errors on its console. */
  readonly faults: string[];
  read(): Promise<Shown>;
  /** Reads until it holds; rejects with `what` and the last reading after `withinMs`. */
  until(what: string, holds: (shown: Shown) => boolean, withinMs?: number): Promise<Shown>;
  close(): Promise<void>;
}

export interface Look {
  width: number;
  height: number;
  theme: 'light' | 'dark';
}
export const desktop: Look = { width: 1280, height: 900, theme: 'light' };

const pollMs = 100;
const withinMsDefault = 20_000;

/** A new window is a new user. */
export async function openWindow(browser: Browser, url: string, look: Look = desktop): Promise<RoomWindow> {
  const { width, height, theme } = look;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
  const page = await context.newPage();
  const faults: string[] = [];
  const foreign = new URL(url).hostname;
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol !== 'data:' && hostname !== foreign) faults.push(`it asked ${request.url()}`);
  });
  await page.goto(`${url}/`);
  await page.locator('#board-rows > li').first().waitFor();
  const user = await page.evaluate(() => JSON.parse(sessionStorage.getItem('rankcast.identity') ?? '').user);
  const read = (): Promise<Shown> => page.evaluate(readDocument);
  return {
    page,
    context,
    user,
    faults,
    read,
    until: async (what, holds, withinMs = withinMsDefault) => {
      const end = Date.now() + withinMs;
      for (;;) {
        const shown = await read();
        if (holds(shown)) return shown;
        if (Date.now() > end) throw new Error(`${what}: not within ${withinMs} ms; ${JSON.stringify(shown)}`);
        await page.waitForTimeout(pollMs);
      }
    },
    close: () => context.close(),
  };
}

/** Runs in the page. */
function readDocument(): Shown {
  const data = (of: Element | null, name: string): string => (of as HTMLElement | null)?.dataset[name] ?? '';
  const cards = document.querySelector('#team-cards');
  const rows = document.querySelector('#board-rows');
  return {
    version: Number(data(rows, 'version') || -1),
    ranksVersion: Number(data(cards, 'version') || -1),
    held: data(cards, 'held') === 'true',
    label: data(document.querySelector('#over li:last-child'), 'label'),
    rows: [...document.querySelectorAll('#board-rows > li')].map((row) => data(row, 'entry')),
    total: document.querySelector('#board-total')?.textContent ?? '',
    teams: [...document.querySelectorAll('.card.team')].map((card) => ({
      entry: data(card, 'entry'),
      rank: Number(data(card, 'rank')),
      score: Number(data(card, 'score')),
      text: card.querySelector('.rank')?.textContent ?? '',
    })),
    followers: [...document.querySelectorAll('#followers > li')].map((row) => data(row, 'user')),
    line: document.documentElement.dataset['line'] ?? '',
  };
}

/** Enters a team drawn by the page; resolves when its rank is on show. */
export async function enterTeam(window: RoomWindow): Promise<ShownTeam> {
  const { page } = window;
  const before = (await window.read()).teams.length;
  await page.locator(before === 0 ? '[data-pick].button' : '#add-team').click();
  await page.locator('[data-luck]').click();
  await page.locator('#picker-enter').click();
  const shown = await window.until('a new team has a rank', ({ teams }) => {
    return teams.length > before && (teams.at(-1)?.rank ?? 0) > 0;
  });
  return shown.teams.at(-1) as ShownTeam;
}
