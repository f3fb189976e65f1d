import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Keeps one partition's checkpoint in a folder: files of segments that are only ever added, and one head
 * file that names them. The head takes effect by a rename after everything it names is on the disk, so a
 * crash at any moment leaves the former checkpoint or the new one. Lengths and hashes tell a damaged file.
 */
export interface CheckpointStore {
  /** The newest whole checkpoint; or why there is none to use. */
  load(): Promise<Checkpoint | { reason: string }>;
  /**
   * Adds a segment (empty: none) and replaces the head. `whole`: the segment takes the place of all before
   * it. When it fails, the segment goes with the next save. One save at a time.
   */
  save(segment: Uint8Array, head: Uint8Array, whole: boolean): Promise<void>;
  /** Forgets everything, for a rebuild from the log. */
  clear(): Promise<void>;
  /** Segments that the head names or that wait for a save. */
  readonly segments: number;
}
interface Checkpoint {
  segments: Uint8Array[];
  head: Uint8Array;
}

interface Manifest {
  format: 1;
  segments: FileSum[];
  head: FileSum;
}
interface FileSum {
  file: string;
  bytes: number;
  sha1: string;
}

export function createCheckpointStore(folder: string): CheckpointStore {
  let kept: FileSum[] = [];
  let waiting: Uint8Array[] = [];
  let wholeWaits = false;
  let lastNo = 0;

  async function loadManifest(): Promise<Manifest | { reason: string }> {
    const file = await readIfThere(join(folder, 'head'));
    if (file === null) return { reason: 'there is none yet' };
    const end = file.indexOf(10);
    const line = file.subarray(41, Math.max(end, 41));
    if ((await sha1(line)) !== file.subarray(0, 40).toString()) {
      return { reason: 'its head file is damaged' };
    }
    const manifest = JSON.parse(line.toString()) as Manifest;
    if (manifest.format !== 1) return { reason: `its format ${String(manifest.format)} is not known here` };
    return manifest;
  }

  async function removeOthers(): Promise<void> {
    const named = new Set(['head', ...kept.map((sum) => sum.file)]);
    for (const file of await readdir(folder)) {
      if (!named.has(file)) await rm(join(folder, file), { force: true });
    }
  }

  return {
    async load() {
      await mkdir(folder, { recursive: true });
      for (const file of await readdir(folder)) {
        lastNo = Math.max(lastNo, Number(/^segment-(\d+)$/.exec(file)?.[1] ?? 0));
      }
      const manifest = await loadManifest();
      if ('reason' in manifest) return manifest;
      const segments: Uint8Array[] = [];
      for (const sum of manifest.segments) {
        const bytes = await readIfThere(join(folder, sum.file));
        if (bytes === null || !(await fits(sum, bytes))) {
          return { reason: `its segment ${sum.file} is missing or damaged` };
        }
        segments.push(bytes);
      }
      const file = await readFile(join(folder, 'head'));
      const head = file.subarray(file.indexOf(10) + 1);
      if (!(await fits(manifest.head, head))) return { reason: 'its head is damaged' };
      kept = manifest.segments;
      await removeOthers();
      return { segments, head };
    },

    async save(segment, head, whole) {
      if (whole) {
        waiting = [];
        wholeWaits = true;
      }
      if (segment.byteLength > 0) waiting.push(segment);
      const sums: FileSum[] = wholeWaits ? [] : [...kept];
      for (const bytes of waiting) {
        lastNo += 1;
        const file = `segment-${String(lastNo).padStart(8, '0')}`;
        await writeDurable(join(folder, file), [bytes]);
        sums.push(await sumOf(file, bytes));
      }
      const manifest: Manifest = { format: 1, segments: sums, head: await sumOf('head', head) };
      const line = Buffer.from(JSON.stringify(manifest));
      const next = join(folder, 'head.next');
      await writeDurable(next, [Buffer.from(`${await sha1(line)} `), line, Buffer.from('\n'), head]);
      await rename(next, join(folder, 'head'));
      await syncFolder(folder);
      kept = sums;
      waiting = [];
      wholeWaits = false;
      await removeOthers();
    },

    async clear() {
      await mkdir(folder, { recursive: true });
      await rm(join(folder, 'head'), { force: true });
      kept = [];
      waiting = [];
      wholeWaits = false;
      await removeOthers();
    },

    get segments() {
      return (wholeWaits ? 0 : kept.length) + waiting.length;
    },
  };
}

const hashSliceBytes = 4 * 1024 * 1024;

/** In slices: a segment of a million entries takes a tenth of a second, too long for one turn. */
async function sha1(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha1');
  for (let at = 0; at < bytes.byteLength; at += hashSliceBytes) {
    if (at > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    hash.update(bytes.subarray(at, at + hashSliceBytes));
  }
  return hash.digest('hex');
}
async function sumOf(file: string, bytes: Uint8Array): Promise<FileSum> {
  return { file, bytes: bytes.byteLength, sha1: await sha1(bytes) };
}
async function fits(sum: FileSum, bytes: Uint8Array): Promise<boolean> {
  return bytes.byteLength === sum.bytes && (await sha1(bytes)) === sum.sha1;
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function writeDurable(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const part of parts) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The rename itself must be on the disk before what it replaced is removed. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
