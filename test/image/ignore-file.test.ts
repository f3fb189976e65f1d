import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from './dockerfile.ts';
import { parseIgnoreFile } from './ignore-file.ts';

test('a .dockerignore is read as Docker reads it: the last pattern that matches decides', () => {
  const ignored = parseIgnoreFile('# note\n.git\n**/node_modules\n*.md\n!README.md\n**/*.test.ts\ndocs/\n');
  for (const path of [
    '.git',
    '.git/HEAD',
    'node_modules',
    'a/node_modules/b',
    'A.md',
    'a/b.test.ts',
    'docs/x',
  ]) {
    assert.equal(ignored(path), true, path);
  }
  for (const path of ['.gitignore', 'README.md', 'a/A.md', 'test.ts', 'my-docs/x', '']) {
    assert.equal(ignored(path), false, path);
  }
});

test('a Dockerfile is read into stages; what is not understood is a fault', () => {
  const first = ['ARG B=node:20', 'FROM \u0024{B} AS one', '# note', 'RUN a && \\', '  b'];
  const second = ['FROM one', 'COPY --from=one --chown=1:1 /a b', 'CMD ["x", "y"]'];
  const text = [...first, ...second].join('\n');
  const [one, two] = parseDockerfile(text);
  assert.deepEqual([one?.name, one?.base, one?.instructions[0]?.text], ['one', 'node:20', 'a &&    b']);
  assert.deepEqual(two?.instructions[0]?.flags, { from: 'one', chown: '1:1' });
  assert.deepEqual(two?.instructions[1]?.words, ['x', 'y']);
  assert.throws(() => parseDockerfile('FROM a\nADD x y\n'), /ADD is not understood/);
});
