import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { projectRoot } from '../project.ts';
import { removeAtEnd } from './guard.ts';

/** Where the kit keeps what it installs, and the data of `npm run services`. */
export const servicesDir = resolve(process.env['RANKCAST_SERVICES_DIR'] ?? join(projectRoot, '.services'));

/** The kit's own files: poms, logging, base settings. */
export const kitDir = join(projectRoot, 'test/services');

/** A short name of the services folder, for names that the whole machine sees. */
export const servicesTag = createHash('sha256').update(servicesDir).digest('hex').slice(0, 12);

/** A new folder for a server's data. It is removed when this process has ended, however it ended. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `rankcast-${name}-`));
  removeAtEnd(folder);
  return folder;
}
