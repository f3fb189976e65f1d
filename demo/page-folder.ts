/** The page as the gateway serves it: the built files, and `demo.json` that names the demo's API. */
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Compiling alone does not build it; `npm run build` does. */
export function isPageBuilt(built: string): boolean {
  return existsSync(join(built, 'index.html'));
}

export function writePageFolder(built: string, folder: string, apiPort: number): void {
  rmSync(folder, { recursive: true, force: true });
  cpSync(built, folder, { recursive: true });
  writeFileSync(join(folder, 'demo.json'), `${JSON.stringify({ apiPort })}\n`);
}
