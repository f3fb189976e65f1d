import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { projectRoot } from '../project.ts';
import { type Block, blocksOf } from '../readme-blocks.ts';

/**
 * The README's commands, run as they stand in a copy of the repository, by the shell that people paste them
 * into. Two things only are not as they stand, and only where they must: where another program has port 8080
 * or 8081, another port is written in their place; and npm is told by its environment to do without a
 * network, since the copy has all it installs already.
 */
const folder = mkdtempSync(join(tmpdir(), 'rankcast-readme-'));
const copy = join(folder, 'rankcast');
const readme = join(projectRoot, 'README.md');
const blocks = blocksOf(readme);
let ports: [string, string][] = [];

/** Why a block is not run. Every block is run or stands here. */
const notRun: [starts: string, why: string][] = [
  ['npm install && npm test', 'it would run itself'],
  ['docker build', 'test/image/ builds the image without Docker'],
  ['npm run bench', 'it measures for minutes'],
  ['npm run start:real', 'test/services/start-real.live.test.ts runs it'],
  ['npm run test:live', 'it runs for minutes, apart'],
  ['npm install uWebSockets.js@github', 'it needs a network'],
];
/** The start, its build included; and a block of commands. */
const startTimeoutMs = 90_000;
const blockTimeoutMs = 90_000;

before(async () => {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  for (const file of files.split('\n').filter((name) => name !== '' && existsSync(join(projectRoot, name)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(projectRoot, file), join(copy, file));
  }
  copyModules(realpathSync(join(projectRoot, 'node_modules')), join(copy, 'node_modules'));
  ports = await takenPorts(['8080', '8081']);
});
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** Hard links where the file system has them; what npm writes to is a file of its own. */
function copyModules(from: string, to: string): void {
  try {
    execFileSync('cp', ['-al', from, to], { stdio: 'pipe' });
  } catch {
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  }
  rmSync(join(to, '.package-lock.json'), { force: true });
  cpSync(join(from, '.package-lock.json'), join(to, '.package-lock.json'));
}

const written = (text: string) => ports.reduce((all, [port, other]) => all.replaceAll(port, other), text);
const under = (heading: string) => blocks.filter((block) => block.under === heading);

test('every block of shell commands is run here, or there is a reason', () => {
  const run = ['Two commands', 'Your own game in five minutes', 'What to try next', 'The command line'];
  const unknown = blocks
    .filter(({ language }) => language === 'sh' || language === 'js')
    .filter(
      (block) => !run.includes(block.under) && !notRun.some(([starts]) => block.text.startsWith(starts)),
    );
  assert.deepEqual(unknown, []);
  for (const [starts] of notRun)
    assert.ok(
      blocks.some(({ text }) => text.startsWith(starts)),
      starts,
    );
});

test('what the README links to is there', () => {
  const text = readFileSync(readme, 'utf8');
  const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target]) => target ?? '');
  assert.ok(links.length > 10);
  const missing = links.filter(
    (target) => !/^https?:/.test(target) && !existsSync(join(projectRoot, target)),
  );
  assert.deepEqual(missing, []);
});

test('the changelog has the version of package.json, and so has the command line', () => {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  const newest = /^## (\S+)/m.exec(readFileSync(join(projectRoot, 'CHANGELOG.md'), 'utf8'))?.[1];
  assert.equal(newest, version);
  const main = join(projectRoot, 'dist/config/main.js');
  assert.equal(execFileSync(process.execPath, [main, '--version'], { encoding: 'utf8' }).trim(), version);
});

test('every command that the README lists is one, and every command is listed', () => {
  const table = [...readFileSync(readme, 'utf8').matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell]) => cell ?? '');
  const listed = table.flatMap((cell) => [...cell.matchAll(/`([a-z-]+)[ `]/g)].map(([, name]) => name ?? ''));
  const help = execFileSync(process.execPath, [join(projectRoot, 'dist/config/main.js'), '--help'], {
    encoding: 'utf8',
  });
  const commands = [...help.matchAll(/^ {2}([a-z-]+)(?: .*)?$/gm)].map(([, name]) => name ?? '');
  // `adapter` is named in the text
  assert.deepEqual(
    commands.filter((name) => !['help', 'adapter'].includes(name) && !listed.includes(name)),
    [],
  );
  assert.deepEqual(
    listed.filter((name) => !commands.includes(name)),
    [],
  );
});

