import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { buildClientPackage, minGzipBytesMax } from '../../client/build-package.ts';
import { projectRoot } from '../project.ts';
import { blocksOf } from '../readme-blocks.ts';
import { Gateway } from './gateway.ts';

/** The package as apps have it: packed from a copy of the sources, installed into an empty folder. */
const folder = mkdtempSync(join(tmpdir(), 'rankcast-client-'));
const app = join(folder, 'app');
const installed = join(app, 'node_modules/rankcast-client');
const gateway = new Gateway();
const outputTimeoutMs = 20_000;

before(async () => {
  const client = join(folder, 'client');
  for (const room of ['client', 'proto', 'tsconfig.json', 'package.json']) {
    cpSync(join(projectRoot, room), join(folder, room), {
      recursive: true,
      filter: (path) => !path.startsWith(join(projectRoot, 'client/dist')),
    });
  }
  const { minBytes, minGzipBytes } = await buildClientPackage(client);
  process.stdout.write(`rankcast-client.min.js: ${minBytes} bytes, ${minGzipBytes} gzipped\n`);
  assert.ok(
    minGzipBytes <= minGzipBytesMax,
    `${minGzipBytes} bytes gzipped; the limit is ${minGzipBytesMax}`,
  );
  assert.ok(minGzipBytes > minGzipBytesMax * 0.85, `the limit of ${minGzipBytesMax} guards nothing any more`);
  // built already: the script that builds it again needs the whole repository
  npm(['pack', '--ignore-scripts', '--pack-destination', folder, client], folder);
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{"private":true,"type":"module"}');
  const packed = join(folder, readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? 'nothing');
  npm(['install', '--offline', '--no-audit', '--no-fund', packed, join(projectRoot, 'node_modules/ws')], app);
  await gateway.start();
});
after(async () => {
  await gateway.remove();
  rmSync(folder, { recursive: true, force: true });
});

function npm(args: readonly string[], cwd: string): void {
  execFileSync('npm', ['--loglevel=error', ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, npm_config_cache: join(folder, 'cache') },
  });
}

const filesOf = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

test('the package holds what it says and nothing else, under the version of the gateway', () => {
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  const root = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as Record<string, unknown>;
  assert.equal(manifest['version'], root['version']);
  assert.equal(manifest['dependencies'], undefined);
  const names = filesOf(installed).map((file) => file.slice(installed.length + 1));
  for (const name of ['LICENSE', 'README.md', 'dist/rankcast-client.js', 'dist/rankcast-client.min.js']) {
    assert.ok(names.includes(name), `${name} is missing`);
  }
  const said = `under ${minGzipBytesMax / 1_000} kB gzipped`;
  assert.ok(readFileSync(join(installed, 'README.md'), 'utf8').includes(said), `README.md: not ${said}`);
  const others = names.filter(
    (name) => !/^(package\.json|LICENSE|README\.md|dist\/.*\.(js|d\.ts))$/.test(name),
  );
  assert.deepEqual(others, []);
  assert.equal(
    readFileSync(join(installed, 'LICENSE'), 'utf8'),
    readFileSync(join(projectRoot, 'LICENSE'), 'utf8'),
  );
});

test('nothing in it needs Node: no import is left, no global of Node is named', () => {
  for (const name of ['rankcast-client.js', 'rankcast-client.min.js']) {
    const text = readFileSync(join(installed, 'dist', name), 'utf8');
    assert.doesNotMatch(text, /\bfrom\s*["']|\bimport\s*\(|\brequire\s*\(/, name);
    const code = text
      .replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
      .replace(/"[^"\n]*"|'[^'\n]*'|`[^`]*`/g, '""');
    assert.doesNotMatch(code, /\b(Buffer|process|setImmediate|__dirname)\b/, name);
  }
});

test('the ten lines of its README run in Node against a gateway, and show the own rank', async () => {
  await seedQuiz('quiz');
  const tokens = createServer((_request, response) => response.end(gateway.token('ann')));
  await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve));
  const example = blocksOf(join(projectRoot, 'client/README.md')).find(({ language }) => language === 'js');
  assert.ok(example);
  const lines = example.text.split('\n').filter((line) => line.trim() !== '');
  assert.ok(lines.length <= 11, `${lines.length} lines are not ten`);
  const { port } = tokens.address() as AddressInfo;
  const text = example.text
    .replace('http://127.0.0.1:8080', gateway.url)
    .replace('http://127.0.0.1:3000', `http://127.0.0.1:${port}`);
  writeFileSync(join(app, 'example.js'), text);
  try {
    await outputOf(join(app, 'example.js'), /^team-a: 5, rank 2 of 2$/m);
  } finally {
    tokens.close();
  }
});

