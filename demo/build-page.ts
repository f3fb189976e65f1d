/**
 * Bundles the page into `dist/page/`: scripts and styles under names that tell their content, fonts, the
 * matches, index.html. Part of `npm run build`.
 */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { type BundledMatch, bundledMatchTitles, readBundledMatch } from './bundled.ts';
import { pageMatchOf } from './page-data.ts';

const source = fileURLToPath(new URL('../../demo/page/', import.meta.url));
const target = fileURLToPath(new URL('../page/', import.meta.url));

const shared: BuildOptions = {
  bundle: true,
  minify: true,
  target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
  outdir: target,
  entryNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.woff2': 'file' },
  metafile: true,
  logLevel: 'warning',
};

async function bundle(options: BuildOptions): Promise<Map<string, string>> {
  const { metafile } = await build({ ...shared, ...options });
  const names = new Map<string, string>();
  for (const [path, output] of Object.entries(metafile?.outputs ?? {})) {
    if (output.entryPoint !== undefined) names.set(basename(output.entryPoint), basename(path));
    else if (path.endsWith('.woff2')) names.set(`${basename(path).split('-')[0]}.woff2`, basename(path));
  }
  return names;
}

async function buildPage(): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const names = new Map([
    ...(await bundle({ entryPoints: [join(source, 'main.ts')], format: 'esm' })),
    // runs before anything is painted: the theme that was chosen
    ...(await bundle({ entryPoints: [join(source, 'theme-first.ts')], format: 'iife' })),
    ...(await bundle({ entryPoints: [join(source, 'style/page.css')] })),
  ]);
  for (const [match, title] of Object.entries(bundledMatchTitles)) {
    const data = JSON.stringify(pageMatchOf(readBundledMatch(match as BundledMatch), title));
    const name = `${match}-${createHash('sha256').update(data).digest('hex').slice(0, 8)}.json`;
    writeFileSync(join(target, name), data);
    names.set(match, name);
  }
  let page = readFileSync(join(source, 'index.html'), 'utf8');
  for (const [name, hashed] of names) page = page.replaceAll(`{{${name}}}`, `/${hashed}`);
  const left = /\{\{[^}]*\}\}/.exec(page);
  if (left !== null) throw new Error(`index.html asks for ${left[0]}, which was not built`);
  writeFileSync(join(target, 'index.html'), page);
  cpSync(join(source, 'fonts/LICENSE'), join(target, 'font-license.txt'));
  cpSync(join(source, 'icon.svg'), join(target, 'icon.svg'));
}

await buildPage();
