#!/usr/bin/env node
// Removes from node_modules binaries that the Node running this cannot load: uWebSockets.js carries one for every
// platform and version of Node, 250 MB in all, LMDB one for each version and C library.
// Usage: node prune-binaries.mjs <node_modules>
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const modules = process.argv[2];
if (modules === undefined) {
  process.stderr.write('usage: node prune-binaries.mjs <node_modules>\n');
  process.exit(2);
}
const { platform, arch, versions } = process;
const library = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';

/** Of the files in the folder that match, keeps those wanted. */
function prune(folder, isBinary, wanted) {
  if (!existsSync(folder)) return;
  const binaries = readdirSync(folder).filter((file) => isBinary.test(file));
  let bytes = 0;
  const others = binaries.filter((file) => !wanted.includes(file));
  for (const file of others) {
    bytes += statSync(join(folder, file)).size;
    rmSync(join(folder, file));
  }
  const kept = wanted.filter((file) => binaries.includes(file));
  const said = kept.length > 0 ? `kept ${kept.join(', ')}` : `there is no ${wanted.join(' or ')}`;
  process.stdout.write(`${said}, removed ${others.length} others (${Math.round(bytes / 1e6)} MB)\n`);
}

// as uws.js names it; without one, the adapter on `ws` takes over at start and says so
prune(join(modules, 'uWebSockets.js'), /^uws_.*\.node$/, [`uws_${platform}_${arch}_${versions.modules}.node`]);
// as node-gyp-build names them: that of this version, and the one for all versions
prune(join(modules, `@lmdb/lmdb-${platform}-${arch}`), /^node\..*\.node$/, [
  `node.abi${versions.modules}.${library}.node`,
  `node.napi.${library}.node`,
]);
