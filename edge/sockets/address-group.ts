import ipaddr from 'ipaddr.js';

/**
 * Whom limits by address count together: an IPv4 address alone, an IPv6 address with all of its /64, which is
 * what one home or one phone is given and may walk through at will. What is no address stands for itself.
 */
export function addressGroup(address: string): string {
  if (!address.includes(':') || !ipaddr.IPv6.isValid(address)) return address;
  const parts = ipaddr.IPv6.parse(address).parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(':')}::/64`;
}
