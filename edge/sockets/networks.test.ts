import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNetworks } from './networks.ts';

test('addresses in and out of networks, of both families, IPv4 also where it came in over IPv6', () => {
  const inside = parseNetworks(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '2001:db8::1']);
  for (const address of ['10.0.0.1', '10.255.255.255', '::ffff:10.1.2.3', '192.0.2.7', 'fdff::1']) {
    assert.ok(inside(address), address);
  }
  for (const address of ['11.0.0.1', '192.0.2.8', 'fe80::1', '2001:db8::2', '', 'nonsense']) {
    assert.ok(!inside(address), address);
  }
  assert.ok(inside('2001:db8:0::1'));
  assert.ok(!parseNetworks([])('10.0.0.1'));
  assert.ok(parseNetworks(['0.0.0.0/0'])('203.0.113.9'));
  assert.ok(!parseNetworks(['0.0.0.0/0'])('2001:db8::1'));
});

test('what is no network is named', () => {
  for (const text of ['10.0.0.0/33', '10.0.0.1/8', '10.1/16', '300.0.0.0/8', 'fd00::1/8', 'all', '10', '']) {
    assert.throws(() => parseNetworks(['10.0.0.0/8', text]), /is no network/, text);
  }
  assert.throws(() => parseNetworks(['10.1.2.3/8']), /"10\.1\.2\.3\/8" .*first address of it is 10\.0\.0\.0/);
});
