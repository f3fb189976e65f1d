import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ServiceError } from '../../proto/codes.ts';
import { seededRandom } from '../random.ts';
import { type EmbeddedStore, openEmbeddedStore } from './store.embedded.ts';

/**
 * A process that writes until it is killed without warning, and one whose disk is full for a while. This
 * file is all of them: the tests, and with arguments the processes.
 */
const self = fileURLToPath(import.meta.url);
/** Of util-linux: lifts a limit of a process that runs. */
const limiter = 'prlimit';

if (process.argv[2] === 'life') await live(process.argv[3]!);
else if (process.argv[2] === 'full') await meetFullDisk(process.argv[3]!);
else {
  test('kill -9 leaves every transaction whole or not at all', { timeout: 60_000 }, async (t) => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
    t.diagnostic(`SEED=${seed}`);
    const random = seededRandom(seed);
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-kill-'));
    try {
      for (let no = 0; no < 6; no++) {
        const told = await killed(folder, 1 + Math.floor(random() * 60));
        const store = openEmbeddedStore(folder);
        const { a, b } = numbers(store);
        assert.deepEqual(a, b, 'both tables have what one transaction wrote');
        assert.ok(a.length >= told, `${told} were told, ${a.length} are there`);
        await store.close();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  const skip = fullDiskMissing();
  test('a full disk refuses writes with a retryable error, and takes them again after', {
    skip,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rankcast-full-'));
    try {
      // The shell ignores the signal of the limit, so that a write answers "file too large" instead of
      // ending it.
      const command = `trap '' XFSZ; ulimit -S -f 600; exec ${JSON.stringify(process.execPath)} "$@"`;
      const child = spawn('bash', ['-c', command, 'bash', self, 'full', folder], {
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      const lines: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        lines.push(line);
        if (line !== 'refused') continue;
        execFileSync(limiter, ['--pid', String(child.pid), '--fsize=unlimited']);
        child.stdin.write('more\n');
      }
      assert.equal(lines[0], 'refused');
      assert.match(lines[1] ?? '', /^\d+ before, 1 after, \d+ kept$/);
      const [before, after, kept] = lines[1]!.match(/\d+/g)!.map(Number);
      assert.equal(kept, before! + after!);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Answers how many writes the process told of. */
async function killed(folder: string, enough: number): Promise<number> {
  const child = spawn(process.execPath, [self, 'life', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  let lines = 0;
  let told = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    told = Number(line);
    if (++lines === enough) child.kill('SIGKILL');
  }
  await exit;
  assert.ok(lines >= enough, 'the process ended by itself');
  return told;
}

function numbers(store: EmbeddedStore): { a: number[]; b: number[] } {
  const { a, b } = { a: store.table('a'), b: store.table('b') };
  return { a: [...a.getKeys()].map(Number), b: [...b.getKeys()].map(Number) };
}

/** Each transaction writes a run of numbers into two tables; says how many numbers stand. */
async function live(folder: string): Promise<void> {
  const store = openEmbeddedStore(folder);
  const tables = [store.table('a'), store.table('b')];
  let next = numbers(store).a.length;
  for (;;) {
    const from = next;
    next += 1 + (from % 50);
    await store.write(() => {
      for (const table of tables) {
        for (let n = from; n < next; n++) table.put(n, Buffer.alloc(200, n));
      }
    });
    process.stdout.write(`${next}\n`);
  }
}

async function meetFullDisk(folder: string): Promise<void> {
  const store = openEmbeddedStore(folder);
  const table = store.table('t');
  const write = (key: number) => store.write(() => table.put(key, Buffer.alloc(10_000)));
  let before = 0;
  try {
    for (;;) {
      await Promise.all([write(before), write(before)]);
      before++;
    }
  } catch (error) {
    if (!(error instanceof ServiceError && error.retryable)) throw error;
  }
  process.stdout.write('refused\n');
  await once(process.stdin, 'data');
  await write(before);
  process.stdout.write(`${before} before, 1 after, ${table.getKeysCount()} kept\n`);
  await store.close();
  process.stdin.destroy();
}

/** Why the disk of a process cannot be made full here. */
function fullDiskMissing(): string | false {
  try {
    execFileSync(limiter, ['--version'], { stdio: 'ignore' });
    execFileSync('bash', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs bash and prlimit (util-linux) to limit the size of files';
  }
}
