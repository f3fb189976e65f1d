import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from '../project.ts';
import { parseIgnoreFile } from './ignore-file.ts';
import { buildImage, filesOf, type Image } from './image-build.ts';

/**
 * The image, built from the Dockerfile without Docker in an empty folder by a plain user, and run as it says.
 * npm takes what it has in its cache, and the rest from the registry.
 */
const folder = mkdtempSync(join(tmpdir(), 'rankcast-image-'));
/** `nobody`, where root runs this. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null;
/** Everything but the base image. Most of it is node_modules, of that the socket library and LMDB. */
const imageBytesMax = 60_000_000;
const readyTimeoutMs = 30_000;
const keys = {
  RANKCAST_API_KEY: randomBytes(24).toString('hex'),
  RANKCAST_TOKEN_SECRET: randomBytes(24).toString('hex'),
};
let image: Image;

before(() => {
  const home = join(folder, 'home');
  mkdirSync(home);
  const cache = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim();
  if (existsSync(join(cache, '_cacache'))) {
    cpSync(join(cache, '_cacache'), join(home, '.npm/_cacache'), { recursive: true });
  }
  if (user !== null) execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, folder]);
  image = buildImage({
    dockerfile: readFileSync(join(projectRoot, 'Dockerfile'), 'utf8'),
    context: projectRoot,
    ignored: parseIgnoreFile(readFileSync(join(projectRoot, '.dockerignore'), 'utf8')),
    folder,
    user,
    environment: { PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter), HOME: home },
  });
});
after(() => rmSync(folder, { recursive: true, force: true }));

const environment = (more: Record<string, string> = {}) => ({ ...image.environment, ...more });
const asUser = () => user ?? {};
const command = () => image.entrypoint[0] ?? '';

test('the image holds what it needs to run and nothing else', () => {
  const files = filesOf(image.at('/app'));
  const top = new Set(files.map((file) => file.split('/')[0]));
  assert.deepEqual([...top].sort(), [
    'LICENSE',
    'NOTICE',
    'bin',
    'demo',
    'dist',
    'node_modules',
    'package.json',
  ]);
  const binaries = files.filter((file) => /uws_.*\.node$/.test(file)).map((file) => file.split('/').at(-1));
  assert.deepEqual(binaries, [`uws_${process.platform}_${process.arch}_${process.versions.modules}.node`]);
  const stores = files.filter((file) => /@lmdb\/.*\.node$/.test(file)).map((file) => file.split('/').at(-1));
  assert.deepEqual(
    stores.filter((file) => file?.includes('musl') || !file?.match(`napi|abi${process.versions.modules}`)),
    [],
  );
  assert.ok(stores.length > 0);
  const { devDependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const modules = new Set(readdirSync(image.at('node_modules')));
  for (const name of Object.keys(devDependencies)) assert.ok(!modules.has(name), `${name} is in the image`);
  assert.ok(modules.has('ws'), 'the fallback is missing');
  assert.deepEqual(
    files.filter(
      (file) => /(^|\/)\.(git|env|rankcast)(\/|$)|\.test\.js$/.test(file) && !file.includes('node_modules'),
    ),
    [],
  );
  const bytes = files.reduce((sum, file) => sum + lstatSync(join(image.at('/app'), file)).size, 0);
  process.stdout.write(`the image beside its base: ${Math.round(bytes / 1e6)} MB\n`);
  assert.ok(bytes <= imageBytesMax, `${bytes} bytes`);
});

test('it runs as a plain user by number, without a shell in between', () => {
  assert.match(image.user, /^[1-9]\d*(:[1-9]\d*)?$/);
  assert.deepEqual(image.entrypoint, ['rankcast']);
  assert.deepEqual(image.command, ['all']);
  assert.equal(image.stopSignal, 'SIGTERM');
});

test('without keys it refuses to start and says what is missing', () => {
  const { status, stderr } = spawnSync(command(), ['all'], {
    ...{ cwd: image.workdir, env: environment(), encoding: 'utf8' },
    ...asUser(),
  });
  assert.equal(status, 2);
  assert.match(stderr, /no API key/);
  assert.match(stderr, /no token key/);
});

test('it gets ready, is healthy, keeps data in the volume, and ends at its stop signal with 0', async () => {
  const [port, opsPort] = [await freePort(), await freePort()];
  const env = environment({ ...keys, RANKCAST_PORT: String(port), RANKCAST_OPS_PORT: String(opsPort) });
  const child = start(env);
  try {
    await ready(`http://127.0.0.1:${opsPort}/readyz`, child);
    assert.equal(healthCheck(env), 0);
    const answer = await fetch(`http://127.0.0.1:${port}/openapi.json`);
    assert.equal(answer.status, 200);
    assert.ok(existsSync(image.at('/data/store')), 'the data is not in the volume');
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill(image.stopSignal as NodeJS.Signals);
    assert.equal(await ended, 0);
    assert.equal(healthCheck(env), 1);
  } finally {
    child.kill('SIGKILL');
  }
});

test('its other commands run by the same name', () => {
  const say = (args: string[]) =>
    execFileSync(command(), args, {
      cwd: image.workdir,
      env: environment(keys),
      encoding: 'utf8',
      ...asUser(),
    });
  assert.match(say(['adapter']), /^(uws|ws)\n$/);
  assert.match(say(['token', '--user', 'ann']), /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  assert.match(say(['check-config']), /"data": ".*\/data"/);
});

function start(env: Record<string, string>): ChildProcess & { said: string } {
  const [name = '', ...args] = [...image.entrypoint, ...image.command];
  const child = spawn(name, args, {
    ...{ cwd: image.workdir, env, stdio: ['ignore', 'pipe', 'pipe'] as const },
    ...asUser(),
  });
  const told = Object.assign(child, { said: '' });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told.said += text;
  });
  return told;
}

function healthCheck(env: Record<string, string>): number | null {
  const [name = '', ...args] = image.healthCheck;
  return spawnSync(name, args, { cwd: image.workdir, env, ...asUser() }).status;
}

async function ready(url: string, child: ChildProcess & { said: string }): Promise<void> {
  for (const until = Date.now() + readyTimeoutMs; ; ) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    assert.equal(child.exitCode, null, child.said);
    assert.ok(Date.now() < until, `${url}: ${status}\n${child.said}`);
    await delay(50);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
