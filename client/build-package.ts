/**
 * Builds what the package `rankcast-client` publishes into client/dist: the SDK with the wire's code bundled
 * in (for bundlers and Node, and minified for pages without a bundler) and its types. `npm run build:client`
 * prints the sizes.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';

/**
 * What pages load, gzipped: a little above what it is, so that growth is decided, not noticed later. It fits
 * the ten segments (14,600 bytes) that a server sends before the first answer of a phone (RFC 6928).
 */
export const minGzipBytesMax = 13_000;

export interface PackageSizes {
  /** Bytes of rankcast-client.min.js. */
  minBytes: number;
  minGzipBytes: number;
}

/** `client`: the folder client/ of the sources. Throws where the types do not hold. */
export async function buildClientPackage(client: string): Promise<PackageSizes> {
  const dist = join(client, 'dist');
  rmSync(dist, { recursive: true, force: true });
  emitTypes(client, join(dist, 'types'));
  const shared: BuildOptions = {
    entryPoints: [join(client, 'rankcast-client.ts')],
    bundle: true,
    format: 'esm',
    // neither Node nor browser: an import of a Node module fails the build
    platform: 'neutral',
    target: 'es2022',
    logLevel: 'warning',
  };
  const { version } = JSON.parse(readFileSync(join(client, 'package.json'), 'utf8')) as { version: string };
  const banner = { js: `/*! rankcast-client ${version} | MIT */` };
  await build({ ...shared, banner, outfile: join(dist, 'rankcast-client.js') });
  const min = join(dist, 'rankcast-client.min.js');
  await build({ ...shared, banner, minify: true, legalComments: 'none', outfile: min });
  const bytes = readFileSync(min);
  return { minBytes: bytes.length, minGzipBytes: gzipSync(bytes, { level: 9 }).length };
}

/** Declarations of what the entry reaches; importers of the package find them as they find the JavaScript. */
function emitTypes(client: string, types: string): void {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(client, 'tsconfig.json')], { stdio: 'inherit' });
  const reached = new Set<string>();
  reach(join(types, 'client/rankcast-client.d.ts'), reached);
  for (const file of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
    const path = join(types, file);
    if (file.endsWith('.d.ts') && !reached.has(path)) rmSync(path);
  }
}

function reach(path: string, reached: Set<string>): void {
  if (reached.has(path)) return;
  reached.add(path);
  const text = readFileSync(path, 'utf8');
  for (const [, target] of text.matchAll(/from '(\.[^']+)\.ts'/g)) {
    const next = join(dirname(path), `${target}.d.ts`);
    if (!existsSync(next)) throw new Error(`${path} names ${target}, of which there are no types`);
    reach(next, reached);
  }
  // outside this project nobody allows the extension .ts in imports
  writeFileSync(path, text.replaceAll(/from '(\.[^']+)\.ts'/g, "from '$1.js'"));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  // the compiled file stands in dist/client, the sources beside dist
  const client = fileURLToPath(new URL('../../client', import.meta.url));
  const { minBytes, minGzipBytes } = await buildClientPackage(client);
  process.stdout.write(
    `rankcast-client.min.js: ${minBytes} bytes, ${minGzipBytes} gzipped (limit ${minGzipBytesMax})\n`,
  );
  if (minGzipBytes > minGzipBytesMax) process.exitCode = 1;
}
