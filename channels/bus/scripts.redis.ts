import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The bus's scripts, each with its SHA-1 for EVALSHA. */
export interface Script {
  readonly sha: string;
  readonly text: string;
}

const epoch = read('./epoch.lua');

export const appendScript = script('./append.lua');
export const historyScript = script('./history.lua');
export const headsScript = script('./heads.lua');
export const beatScript = script('./beat.lua');
export const allScripts: readonly Script[] = [appendScript, historyScript, headsScript, beatScript];

function script(file: string): Script {
  const text = `${epoch}\n${read(file)}`;
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
function read(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8');
}
