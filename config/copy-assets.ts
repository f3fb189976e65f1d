/** Part of `npm run build`: puts what is read at run time (Lua scripts, schemas) beside the built files. */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('..', import.meta.url));
const project = join(dist, '..');
const rooms = ['channels', 'workers'];
const endings = ['.lua', '.cql'];

for (const room of rooms) {
  for (const file of readdirSync(join(project, room), { recursive: true, encoding: 'utf8' })) {
    if (!endings.some((ending) => file.endsWith(ending))) continue;
    const target = join(dist, room, file);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(project, room, file), target);
  }
}
