/** @live timeout=300s */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from '../../channels/clock.ts';
import { startCassandra } from '../../test/services/cassandra.ts';
import { createAuthority } from '../../test/services/certificates.ts';
import { createCassandraArchive } from './archive.cassandra.ts';
import { type CassandraArchiveOptions, cassandraArchiveDefaults } from './cassandra-options.ts';

/** Over TLS, with passwords: what fits is used, what does not is a sentence, no secret is in a log. */
const authority = createAuthority();
const stranger = createAuthority('Somebody else');
const password = 'the-right-password-9c1f';
const wrongPassword = 'a-wrong-password-77aa';

/** What a read of the archive answers with these options, versions or a sentence; and what was logged. */
async function outcome(address: string, changed: Partial<CassandraArchiveOptions>) {
  const lines: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const archive = createCassandraArchive({
    clock: systemClock,
    logger,
    registry: new Registry(),
    options: { ...cassandraArchiveDefaults, contactPoints: [address], keyspace: 'tls', ...changed },
  });
  try {
    const found = await archive.versions('c', 1);
    return { said: `${found.length} versions`, log: lines.join('') };
  } catch (error) {
    return { said: (error as Error).message, log: lines.join('') };
  } finally {
    await archive.close();
  }
}

test('TLS with client certificates and passwords; each fault of them in a sentence', async () => {
  const server = await startCassandra({
    tls: { ...authority.server(), caFile: authority.caFile, requireClientCert: true },
    auth: { user: 'rankcast', password },
    killable: false,
  });
  try {
    const client = authority.client('rankcast');
    const right = { ...client, caFile: authority.caFile, user: 'rankcast', password };
    const cases: [what: string, Partial<CassandraArchiveOptions>, RegExp][] = [
      ['all right', right, /^0 versions$/],
      [
        'a CA that is not its own',
        { ...right, caFile: stranger.caFile },
        /signed by a CA that is not trusted/,
      ],
      ['no CA', { ...client, user: 'rankcast', password }, /signed by a CA that is not trusted/],
      ['a wrong password', { ...right, password: wrongPassword }, /does not take the user name and password/],
      ['a client that it does not know', { ...right, ...stranger.client('x') }, /cassandra: .*\.$/],
      ['no client certificate', { caFile: authority.caFile, user: 'rankcast', password }, /cassandra: .*\.$/],
      ['another name', { ...right, serverName: 'db.example' }, /for another name/],
      ['no TLS', { user: 'rankcast', password }, /cassandra: .*\.$/],
    ];
    for (const [what, options, saying] of cases) {
      const { said, log } = await outcome(server.address, options);
      assert.match(said, saying, what);
      for (const secret of [password, wrongPassword]) {
        assert.ok(!said.includes(secret) && !log.includes(secret), `${what}: a password is in the log`);
      }
      assert.ok(!log.includes('PRIVATE KEY'), `${what}: a key is in the log`);
    }
  } finally {
    await server.stop();
  }
});

test('a certificate that has expired, or is for another host, is not taken', async () => {
  const expired = { ...authority.server({ expired: true }), caFile: authority.caFile };
  const other = { ...authority.server({ hosts: ['db.example'] }), caFile: authority.caFile };
  for (const [tls, saying] of [
    [expired, /its certificate has expired/],
    [other, /for another name/],
  ] as const) {
    const server = await startCassandra({ tls, killable: false });
    try {
      assert.match((await outcome(server.address, { caFile: authority.caFile })).said, saying);
      if (tls === other) {
        const named = { caFile: authority.caFile, serverName: 'db.example' };
        assert.equal((await outcome(server.address, named)).said, '0 versions');
      }
    } finally {
      await server.stop();
    }
  }
});
