import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEmbeddedStore } from './store.embedded.ts';

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rankcast-store-'));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('a second owner of a folder is refused with a sentence, also inside the process', () =>
  withFolder(async (folder) => {
    const store = openEmbeddedStore(folder);
    assert.throws(
      () => openEmbeddedStore(folder),
      (error) => {
        assert.match(
          String(error),
          /The data folder .* is in use by process \d+; only one process may own it/,
        );
        return String(error).includes(folder);
      },
    );
    await store.close();
    await openEmbeddedStore(folder).close();
  }));

test('a folder of another live process is refused, of a dead one taken over', () =>
  withFolder(async (folder) => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(other, 'spawn');
    writeFileSync(join(folder, 'owner'), `${other.pid} -`);
    assert.throws(() => openEmbeddedStore(folder), new RegExp(`in use by process ${other.pid};`));
    other.kill('SIGKILL');
    await once(other, 'exit');
    const store = openEmbeddedStore(folder);
    assert.equal(readFileSync(join(folder, 'owner'), 'utf8').split(' ')[0], String(process.pid));
    await store.close();
  }));

test('a file left by a process whose id is used again is taken over', { skip: procMissing() }, () =>
  withFolder(async (folder) => {
    // As in a container, where the process of every start has the same id.
    writeFileSync(join(folder, 'owner'), `${process.pid} 1`);
    await openEmbeddedStore(folder).close();
  }),
);

test('a file without sense is taken over', () =>
  withFolder(async (folder) => {
    for (const line of ['', 'x', '-1 5', '0 -']) {
      writeFileSync(join(folder, 'owner'), line);
      await openEmbeddedStore(folder).close();
    }
  }));

test('writes run one after another and resolve in the order asked for', () =>
  withFolder(async (folder) => {
    const store = openEmbeddedStore(folder);
    const table = store.table('t');
    const resolved: number[] = [];
    const writes = Array.from({ length: 500 }, (_, n) => {
      const write = store.write(() => {
        const before = table.get('n')?.readUInt32BE(0) ?? 0;
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32BE(before + 1);
        table.put('n', bytes);
        return before;
      });
      return write.then((before) => {
        assert.equal(before, n);
        resolved.push(n);
        // What is told is there to be read.
        assert.ok(table.get('n')!.readUInt32BE(0) > n);
      });
    });
    await Promise.all(writes);
    assert.deepEqual(
      resolved,
      Array.from({ length: 500 }, (_, n) => n),
    );
    await store.close();
    await assert.rejects(
      store.write(() => 1),
      /is closed/,
    );
  }));

test('an action that throws before writing rejects alone', () =>
  withFolder(async (folder) => {
    const store = openEmbeddedStore(folder);
    const table = store.table('t');
    const [one, two, three] = await Promise.allSettled([
      store.write(() => table.put('a', Buffer.from('a'))),
      store.write(() => {
        throw new Error('not this one');
      }),
      store.write(() => table.put('b', Buffer.from('b'))),
    ]);
    assert.deepEqual([one?.status, two?.status, three?.status], ['fulfilled', 'rejected', 'fulfilled']);
    assert.equal(table.getKeysCount(), 2);
    await store.close();
  }));

test('one table too many is refused with a sentence', () =>
  withFolder(async (folder) => {
    const store = openEmbeddedStore(folder, { tablesMax: 2 });
    store.table('a');
    store.table('b');
    assert.equal(store.table('a'), store.table('a'));
    assert.throws(() => store.table('c'), /at most 2 tables; "c" is one more/);
    await store.close();
  }));

function procMissing(): boolean {
  try {
    readFileSync('/proc/self/stat');
    return false;
  } catch {
    return true;
  }
}
