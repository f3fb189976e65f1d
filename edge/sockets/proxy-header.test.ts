import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localHeader, nlbTlvs, proxied, proxyHeader, proxySignature } from './proxy-header.bytes.ts';
import { parseProxyHeader, proxyHeaderBytesMax } from './proxy-header.ts';

const request = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
const whole = (bytes: Buffer, source: string | null) => {
  for (const behind of [Buffer.alloc(0), request]) {
    assert.deepEqual(parseProxyHeader(Buffer.concat([bytes, behind])), {
      state: 'whole',
      bytes: bytes.length,
      source,
    });
  }
};
const why = (bytes: Buffer): string => {
  const parsed = parseProxyHeader(bytes);
  assert.equal(parsed.state, 'bad', bytes.toString('hex'));
  return parsed.state === 'bad' ? parsed.why : '';
};

test('the client of both families, with TLVs as an NLB writes them, and what comes behind', () => {
  whole(proxied('203.0.113.9'), '203.0.113.9');
  whole(proxied('2001:db8::1:0:0:5'), '2001:db8::1:0:0:5');
  whole(proxied('::ffff:203.0.113.9'), '203.0.113.9');
  const nlb = proxied('203.0.113.9', nlbTlvs());
  assert.equal(nlb.length, 100);
  whole(nlb, '203.0.113.9');
  whole(proxied('203.0.113.9', Buffer.alloc(4_000)), '203.0.113.9');
});

test('LOCAL and UNSPEC name no client, whatever stands where addresses would', () => {
  whole(localHeader, null);
  whole(proxyHeader(0, 0x11, Buffer.alloc(84, 9)), null);
  whole(proxyHeader(1, 0, Buffer.alloc(0)), null);
  whole(proxyHeader(1, 0, Buffer.alloc(20, 9)), null);
});

test('in pieces: every beginning of a header may become one', () => {
  for (const header of [proxied('203.0.113.9', nlbTlvs()), localHeader, proxied('2001:db8::1')]) {
    for (let length = 0; length < header.length; length++) {
      assert.equal(parseProxyHeader(header.subarray(0, length)).state, 'more', `${length}`);
    }
  }
});

test('anything else is refused with a sentence, as soon as it shows', () => {
  const header = proxied('203.0.113.9');
  const changed = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(header);
    bytes[at] = value;
    return bytes;
  };
  assert.match(why(request), /does not begin with a PROXY protocol header/);
  assert.match(why(Buffer.from('G')), /does not begin/);
  assert.match(why(Buffer.from('\r\n\r\nX')), /does not begin/);
  assert.equal(parseProxyHeader(Buffer.from('PROX')).state, 'more');
  assert.match(why(Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\n')), /version 1; only version 2/);
  assert.match(why(changed(12, 0x11)), /version 1; only version 2/);
  assert.match(why(changed(12, 0x31)), /version 3/);
  assert.match(why(changed(12, 0x22)), /unknown command 2/);
  assert.match(why(changed(13, 0x12)), /family 0x12, not of TCP/);
  assert.match(why(changed(13, 0x31)), /family 0x31, not of TCP/);
  assert.match(why(changed(13, 0x21)), /12 bytes of addresses; it needs 36/);
  assert.match(why(changed(15, 11)), /11 bytes of addresses; it needs 12/);
  const long = proxied('203.0.113.9', Buffer.alloc(proxyHeaderBytesMax));
  assert.match(why(long.subarray(0, 16)), /4124 bytes; 4096 are read/);
  assert.equal(proxySignature.length, 12);
});
