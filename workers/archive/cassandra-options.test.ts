import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cassandraArchiveDefaults, cassandraArchiveFaults, replicationOf } from './cassandra-options.ts';
import { tableStatements } from './connect-cassandra.ts';

test('the defaults are in order, and each wrong option is named', () => {
  assert.deepEqual(cassandraArchiveFaults(cassandraArchiveDefaults), []);
  const faults = cassandraArchiveFaults({
    ...cassandraArchiveDefaults,
    contactPoints: [],
    keyspace: 'a; DROP KEYSPACE b',
    replication: 'many',
    user: 'ann',
  });
  assert.equal(faults.length, 4);
  assert.match(
    faults.join('\n'),
    /no contact point.*\n.*no name of a keyspace.*\n.*without password.*\n.*dc1:3/,
  );
});

test('replication is a number, or copies by data center', () => {
  assert.equal(replicationOf('3'), "{'class': 'SimpleStrategy', 'replication_factor': 3}");
  assert.equal(
    replicationOf('dc1:3, us-east:2'),
    "{'class': 'NetworkTopologyStrategy', 'dc1': 3, 'us-east': 2}",
  );
  for (const wrong of ['', '0', '-1', 'dc1', 'dc1:0', "dc1':3", 'dc1:3,,dc2:3']) {
    assert.equal(replicationOf(wrong), null, wrong);
  }
});

test('the file for operators holds the two tables, for a keyspace of any name', () => {
  const statements = tableStatements('mine');
  assert.equal(statements.length, 2);
  for (const statement of statements) assert.match(statement, /^CREATE TABLE IF NOT EXISTS mine\.\w+ \(/);
});