test('the minified bundle is the same client', async () => {
  await seedQuiz('min');
  writeFileSync(
    join(app, 'min.js'),
    `import { connect, RankcastError } from 'rankcast-client/rankcast-client.min.js';
    import { WebSocket } from 'ws';
    const [url, token] = ${JSON.stringify([gateway.url, gateway.token('ben')])};
    const client = connect({ url, token, WebSocket, unknownWaitMs: 0 });
    client.contest('nothing-of-this-name').on('error', (error) => {
      console.log(error instanceof RankcastError, error.code);
      client.contest('min').on('board', async ({ version }) => {
        const { ranks } = await client.ranks('min', ['team-b'], { minVersion: version });
        console.log(JSON.stringify(ranks));
      });
    });`,
  );
  const said = await outputOf(join(app, 'min.js'), /"rank":1/);
  assert.match(said, /^true unknown_contest$/m);
  assert.match(said, /^\[\{"entry":"team-b","score":7,"rank":1\}\]$/m);
});

test('a page script takes it through a bundler for browsers', async () => {
  writeFileSync(
    join(app, 'page.js'),
    `import { connect } from 'rankcast-client';
    const client = connect({ url: location.origin, token: () => fetch('/token').then((a) => a.text()) });
    client.contest('quiz').on('board', (board) => { document.title = String(board.version); });`,
  );
  const { warnings, outputFiles, metafile } = await build({
    entryPoints: [join(app, 'page.js')],
    bundle: true,
    minify: true,
    platform: 'browser',
    write: false,
    metafile: true,
    absWorkingDir: app,
  });
  assert.deepEqual(warnings, []);
  assert.equal(outputFiles.length, 1);
  assert.deepEqual(Object.keys(metafile.inputs).sort(), [
    'node_modules/rankcast-client/dist/rankcast-client.js',
    'page.js',
  ]);
});

for (const [resolution, module] of [
  ['nodenext', 'nodenext'],
  ['bundler', 'esnext'],
]) {
  test(`TypeScript of an app holds against its types (${resolution}), and finds a mistake`, () => {
    writeFileSync(
      join(app, 'app.ts'),
      `import { type Board, connect, type ContestRoom, type Gap, RankcastError } from 'rankcast-client';
      const client = connect({ url: 'https://live.example', token: async () => 'token' });
      const room: ContestRoom = client.contest('quiz');
      room.on('board', (board: Board) => console.log(board.top[0]?.user, board.total.toFixed(0)));
      room.on('ranks', ({ changed }) => changed.map((entry) => entry.rank ?? 0));
      client.feed().on('message', ({ data }) => console.log(data.user));
      client.feed().on('gap', (gap: Gap) => console.log(gap.to));
      client.notices<{ text: string }>().on('message', ({ data }) => data.text.trim());
      client.on('error', (error) => error instanceof RankcastError && error.code === 'order');
      // @ts-expect-error there is no such event
      room.on('nothing', () => {});
      // @ts-expect-error a rank may not be told yet
      export const rank: number = room.entries[0]!.rank;`,
    );
    const config = {
      compilerOptions: {
        ...{ strict: true, noEmit: true, skipLibCheck: false, target: 'es2022', types: [] },
        ...{ lib: ['es2022', 'dom'], module, moduleResolution: resolution },
      },
      files: ['app.ts'],
    };
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc');
    try {
      execFileSync(process.execPath, [tsc, '-p', app], { encoding: 'utf8' });
    } catch (error) {
      assert.fail((error as { stdout: string }).stdout);
    }
  });
}

async function seedQuiz(contest: string): Promise<void> {
  const at = Date.now();
  const entry = (name: string, user: string) => ({ entry: name, user, contests: [contest] });
  const entries = [entry('team-a', 'ann'), entry('team-b', 'ben')];
  const answer = await gateway.ingest('contest-events', [
    { type: 'contest', id: 'r1', at, contest, kind: 'scores' },
    { type: 'entries', id: 'r2', at, contest, entries },
    { type: 'score', id: 'r3', at, contest, entry: 'team-b', score: 7 },
    { type: 'score', id: 'r4', at, contest, entry: 'team-a', score: 5 },
  ]);
  assert.deepEqual(answer.refused, []);
}

/** Runs a script of the app until it has said what is expected. */
function outputOf(script: string, expected: RegExp): Promise<string> {
  const child = spawn(process.execPath, [script], {
    cwd: dirname(script),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), outputTimeoutMs);
    const hear = (text: string) => {
      said += text;
      if (expected.test(said)) child.kill('SIGTERM');
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    child.once('exit', () => {
      clearTimeout(timer);
      if (expected.test(said)) resolve(said);
      else reject(new Error(`${script} did not say ${expected}, but:\n${said}\n${gateway.log}`));
    });
  });
}
