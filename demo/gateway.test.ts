import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type GatewayOptions, startGateway } from './gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'rankcast-gateway-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let scripts = 0;
function script(text: string, given: Partial<GatewayOptions> = {}): GatewayOptions {
  scripts += 1;
  const file = join(folder, `script-${scripts}.mjs`);
  writeFileSync(file, text);
  const log = join(folder, `log-${scripts}`);
  return {
    script: file,
    args: ['all'],
    env: { WORD: 'secret' },
    log,
    startTimeoutMs: 20_000,
    stopTimeoutMs: 20_000,
    ...given,
  };
}
const ports = `console.log('{"level":30}'); console.log('{"port":8080,"opsPort":8081,"adapter":"uws"}');`;

test('a gateway is started with arguments and environment, and says its ports', async () => {
  const options = script(
    `${ports} console.error(process.argv[2], process.env.WORD); setInterval(() => {}, 1e6);`,
  );
  const gateway = await startGateway(options);
  assert.deepEqual([gateway.port, gateway.opsPort, gateway.adapter], [8080, 8081, 'uws']);
  await gateway.stop();
  await gateway.stop();
  assert.match(await gateway.ended, /The gateway ended|all secret/);
  await gateway.ended;
  assert.match(readFileSync(options.log, 'utf8'), /"level":30/);
});

test('one that does not start gives its own sentence', async () => {
  const taken = script(
    `console.error('{"level":50}'); console.error('rankcast: port 8080 is taken'); process.exit(3);`,
  );
  await assert.rejects(startGateway(taken), { message: 'rankcast: port 8080 is taken' });
  const silent = script('process.exit(7);');
  await assert.rejects(startGateway(silent), /^Error: The gateway ended with code 7; see /);
  const missing = { ...silent, script: join(folder, 'none.mjs') };
  await assert.rejects(startGateway(missing), /MODULE_NOT_FOUND/);
});

test('one that says nothing is ended', async () => {
  const options = script('setInterval(() => {}, 1e6);', { startTimeoutMs: 1 });
  await assert.rejects(startGateway(options), /did not say its ports within 1 ms/);
});

test('one that does not want to end is killed', async () => {
  const deaf = `process.on('SIGTERM', () => {}); ${ports} setInterval(() => {}, 1e6);`;
  const gateway = await startGateway(script(deaf, { stopTimeoutMs: 1 }));
  await gateway.stop();
  assert.match(await gateway.ended, /by SIGKILL/);
});
