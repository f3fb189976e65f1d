import ipaddr from 'ipaddr.js';

/** Whether an address is in one of the networks. */
export type Networks = (address: string) => boolean;

/** From CIDR texts (`10.0.0.0/8`, `fd00::/8`); an address alone is a network of one. Throws a sentence. */
export function parseNetworks(texts: readonly string[]): Networks {
  const ranges = texts.map(parseNetwork);
  if (ranges.length === 0) return () => false;
  return (address) => {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return ranges.some(([base, bits]) => {
      if (parsed instanceof ipaddr.IPv4) return base instanceof ipaddr.IPv4 && parsed.match(base, bits);
      return base instanceof ipaddr.IPv6 && parsed.match(base, bits);
    });
  };
}

function parseNetwork(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const alone = !text.includes('/');
  if (alone && ipaddr.isValid(text) && isWhole(text)) {
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  }
  if (alone || !ipaddr.isValidCIDR(text) || !isWhole(text.split('/', 1)[0]!)) {
    throw new Error(`${JSON.stringify(text)} is no network: write 10.0.0.0/8 or fd00::/8`);
  }
  const [base, bits] = ipaddr.parseCIDR(text);
  const first =
    base.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(text)
      : ipaddr.IPv6.networkAddressFromCIDR(text);
  if (first.toString() !== base.toString()) {
    throw new Error(`${JSON.stringify(text)} is no network: the first address of it is ${first.toString()}`);
  }
  return [base, bits];
}

/** The library also takes `10.1` and numbers, as inet_aton does. */
function isWhole(address: string): boolean {
  return address.includes(':') || ipaddr.IPv4.isValidFourPartDecimal(address);
}
