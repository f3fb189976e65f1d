/**
 * Builds an image's folders from a Dockerfile without Docker: COPY, RUN, ENV and the rest are done in an
 * empty folder per stage, by a plain user. The base image is this machine: its Node and npm stand for those
 * of `node:20`.
 * Absolute paths of the image (those of WORKDIR and VOLUME) stand for folders within the stage's folder.
 */
import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { type Instruction, parseDockerfile, type Stage } from './dockerfile.ts';
import type { Ignored } from './ignore-file.ts';

export interface ImageParts {
  dockerfile: string;
  context: string;
  ignored: Ignored;
  /** An empty folder. */
  folder: string;
  /** Who runs everything; null: whoever runs this. */
  user: { uid: number; gid: number } | null;
  /** What the base image's environment has: PATH, HOME. */
  environment: Record<string, string>;
}
export interface Image {
  root: string;
  workdir: string;
  environment: Record<string, string>;
  entrypoint: string[];
  command: string[];
  healthCheck: string[];
  user: string;
  stopSignal: string;
  /** A path of the image on this machine. */
  at(path: string): string;
}

/** Output of a RUN that failed, at most. */
const outputBytesMax = 16 << 20;

export function buildImage(parts: ImageParts): Image {
  const stages = parseDockerfile(parts.dockerfile);
  const built = new Map<string, Image>();
  stages.forEach((stage, n) => {
    built.set(stage.name, buildStage(parts, stage, built, n === stages.length - 1));
  });
  const last = built.get(stages.at(-1)?.name ?? '');
  if (last === undefined) throw new Error('Dockerfile: no stage');
  return last;
}

function buildStage(
  parts: ImageParts,
  stage: Stage,
  built: ReadonlyMap<string, Image>,
  last: boolean,
): Image {
  const root = join(parts.folder, stage.name);
  const places = stage.instructions
    .filter(({ name }) => name === 'WORKDIR' || name === 'VOLUME')
    .map(({ text }) => text);
  const image: Image = {
    ...{ root, workdir: root, environment: { ...parts.environment } },
    ...{ entrypoint: [], command: [], healthCheck: [], user: 'root', stopSignal: 'SIGTERM' },
    at: (path) => (isAbsolute(path) ? join(root, path) : join(image.workdir, path)),
  };
  mkdirSync(root);
  give(root, parts, false);
  const mapped = (text: string) => mapPaths(text, root, places);
  for (const instruction of stage.instructions) {
    const { name, text, words } = instruction;
    if (name === 'WORKDIR') {
      image.workdir = join(root, text);
      mkdirSync(image.workdir, { recursive: true });
      give(image.workdir, parts, last);
    } else if (name === 'COPY') copy(parts, image, instruction, built, last);
    else if (name === 'RUN') run(parts, image, mapped(text));
    else if (name === 'ENV') setEnvironment(image, mapped(text));
    else if (name === 'USER') image.user = text;
    else if (name === 'STOPSIGNAL') image.stopSignal = text;
    else if (name === 'ENTRYPOINT') image.entrypoint = wordsOf(words, name);
    else if (name === 'CMD') image.command = wordsOf(words, name);
    else if (name === 'HEALTHCHECK') image.healthCheck = wordsOf(words, name);
  }
  return image;
}

/** The shell form would put a shell between the process and its signals. */
function wordsOf(words: string[] | null, name: string): string[] {
  if (words === null) throw new Error(`Dockerfile: ${name} is not a list of words`);
  return words;
}

function mapPaths(text: string, root: string, places: readonly string[]): string {
  return places.reduce(
    (mapped, place) =>
      mapped.replaceAll(new RegExp(`(^|[\\s:="'])${place}(?=$|[/\\s:"'])`, 'g'), `$1${root}${place}`),
    text,
  );
}

function setEnvironment(image: Image, text: string): void {
  for (const [, key = '', value = ''] of text.matchAll(/(\w+)=(\S*)/g)) {
    image.environment[key] = value.replaceAll(
      /\$\{?(\w+)\}?/g,
      (_, other: string) => image.environment[other] ?? '',
    );
  }
}

function run(parts: ImageParts, image: Image, script: string): void {
  try {
    execFileSync('/bin/sh', ['-ec', script], {
      cwd: image.workdir,
      env: image.environment,
      encoding: 'utf8',
      maxBuffer: outputBytesMax,
      stdio: 'pipe',
      ...(parts.user ?? {}),
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`RUN ${script}\n${stdout}\n${stderr}`);
  }
}

function copy(
  parts: ImageParts,
  image: Image,
  { flags, text }: Instruction,
  built: ReadonlyMap<string, Image>,
  last: boolean,
): void {
  const words = text.split(/\s+/);
  const target = words.pop() ?? '';
  const from = flags['from'] === undefined ? null : built.get(flags['from']);
  if (from === undefined) throw new Error(`COPY --from=${flags['from']}: no such stage`);
  const to = image.at(target);
  for (const word of words) {
    const source = from === null ? join(parts.context, word) : from.at(word);
    if (!existsSync(source)) throw new Error(`COPY ${word}: it is not there`);
    const isFolder = lstatSync(source).isDirectory();
    const asFile = !isFolder && !target.endsWith('/') && target !== '.' && words.length === 1;
    const into = isFolder || asFile ? to : join(to, basename(source));
    mkdirSync(isFolder ? into : dirname(into), { recursive: true });
    cpSync(source, into, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => from !== null || !parts.ignored(relative(parts.context, path)),
    });
  }
  give(to, parts, last && flags['chown'] === undefined);
}

/** What the image's user does not own stays root's, where root runs this. */
function give(path: string, { user }: ImageParts, roots: boolean): void {
  if (user === null || roots) return;
  const { uid, gid } = user;
  chownSync(path, uid, gid);
  if (!lstatSync(path).isDirectory()) return;
  execFileSync('chown', ['-Rh', `${uid}:${gid}`, path]);
}

/** Files of a folder of the image, as paths from it. */
export function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
