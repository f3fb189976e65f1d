import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import aws4 from 'aws4';
import { createUpgradeSigner } from './sigv4.ts';

const at = Date.UTC(2015, 7, 30, 12, 36, 0);
const accessKeyId = 'AKIDEXAMPLE';
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

function signerOf(credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) {
  return createUpgradeSigner({
    region: 'us-east-1',
    service: 'service',
    now: () => at,
    credentials: async () => credentials,
  });
}

/** AWS's vectors; dist lies beside test, one step up from this file's room. */
const folder = fileURLToPath(new URL('../../../test/data/sigv4/', import.meta.url));
const vectors = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.req'))
  .map((file) => join(folder, file.slice(0, -'.req'.length)));

test('signatures are those of the published vectors', async () => {
  assert.equal(vectors.length, 18);
  for (const vector of vectors) {
    const canonical = readFileSync(`${vector}.creq`, 'utf8');
    const sessionToken = /^x-amz-security-token:(.*)$/m.exec(canonical)?.[1];
    const credentials = { accessKeyId, secretAccessKey };
    const signUpgrade = signerOf(sessionToken === undefined ? credentials : { ...credentials, sessionToken });
    const [line = '', host = ''] = readFileSync(`${vector}.req`, 'utf8').split(/\r?\n/);
    const path = line.slice('GET '.length, -' HTTP/1.1'.length);
    const headers = await signUpgrade(new URL(`https://${host.slice('Host:'.length)}${path}`));
    const expected = readFileSync(`${vector}.authz`, 'utf8').trim();
    assert.equal(headers['authorization'], expected, basename(vector));
    assert.equal(headers['x-amz-date'], '20150830T123600Z');
  }
});

test('the token of temporary credentials is signed, as an independent signer does it', async () => {
  const sessionToken = 'AQoDYXdzEPT//////////wEXAMPLE+token/==';
  const signUpgrade = signerOf({ accessKeyId, secretAccessKey, sessionToken });
  for (const url of ['wss://neptune.example.com:8182/gremlin', 'wss://neptune.example.com/gremlin?b=2&a=1']) {
    const { host, pathname, search } = new URL(url);
    const headers = await signUpgrade(new URL(url));
    const request = {
      host,
      path: pathname + search,
      service: 'service',
      region: 'us-east-1',
      headers: { 'X-Amz-Date': '20150830T123600Z' },
    };
    const expected = aws4.sign(request, { accessKeyId, secretAccessKey, sessionToken }).headers;
    assert.equal(headers['authorization'], expected?.['Authorization']);
    assert.match(String(headers['authorization']), /SignedHeaders=host;x-amz-date;x-amz-security-token,/);
    assert.equal(headers['x-amz-security-token'], sessionToken);
  }
});

test('credentials are asked for before each signature', async () => {
  let turn = 0;
  const signUpgrade = createUpgradeSigner({
    region: 'eu-west-1',
    service: 'neptune-db',
    now: () => at,
    credentials: async () => ({ accessKeyId: `key${++turn}`, secretAccessKey: `secret${turn}` }),
  });
  const url = new URL('wss://neptune.example.com:8182/gremlin');
  for (const key of ['key1', 'key2']) {
    const { authorization } = await signUpgrade(url);
    assert.ok(authorization?.includes(`Credential=${key}/20150830/eu-west-1/neptune-db/aws4_request`));
  }
});
