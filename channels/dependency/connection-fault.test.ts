import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionFault } from './connection-fault.ts';

const coded = (code: string, message = 'x') => Object.assign(new Error(message), { code });

test('faults of TLS, names and passwords are sentences', () => {
  const cases: [unknown, string][] = [
    [coded('CERT_HAS_EXPIRED'), 'redis: its certificate has expired.'],
    [
      coded('ERR_TLS_CERT_ALTNAME_INVALID'),
      'redis: its certificate is for another name than the one dialled.',
    ],
    [
      coded('SELF_SIGNED_CERT_IN_CHAIN'),
      'redis: its certificate is signed by a CA that is not trusted here.',
    ],
    [
      new Error('WRONGPASS invalid username-password pair or user is disabled.'),
      'redis: it does not take the user name and password given.',
    ],
    [coded('ECONNREFUSED'), 'redis: nothing listens at that address.'],
    ['text', 'redis: it failed without saying why.'],
  ];
  for (const [error, sentence] of cases) assert.equal(connectionFault('redis', error), sentence);
});

test('the fault is found inside of what wraps it', () => {
  const wrapped = new Error('all hosts tried', { cause: new AggregateError([coded('CERT_HAS_EXPIRED')]) });
  assert.equal(connectionFault('kafka', wrapped), 'kafka: its certificate has expired.');
});

test('a password in an address is not passed on', () => {
  const sentence = connectionFault('redis', new Error('cannot parse redis://ann:hunter2@host:1'));
  assert.ok(!sentence.includes('hunter2'));
});
