/** A Chromium to look at the page with: the one in `CHROMIUM`, else one on the path. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];

export const howToGetOne = [
  'This takes a Chromium, and none was found on the path or in CHROMIUM. One of these brings one:',
  '  apt-get install chromium        (Debian, Ubuntu)',
  '  brew install --cask chromium    (macOS)',
  '  npx playwright-core install chromium, then CHROMIUM=<the path that it prints>',
].join('\n');

/** null: there is none. */
export function findChromium(environment: NodeJS.ProcessEnv): string | null {
  const given = environment['CHROMIUM'];
  if (given !== undefined && given !== '') return isProgram(given) ? given : null;
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) if (isProgram(join(folder, name))) return join(folder, name);
  }
  return null;
}

export function versionOf(path: string): string {
  return execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** With a profile of its own, asking nothing of the network but the page. */
export function launch(path: string): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
