#!/usr/bin/env node
// Removes from node_modules the uWebSockets.js binaries that the Node running this cannot load: the package carries
// one for every platform and version of Node, 250 MB in all. Usage: node prune-binaries.mjs <node_modules>
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const modules = process.argv[2];
if (modules === undefined) {
  process.stderr.write('usage: node prune-binaries.mjs <node_modules>\n');
  process.exit(2);
}
const folder = join(modules, 'uWebSockets.js');
// as uws.js names it
const wanted = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
const binaries = readdirSync(folder).filter((file) => /^uws_.*\.node$/.test(file));
let bytes = 0;
let removed = 0;
for (const file of binaries) {
  if (file === wanted) continue;
  bytes += statSync(join(folder, file)).size;
  rmSync(join(folder, file));
  removed += 1;
}
// without one, the adapter on `ws` takes over at start and says so
const kept = binaries.includes(wanted) ? `kept ${wanted}` : `there is no ${wanted}`;
process.stdout.write(`${kept}, removed ${removed} others (${Math.round(bytes / 1e6)} MB)\n`);
