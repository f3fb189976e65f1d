import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * One process owns a data folder. The file `owner` in it names that process: its id and, where the system
 * tells it, the tick it started at, since ids are used again (in a container the next process usually has the
 * same one).
 *
 * A file left behind by a process that lives no more is taken over.
 */
export interface FolderLock {
  release(): void;
}

/** Throws an Error with a sentence when a live process owns the folder. */
export function lockFolder(folder: string): FolderLock {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'owner');
  const mine = ownerLine(process.pid);
  for (let attempt = 0; attempt < takeoversMax; attempt++) {
    if (createExclusive(path, mine)) return { release: () => release(path, mine) };
    const theirs = readOwner(path);
    if (theirs === null) continue;
    if (isAlive(theirs)) {
      throw new Error(
        `The data folder ${folder} is in use by process ${theirs.split(' ')[0]}; ` +
          'only one process may own it.',
      );
    }
    takeAway(path, theirs);
  }
  throw new Error(`The data folder ${folder} could not be locked: its file "owner" keeps changing.`);
}

/** Others may be taking over at the same time; after so many lost races something else is wrong. */
const takeoversMax = 10;

function createExclusive(path: string, line: string): boolean {
  // Linked into place whole, so that nobody ever reads a half-written owner.
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, line);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Moves a dead owner's file away; if another took over in between, what was moved is theirs and is put back.
 */
function takeAway(path: string, expected: string): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (readOwner(aside) !== expected) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
  rmSync(aside, { force: true });
}

function release(path: string, mine: string): void {
  if (readOwner(path) === mine) rmSync(path, { force: true });
}

function readOwner(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function ownerLine(pid: number): string {
  return `${pid} ${statOf(pid)?.startTick ?? '-'}`;
}

function isAlive(owner: string): boolean {
  const [pidText = '', tick = '-'] = owner.split(' ');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    if (codeOf(error) !== 'EPERM') return false;
  }
  const stat = statOf(pid);
  if (stat === null) return true;
  // A zombie holds nothing any more; another start is another process.
  return stat.state !== 'Z' && stat.state !== 'X' && (tick === '-' || tick === stat.startTick);
}

/**
 * From /proc/<pid>/stat (proc(5)): fields 3 and 22. They are counted after the name in brackets, which may
 * itself hold spaces. null: the system has no such file, or none for this process.
 */
function statOf(pid: number): { state: string; startTick: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTick] = [fields[0], fields[19]];
    return state === undefined || startTick === undefined ? null : { state, startTick };
  } catch {
    return null;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
