import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStartFlags, startDefaults } from './start-options.ts';

test('flags of the start: defaults, all of them, help', () => {
  assert.deepEqual(parseStartFlags([]), startDefaults);
  const args = (
    '--port 0 --host ::1 --speed 0 --fresh --folder x --teams 5 --small-contests 0 ' +
    '--fans 0.5 --workers-apart'
  ).split(' ');
  assert.deepEqual(parseStartFlags(args), {
    host: '::1',
    port: 0,
    speed: 0,
    fresh: true,
    folder: 'x',
    teams: 5,
    smallContests: 0,
    fans: 0.5,
    workersApart: true,
  });
  assert.equal(parseStartFlags(['--help']), null);
});

test('every wrong flag is named at once', () => {
  const args = '--port 70000 --speed fast --teams 0 --small-contests 1.5 --fans=-1'.split(' ');
  assert.throws(
    () => parseStartFlags(args),
    (error: Error) => {
      assert.deepEqual(error.message.split('\n'), [
        '--port: "70000" is not a whole number from 0 to 65535',
        '--speed: "fast" is not 0 or a number from 1/60 to 1000',
        '--teams: "0" is not a whole number from 1 to 1000000',
        '--small-contests: "1.5" is not a whole number from 0 to 10000',
        '--fans: "-1" is not a number from 0 to 50',
      ]);
      return true;
    },
  );
  assert.throws(() => parseStartFlags(['--prot', '1']), /--prot/);
});
