import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { jwtVerify } from 'jose';
import { createManualClock } from '../channels/clock.manual.ts';
import type { ContestEvent } from '../proto/records.ts';
import { type DemoWorld, runDemo } from './demo.ts';
import type { DemoApiOptions } from './demo-api.ts';
import { openDemoFolder } from './demo-folder.ts';
import type { GatewayOptions } from './gateway.ts';
import { startDefaults } from './start-options.ts';

const root = mkdtempSync(join(tmpdir(), 'rankcast-demo-'));
after(() => rmSync(root, { recursive: true, force: true }));

interface Request {
  method: string;
  path: string;
  authorization: string;
  body: string;
}

/** A world without a network: the gateway is a record of what was asked of it. */
function fakeWorld(stopAfter: (request: Request) => boolean = () => false) {
  const stop = new AbortController();
  const requests: Request[] = [];
  const printed: string[] = [];
  const errors: string[] = [];
  const started: GatewayOptions[] = [];
  const apis: DemoApiOptions[] = [];
  const allowed: number[] = [];
  let stopped = 0;
  let end: (sentence: string) => void = () => {};
  const world: DemoWorld = {
    clock: createManualClock(Date.now()),
    script: '/somewhere/dist/config/main.js',
    page: null,
    startSeed: 1,
    signal: stop.signal,
    startApi: (options) => {
      apis.push(options);
      return Promise.resolve({ port: 4713, allowPort: (port) => allowed.push(port), close: () => {} });
    },
    print: (text) => {
      printed.push(text);
      if (text.startsWith('The match is over')) stop.abort();
    },
    printError: (text) => errors.push(text),
    startGateway: (options) => {
      started.push(options);
      const ended = new Promise<string>((resolve) => (end = resolve));
      const stopIt = () => {
        stopped += 1;
        return Promise.resolve();
      };
      return Promise.resolve({ port: 4711, opsPort: 4712, adapter: 'uws', ended, stop: stopIt });
    },
    fetch: (url, init) => {
      const { method = 'GET', body = '' } = init ?? {};
      const authorization = new Headers(init?.headers).get('authorization') ?? '';
      const request = { method, path: String(url), authorization, body: String(body) };
      requests.push(request);
      if (stopAfter(request)) stop.abort();
      const answer = { taken: 1, versions: [], refused: [] };
      return Promise.resolve(new Response(JSON.stringify(answer), { status: method === 'PUT' ? 202 : 200 }));
    },
  };
  const records = (): ContestEvent[] =>
    requests
      .filter(({ method }) => method === 'POST')
      .flatMap(({ body }) => body.trimEnd().split('\n'))
      .map((line) => JSON.parse(line) as ContestEvent);
  return {
    world,
    requests,
    records,
    printed,
    errors,
    started,
    apis,
    allowed,
    stop,
    endGateway: (s: string) => end(s),
    stops: () => stopped,
  };
}
const options = (folder: string) => ({
  ...startDefaults,
  folder: join(root, folder),
  port: 0,
  speed: 0,
  teams: 1_500,
  smallContests: 5,
  fans: 0,
});

test('the demo seeds contests, replays the final and says how to watch', async () => {
  const { world, records, printed, started, stops } = fakeWorld();
  assert.equal(await runDemo(options('whole'), world), 0);
  assert.equal(stops(), 1);
  const all = records();
  const count = (type: ContestEvent['type']) => all.filter((record) => record.type === type).length;
  assert.deepEqual([count('match'), count('contest'), count('entries'), count('final')], [2, 6, 2, 1]);
  const entries = all.flatMap((record) => (record.type === 'entries' ? record.entries : []));
  assert.equal(entries.length, 1_500);
  assert.ok(entries.every((entry) => entry.contests[0] === 'final-2019'));
  assert.ok(entries.some((entry) => entry.contests.length > 1));
  const labels = new Set(all.flatMap((record) => (record.type === 'points' ? [record.label] : [])));
  assert.equal(labels.size, 248);
  const starts = all.flatMap((record) => (record.type === 'match' ? [record.startsAt - record.at] : []));
  assert.deepEqual(starts, [86_400_000, 0]);

  const text = printed.join('\n');
  const token = text.match(/--token (\S+)/)?.[1] ?? '';
  const secrets = JSON.parse(readFileSync(join(root, 'whole', 'secrets.json'), 'utf8'));
  const { payload } = await jwtVerify(token, new TextEncoder().encode(secrets.tokenSecret));
  assert.ok(text.includes(`feed:${payload.sub}`));
  assert.ok(entries.some((entry) => entry.user === payload.sub));
  assert.match(text, /watch contest:final-2019 match:final-2019 .*--url ws:\/\/127.0.0.1:4711\/v1\/socket/s);
  assert.match(text, /2\.19\.6 +SL Malinga to SN Thakur: 0, SN Thakur lbw +Chennai Super Kings 148\/7/);

  const [gateway] = started;
  assert.deepEqual(gateway?.args.slice(0, 5), ['all', '--host', '127.0.0.1', '--port', '0']);
  assert.ok(!gateway?.args.some((arg) => arg.includes(secrets.apiKey) || arg.includes(secrets.tokenSecret)));
  assert.equal(gateway?.env['RANKCAST_API_KEY'], secrets.apiKey);
  assert.ok(secrets.apiKey.length >= 32 && secrets.tokenSecret.length >= 32);
  assert.equal(statSync(join(root, 'whole', 'secrets.json')).mode & 0o777, 0o600);
});

