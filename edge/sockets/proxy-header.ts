/**
 * The header of the PROXY protocol, version 2, as load balancers put it before a connection's first byte
 * (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2.2): a signature of 12 bytes,
 * version and command, family, the length of what follows, two addresses and ports, and then TLVs (an NLB of
 * AWS pads with them to 100 bytes), which are skipped.
 */
import ipaddr from 'ipaddr.js';

export type ProxyHeader =
  /** So far it could become a header. */
  | { state: 'more' }
  | { state: 'bad'; why: string }
  /** `source`: the client's address; null where the proxy speaks for itself (health checks). */
  | { state: 'whole'; bytes: number; source: string | null };

/** The fixed part, the longest addresses, and TLVs: names and certificates' subjects take some hundreds. */
export const proxyHeaderBytesMax = 4_096;

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedBytes = 16;
const version1 = Buffer.from('PROXY ');
const more: ProxyHeader = { state: 'more' };
const bad = (why: string): ProxyHeader => ({ state: 'bad', why });

export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  const known = Math.min(bytes.length, signature.length);
  if (!bytes.subarray(0, known).equals(signature.subarray(0, known))) {
    if (!startsLike(bytes, version1)) return bad('It does not begin with a PROXY protocol header.');
    if (bytes.length < version1.length) return more;
    return bad('Its PROXY protocol header is of version 1; only version 2 is read.');
  }
  if (bytes.length < fixedBytes) return more;
  const version = bytes[12]! >> 4;
  const command = bytes[12]! & 15;
  const family = bytes[13]!;
  const length = bytes.readUInt16BE(14);
  if (version !== 2)
    return bad(`Its PROXY protocol header is of version ${version}; only version 2 is read.`);
  if (command > 1) return bad(`Its PROXY protocol header has the unknown command ${command}.`);
  if (fixedBytes + length > proxyHeaderBytesMax) {
    return bad(
      `Its PROXY protocol header has ${fixedBytes + length} bytes; ${proxyHeaderBytesMax} are read.`,
    );
  }
  // LOCAL, and a client of unknown kind: the connection is the proxy's own.
  const source = command === 0 || family === 0 ? null : sourceOf(family, length);
  if (source !== null && 'why' in source) return bad(source.why);
  if (bytes.length < fixedBytes + length) return more;
  return {
    state: 'whole',
    bytes: fixedBytes + length,
    source: source === null ? null : addressText(bytes.subarray(fixedBytes, fixedBytes + source.bytes)),
  };
}

/** How long the client's address is; each comes twice (the target's follows), with two ports. */
function sourceOf(family: number, length: number): { bytes: number } | { why: string } {
  if (family !== 0x11 && family !== 0x21) {
    return { why: `Its PROXY protocol header is of family 0x${family.toString(16)}, not of TCP.` };
  }
  const bytes = family === 0x11 ? 4 : 16;
  if (length >= 2 * bytes + 4) return { bytes };
  return { why: `Its PROXY protocol header has ${length} bytes of addresses; it needs ${2 * bytes + 4}.` };
}

function addressText(bytes: Buffer): string {
  const address = ipaddr.fromByteArray([...bytes]);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) {
    return address.toIPv4Address().toString();
  }
  return address.toString();
}

function startsLike(bytes: Buffer, text: Buffer): boolean {
  const known = Math.min(bytes.length, text.length);
  return bytes.subarray(0, known).equals(text.subarray(0, known));
}