test('npm install && npm start: within its time the contest room is there; Ctrl-C ends it', async (t) => {
  const block = under('Two commands')[0] as Block;
  assert.equal(block.text, 'npm install && npm start\n');
  const text = ports.length === 0 ? block.text : `npm install && npm start -- --port ${ports[0]?.[1]}\n`;
  t.diagnostic(text.trim());
  const shell = new Shell(text);
  try {
    const url = (await shell.says(/Open the contest room: (http:\S+)/, startTimeoutMs))[1] ?? '';
    const page = await fetch(url);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<html/i);
    await shell.says(/100,000 of 100,000 teams are in/, startTimeoutMs);
    shell.interrupt();
    await shell.ended();
    await assert.rejects(fetch(url));
  } finally {
    shell.kill();
  }
});

test('your own game: three commands, the watch and ten lines of the SDK do what is said', async (t) => {
  const game = [...under('Your own game in five minutes'), ...under('What to try next')];
  if (ports.length > 0) t.diagnostic(`ports in use: ${ports.map((pair) => pair.join(' -> ')).join(', ')}`);
  const script: string[] = ['set -e'];
  for (const { language, text } of game) {
    if (language === 'sh') script.push(written(text), 'echo "--- done"');
    const name = /^\/\/ (\S+\.mjs)\n/.exec(text)?.[1];
    if (language === 'js') {
      assert.ok(name, 'a snippet does not name its file');
      // a comment and an empty line beside the ten
      assert.ok(text.split('\n').filter((line) => line.trim() !== '').length <= 11, 'more than ten lines');
      writeFileSync(join(copy, name), written(text));
    }
  }
  const shell = new Shell(`${script.join('\n')}\nsleep 2; kill %1 %2; wait\n`);
  try {
    await shell.says(/team-a: 9 points, rank 1 of 2/, blockTimeoutMs);
    await shell.says(/200 viewers, 200 connected at the end/, blockTimeoutMs);
    await shell.ended();
    // the three commands were taken whole
    assert.equal(
      [...shell.said.matchAll(/"taken":1,"versions":\[[^\]]*\],"refused":\[\]/g)].length,
      4,
      shell.said,
    );
    const watched = [...shell.said.matchAll(/^\{"t":"(\w+)"/gm)].map(([, frame]) => frame);
    assert.deepEqual(watched, ['connected', 'subscribed', 'board', 'entries', 'ranks']);
    assert.match(shell.said, /errors: none/);
  } finally {
    shell.kill();
  }
});

test('the command line’s help is there after a build', async () => {
  const shell = new Shell(under('The command line')[0]?.text ?? 'false');
  await shell.ended();
  assert.match(shell.said, /Usage: rankcast/);
});

/** A shell in the copy, with all it starts in one process group. */
class Shell {
  said = '';
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;

  constructor(script: string) {
    const env = {
      ...process.env,
      ...{ PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, npm_config_offline: 'true' },
    };
    this.#child = spawn('bash', ['-c', script], {
      cwd: copy,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.said += text;
      });
    }
    this.#exit = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)));
  }

  async says(what: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    for (const until = Date.now() + timeoutMs; ; ) {
      const found = what.exec(this.said);
      if (found !== null) return found;
      assert.ok(Date.now() < until, `it did not say ${what}, but:\n${this.said.slice(-4_000)}`);
      const code = await Promise.race([
        this.#exit,
        new Promise<'goes on'>((resolve) => setTimeout(resolve, 50, 'goes on')),
      ]);
      assert.ok(
        code === 'goes on' || what.test(this.said),
        `it ended with ${code}:\n${this.said.slice(-4_000)}`,
      );
    }
  }
  async ended(): Promise<number | null> {
    return await this.#exit;
  }
  /** As Ctrl-C at a terminal: to all of the group. */
  interrupt(): void {
    process.kill(-(this.#child.pid ?? 0), 'SIGINT');
  }
  kill(): void {
    try {
      process.kill(-(this.#child.pid ?? 0), 'SIGKILL');
    } catch {
      // nobody is left
    }
  }
}

/** Ports that somebody has, each with a free one in its place. */
async function takenPorts(wanted: readonly string[]): Promise<[string, string][]> {
  const taken: [string, string][] = [];
  for (const port of wanted) {
    if ((await listen(Number(port))) === 0) taken.push([port, String(await listen(0))]);
  }
  return taken;
}

/** The port, once it is free again; 0: it is taken. */
function listen(port: number): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(0));
    server.listen(port, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
