/**
 * Hash slots of a Redis cluster: CRC16 (XMODEM) of a key, or of its hash tag, modulo 16384, as the cluster
 * specification has it.
 */
export const slotCount = 16_384;

export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const end = open === -1 ? -1 : key.indexOf('}', open + 1);
  return crc16(end > open + 1 ? key.slice(open + 1, end) : key) % slotCount;
}

/** A short text of each slot, to be used as hash tag: `tags[slot]`. */
export function slotTags(): readonly string[] {
  if (tags.length > 0) return tags;
  const found = new Array<string>(slotCount).fill('');
  for (let number = 0, missing = slotCount; missing > 0; number++) {
    const tag = number.toString(36);
    const slot = crc16(tag) % slotCount;
    if (found[slot] !== '') continue;
    found[slot] = tag;
    missing -= 1;
  }
  tags = found;
  return tags;
}
let tags: readonly string[] = [];

/**
 * The name of a key that lives beside another one, in its slot: `fence:{followers_1002}`. A key with braces
 * of its own is put beside by its slot's tag, since what is in its braces may not be its hash tag.
 */
export function beside(kind: string, key: string): string {
  if (!key.includes('}') && !key.includes('{')) return `${kind}:{${key}}`;
  return `${kind}:{${slotTags()[slotOf(key)]}}${key}`;
}

function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) crc = ((crc << 8) & 0xffff) ^ table[(crc >> 8) ^ byte]!;
  return crc;
}

const table = Uint16Array.from({ length: 256 }, (_, index) => {
  let crc = index << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});
