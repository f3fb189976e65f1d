/** The package's own bundle in a real browser, on a page of another origin that the gateway allows. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { buildClientPackage } from '../../client/build-package.ts';
import { Gateway } from '../journeys/gateway.ts';
import { projectRoot } from '../project.ts';

const html = `<!doctype html><title>joining</title><script type="module">
import { connect } from './rankcast-client.min.js';
const [url, token] = location.hash.slice(1).split('&').map(decodeURIComponent);
const client = connect({ url, token });
client.contest('quiz').on('view', async ({ board, entries }) => {
  const { ranks } = await client.ranks('quiz', ['team-b'], { minVersion: board.version });
  document.title = entries.map((mine) => mine.entry + ' ' + mine.rank).join() + ' / ' + ranks[0].rank;
});
client.on('error', (error) => { document.title = error.code + ': ' + error.message; });
</script>`;
const titleTimeoutMs = 20_000;

export async function checkPackage(browser: Browser): Promise<void> {
  await buildClientPackage(join(projectRoot, 'client'));
  const bundle = readFileSync(join(projectRoot, 'client/dist/rankcast-client.min.js'));
  const pages = createServer((request, response) => {
    const script = request.url?.endsWith('.js') === true;
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.end(script ? bundle : html);
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  const gateway = new Gateway(['--allowed-origins', origin]);
  await gateway.start();
  const page = await browser.newPage();
  try {
    await seed(gateway);
    const parts = [gateway.url, gateway.token('ann')].map(encodeURIComponent);
    await page.goto(`${origin}/#${parts.join('&')}`);
    const ask = (title: string) =>
      page.waitForFunction((wanted) => document.title === wanted, title, { timeout: titleTimeoutMs });
    await ask('team-a 2 / 1').catch(async () => assert.equal(await page.title(), 'team-a 2 / 1'));
    const at = Date.now();
    await gateway.ingest('contest-events', [
      { type: 'score', id: 'r4', at, contest: 'quiz', entry: 'team-a', score: 9 },
    ]);
    await ask('team-a 1 / 2').catch(async () => assert.equal(await page.title(), 'team-a 1 / 2'));
  } finally {
    await page.close();
    await gateway.remove();
    pages.close();
  }
}

async function seed(gateway: Gateway): Promise<void> {
  const at = Date.now() - 1;
  const entry = (name: string, user: string) => ({ entry: name, user, contests: ['quiz'] });
  const entries = [entry('team-a', 'ann'), entry('team-b', 'ben')];
  await gateway.ingest('contest-events', [
    { type: 'contest', id: 'r1', at, contest: 'quiz', kind: 'scores' },
    { type: 'entries', id: 'r2', at, contest: 'quiz', entries },
    { type: 'score', id: 'r3', at, contest: 'quiz', entry: 'team-b', score: 7 },
  ]);
}
