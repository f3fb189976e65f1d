import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CrowdReport } from '../../demo/crowd/crowd-stats.ts';
import { Gateway } from './gateway.ts';

/** `rankcast load` as operators run it, against a gateway of its own. */
const main = fileURLToPath(new URL('../../config/main.js', import.meta.url));
const gateway = new Gateway();
before(() => gateway.start());
after(() => gateway.remove());

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function load(
  args: readonly string[],
  during: (interrupt: () => void) => Promise<void> = async () => {},
): Promise<Ended> {
  const env = {
    ...process.env,
    ...{ RANKCAST_API_KEY: gateway.keys.apiKey, RANKCAST_TOKEN_SECRET: gateway.keys.tokenSecret },
  };
  const given = args.includes('--url') ? args : [...args, '--url', gateway.url];
  const child = spawn(process.execPath, [main, 'load', ...given], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended: Ended = { code: null, out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    ended.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    ended.err += text;
  });
  const closed = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ ...ended, code })));
  return during(() => child.kill('SIGINT')).then(() => closed);
}

test('viewers of own rooms get every state and own rank in order, and the report adds up', async () => {
  const { code, out, err } = await load([
    ...['--viewers', '60', '--rooms', '3', '--rooms-per-viewer', '2', '--events', '20', '--follows', '20'],
    ...['--connects-per-s', '100', '--duration-s', '3', '--json'],
  ]);
  assert.equal(code, 0, err);
  const report = JSON.parse(out) as CrowdReport;
  assert.deepEqual(
    [report.viewers, report.connectedAtEnd, report.connected, report.endedForGood],
    [60, 60, 60, 0],
  );
  assert.deepEqual([report.orderFaults, report.errors], [0, {}]);
  assert.equal(report.latencyMs.connect.count, 60);
  // two rooms and a feed each
  assert.equal(report.latencyMs.subscribe.count, 180);
  assert.equal(report.frames.entries, 120);
  assert.ok(report.eventsSent >= 30 && report.followsSent >= 20, JSON.stringify(report));
  // the first board of each room tells no latency, nor does one of two within a millisecond
  const { count } = report.latencyMs.eventToFrame;
  assert.ok(count > 0 && count <= report.frames.board - 120, `${count} of ${report.frames.board}`);
  assert.ok(report.frames.ranks >= 120 && report.latencyMs.followToFeed.count > 0, JSON.stringify(report));
  for (const row of Object.values(report.latencyMs)) {
    assert.ok((row.p50 ?? -1) <= (row.p99 ?? -2) && (row.p99 ?? -1) <= (row.max ?? -2), JSON.stringify(row));
  }
});

test('viewers outlive the end of their gateway; Ctrl-C ends them with a report', async () => {
  const at = Date.now();
  await gateway.ingest('contest-events', [
    { type: 'contest', id: 'c', at, contest: 'there', kind: 'scores' },
  ]);
  const { code, out, err } = await load(
    ['contest:there', '--viewers', '20', '--duration-s', '600', '--json'],
    async (interrupt) => {
      await until(async () => (await open()) === 20);
      await gateway.stop('SIGKILL');
      await gateway.start();
      await until(async () => (await open()) === 20);
      interrupt();
    },
  );
  assert.equal(code, 0, err);
  const report = JSON.parse(out) as CrowdReport;
  // a socket that was killed or interrupted before it heard of its connection counts as an attempt only
  assert.ok(report.attempts >= 40 && report.connected > 20, out);
  assert.ok((report.errors['cut'] ?? 0) > 0 && report.connectedAtEnd > 0, out);
  assert.equal(report.orderFaults, 0);
  await until(async () => (await open()) === 0);
});

test('a gateway that is not there is code 3, wrong flags are code 2 and named all at once', async () => {
  const away = await load([
    'contest:there',
    '--viewers',
    '2',
    '--duration-s',
    '0.2',
    '--url',
    'http://127.0.0.1:1',
  ]);
  assert.equal(away.code, 3);
  assert.match(away.err, /no viewer could connect to ws:\/\/127\.0\.0\.1:1\/v1\/socket: ECONNREFUSED/);
  const wrong = await load([
    'feed:me',
    '--viewers',
    'many',
    '--rooms',
    '0',
    '--user',
    'same',
    '--follows',
    '-1',
  ]);
  assert.equal(wrong.code, 2);
  for (const word of ['"feed:me"', '--viewers', '--rooms', '--user', '--follows'])
    assert.ok(wrong.err.includes(word), word);
  assert.equal(wrong.out, '');
});

/** Sockets that the gateway counts. */
async function open(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${gateway.opsPort}/metrics`)).text();
  return Number(/^rankcast_sockets\{state="ready"\} (\d+)/m.exec(text)?.[1] ?? Number.NaN);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; ; ) {
    if (await holds()) return;
    assert.ok(Date.now() < end, 'it did not come to that');
    await delay(20);
  }
}
