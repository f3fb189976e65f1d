import assert from 'node:assert/strict';
import { test } from 'node:test';
import { murmur2, partitionOfKey } from './partition.ts';

/**
 * Published with Kafka (UtilsTest.testMurmur2) and with kafkajs (defaultJava/murmur2.spec.js, made by Java).
 */
const known: readonly (readonly [key: string, hash: number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
  ['0', 971027396],
  ['1', -1993445489],
  ['128', -326012175],
  ['2187', -1508407203],
  ['16384', -325739742],
  ['78125', -1654490814],
  ['279936', 1462227128],
  ['823543', -2014198330],
  ['2097152', 607668903],
  ['4782969', -1182699775],
  ['10000000', -1830336757],
  ['19487171', -1603849305],
  ['35831808', -857013643],
  ['62748517', -1167431028],
  ['105413504', -381294639],
  ['170859375', -1658323481],
  ['100:48069', 1009543857],
];

test('[LOG-1] murmur2 gives the published hashes', () => {
  for (const [key, hash] of known) assert.equal(murmur2(Buffer.from(key)), hash, key);
});

test('[LOG-1] a negative hash is made positive by its lower 31 bits', () => {
  assert.equal(partitionOfKey('21', 4), (-973932308 & 0x7fffffff) % 4);
  assert.equal(partitionOfKey('abc', 10), 479470107 % 10);
  for (let key = 0; key < 1_000; key++) {
    const partition = partitionOfKey(String(key), 7);
    assert.ok(partition >= 0 && partition < 7);
  }
});
