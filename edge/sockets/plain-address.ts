/** `::ffff:10.0.0.1`, in whichever spelling, is an IPv4 address that came in over IPv6: 10.0.0.1. */
export function plainAddress(address: string): string {
  const short = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (short?.[1] !== undefined) return short[1];
  const long = /^(?:0{4}:){5}ffff:([0-9a-f]{4}):([0-9a-f]{4})$/i.exec(address);
  if (long?.[1] === undefined || long[2] === undefined) return address;
  const bits = Number.parseInt(long[1] + long[2], 16);
  return [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255].join('.');
}
