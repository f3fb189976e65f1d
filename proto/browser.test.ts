import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../test/project.ts';

test('nothing here needs Node, nor any library: the SDK takes it into browsers', () => {
  const folder = join(projectRoot, 'proto');
  const files = readdirSync(folder).filter((file) => /\.ts$/.test(file) && !/\.(test|fuzz)\.ts$/.test(file));
  assert.ok(files.length >= 15);
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    for (const [, target] of text.matchAll(/(?:\bfrom |\bimport\(|\bimport )'([^']+)'/g)) {
      assert.match(target!, /^\.\/[a-z.-]+\.ts$/, `${file} imports ${target}`);
    }
    assert.doesNotMatch(text, /\b(Buffer|process|require|setImmediate|__dirname)\b/, file);
  }
});