test('a second start goes on where the first ended; after the end comes the next match', async () => {
  const at = '"1-04-02-';
  const first = fakeWorld(({ body }) => body.includes(at));
  assert.equal(await runDemo(options('again'), first.world), 0);
  assert.ok(!first.printed.some((text) => text.startsWith('The match is over')));
  const second = fakeWorld();
  await runDemo({ ...options('again'), teams: 9 }, second.world);
  const labels = second.records().map((record) => (record.type === 'points' ? record.label : record.type));
  assert.ok(labels[0] === '1.4.2' || labels[0] === '1.4.3', labels[0]);
  assert.equal(labels.at(-1), 'final');
  assert.ok(!labels.includes('entries'));
  assert.ok(second.printed.some((text) => text.includes('1,500 teams')));
  const third = fakeWorld();
  await runDemo({ ...options('again'), teams: 20, smallContests: 0 }, third.world);
  const [match, contest] = third.records();
  assert.equal(match?.type === 'match' && match.match, 'final-2021');
  assert.equal(contest?.type === 'contest' && contest.contest, 'final-2021');
});

test('a start that was cut off while it seeded seeds anew', async () => {
  const first = fakeWorld(({ body }) => body.includes('"type":"entries"'));
  assert.equal(await runDemo(options('cut'), first.world), 0);
  const second = fakeWorld();
  await runDemo({ ...options('cut'), teams: 9 }, second.world);
  assert.equal(second.records().filter((record) => record.type === 'entries').length, 2);
});

test('a start that was cut off right after the match began does not touch the entries again', async () => {
  const first = fakeWorld(({ body }) => body.includes('"label":"start"'));
  assert.equal(await runDemo(options('began'), first.world), 0);
  const second = fakeWorld();
  await runDemo(options('began'), second.world);
  assert.deepEqual(
    second
      .records()
      .slice(0, 2)
      .map(({ type }) => type),
    ['match', 'points'],
  );
});

test('fans follow along the graph with tokens of their own', async () => {
  let follows = 0;
  const { world, requests, errors } = fakeWorld(({ method }) => {
    if (method === 'PUT') follows += 1;
    return follows === 3;
  });
  const clock = createManualClock(Date.now());
  const running = runDemo({ ...options('fans'), speed: 0.1, fans: 10, teams: 20 }, { ...world, clock });
  while (follows < 3) await clock.advanceSettled(100);
  assert.equal(await running, 0);
  for (const { path, authorization } of requests.filter(({ method }) => method === 'PUT')) {
    const user = /users\/(\d+)\/following\/\d+$/.exec(path)?.[1];
    const claims = JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString());
    assert.equal(claims.sub, user);
  }
  assert.deepEqual(errors, []);
});

test('where others can reach it no token and no secret is shown', async () => {
  const { world, requests, printed } = fakeWorld();
  await runDemo({ ...options('open'), host: '0.0.0.0', teams: 20 }, world);
  const secrets = JSON.parse(readFileSync(join(root, 'open', 'secrets.json'), 'utf8'));
  const text = printed.join('\n');
  assert.ok(!text.includes(secrets.apiKey) && !text.includes(secrets.tokenSecret) && !/eyJ/.test(text));
  assert.match(text, /can be reached from other machines/);
  assert.ok(
    requests.every(({ method, path }) => method === 'POST' && path.startsWith('http://127.0.0.1:4711/')),
  );
});

test('a gateway that ends by itself ends the demo with its sentence', async () => {
  const { world, errors, endGateway } = fakeWorld();
  const running = runDemo({ ...options('ends'), speed: 0.1 }, world);
  await new Promise((resolve) => setImmediate(resolve));
  endGateway('The gateway ended by SIGSEGV; see the log.');
  assert.equal(await running, 1);
  assert.deepEqual(errors, ['The gateway ended by SIGSEGV; see the log.']);
});

test('a gateway that does not start, and a refused record, are sentences', async () => {
  const { world } = fakeWorld();
  const startGateway = () => Promise.reject(new Error('rankcast: port 80 is taken'));
  await assert.rejects(runDemo(options('taken'), { ...world, startGateway }), /port 80 is taken/);
  const refuse: typeof fetch = () => {
    const refused = [{ line: 1, code: 'bad_field', message: 'pointStep is missing' }];
    return Promise.resolve(new Response(JSON.stringify({ taken: 0, versions: [], refused })));
  };
  await assert.rejects(
    runDemo(options('refused'), { ...fakeWorld().world, fetch: refuse }),
    /1 records refused, first match-\d+ \(bad_field\): pointStep is missing\n.*--fresh begins anew/,
  );
});

test('fresh forgets former runs, but removes nothing that the demo did not make', () => {
  const path = join(root, 'fresh');
  const folder = openDemoFolder(path, false);
  folder.writeProgress({ run: 3, teams: 1, smallContests: 1, seeded: true, next: 9 });
  assert.equal(openDemoFolder(path, false).readProgress()?.run, 3);
  assert.deepEqual(openDemoFolder(path, false).secrets, folder.secrets);
  const renewed = openDemoFolder(path, true);
  assert.equal(renewed.readProgress(), null);
  assert.notDeepEqual(renewed.secrets, folder.secrets);
  writeFileSync(join(path, 'thesis.txt'), 'mine');
  assert.throws(() => openDemoFolder(path, true), /holds thesis.txt, which the demo did not make/);
  assert.ok(existsSync(join(path, 'secrets.json')));
});
