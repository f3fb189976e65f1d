/**
 * What the demo keeps between starts, in one folder: `secrets.json` (made at random, for the owner only),
 * `progress.json`, the gateway's log and its data.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Secrets {
  apiKey: string;
  tokenSecret: string;
  /** Lets in who opens the page from another machine. */
  guestKey: string;
}
/** Where the demo is. `run`: the match is played for the n-th time, under ids of its own. */
export interface Progress {
  run: number;
  /** With so many it is seeded, whatever the flags of later starts say. */
  teams: number;
  smallContests: number;
  /** All teams are in. */
  seeded: boolean;
  /** Of the match's deliveries, from 0; one beyond their number: the match is final. */
  next: number;
}
export interface DemoFolder {
  /** Of the gateway's data. */
  readonly data: string;
  /** Of the page that the gateway serves. */
  readonly page: string;
  /** Of the gateway's log. */
  readonly log: string;
  readonly secrets: Secrets;
  /** null: there was no start before. */
  readProgress(): Progress | null;
  writeProgress(progress: Progress): void;
}

const known = ['secrets.json', 'progress.json', 'progress.json.new', 'gateway.log', 'data', 'page'];

/** Throws a sentence when `fresh` would remove what the demo did not make. */
export function openDemoFolder(path: string, fresh: boolean): DemoFolder {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (fresh) empty(path);
  const progressFile = join(path, 'progress.json');
  return {
    data: join(path, 'data'),
    page: join(path, 'page'),
    log: join(path, 'gateway.log'),
    secrets: readSecrets(join(path, 'secrets.json')),
    readProgress: () => {
      if (!existsSync(progressFile)) return null;
      return JSON.parse(readFileSync(progressFile, 'utf8')) as Progress;
    },
    // a new file, then the name: a cut in between leaves the old one whole
    writeProgress: (progress) => {
      writeFileSync(`${progressFile}.new`, `${JSON.stringify(progress)}\n`);
      renameSync(`${progressFile}.new`, progressFile);
    },
  };
}

function empty(path: string): void {
  const strange = readdirSync(path).filter((name) => !known.includes(name));
  if (strange.length > 0) {
    throw new Error(
      `--fresh: ${path} holds ${strange[0]}, which the demo did not make; remove the folder by hand`,
    );
  }
  for (const name of known) rmSync(join(path, name), { recursive: true, force: true });
}

/** Made where they are missing; kept where they are there. */
function readSecrets(file: string): Secrets {
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>) : {};
  const secrets = {
    apiKey: randomBytes(24).toString('hex'),
    tokenSecret: randomBytes(32).toString('hex'),
    guestKey: randomBytes(9).toString('base64url'),
    ...kept,
  };
  writeFileSync(file, `${JSON.stringify(secrets)}\n`, { mode: 0o600 });
  return secrets;
}
