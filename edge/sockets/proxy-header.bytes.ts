import ipaddr from 'ipaddr.js';

/** Headers of the PROXY protocol as a load balancer would write them; for tests. */
export const proxySignature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

export function proxyHeader(command: number, family: number, rest: Uint8Array): Buffer {
  const fixed = Buffer.alloc(16);
  proxySignature.copy(fixed);
  fixed[12] = 0x20 | command;
  fixed[13] = family;
  fixed.writeUInt16BE(rest.length, 14);
  return Buffer.concat([fixed, rest]);
}

/** For a TCP client of this address, with TLVs behind. */
export function proxied(client: string, tlvs: Uint8Array = Buffer.alloc(0)): Buffer {
  const source = Buffer.from(ipaddr.parse(client).toByteArray());
  const target = Buffer.alloc(source.length, 7);
  const ports = Buffer.from([0x30, 0x39, 0x1f, 0x90]);
  return proxyHeader(1, source.length === 4 ? 0x11 : 0x21, Buffer.concat([source, target, ports, tlvs]));
}

/** A health check of the balancer's own. */
export const localHeader: Buffer = proxyHeader(0, 0, Buffer.alloc(0));

export function tlv(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}

/** What an NLB puts behind the addresses: a checksum, the endpoint of the VPC, and filling. */
export function nlbTlvs(): Buffer {
  const endpoint = Buffer.concat([Buffer.from([1]), Buffer.from('vpce-08d2bf15fac5001c9')]);
  return Buffer.concat([
    tlv(0x03, Buffer.from('a9b87e8f', 'hex')),
    tlv(0xea, endpoint),
    tlv(0x04, Buffer.alloc(36)),
  ]);
}
