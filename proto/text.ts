/** Text of strangers: how long it is in UTF-8, and how it is shown in a sentence. */

/** Bytes of `text` in UTF-8; -1 where a surrogate stands alone (such text has no UTF-8). */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      bytes += 1;
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes += 2;
    } else {
      if (unit > 0xdbff || i + 1 === text.length) return -1;
      const low = text.charCodeAt(i + 1);
      if (low < 0xdc00 || low > 0xdfff) return -1;
      bytes += 2;
      i++;
    }
  }
  return bytes;
}

/**
 * The longest beginning of `text` that fits `bytesMax` bytes of UTF-8; ends in `…` where something was cut.
 */
export function clipBytes(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  const whole = utf8Length(text);
  if (whole >= 0 && whole <= bytesMax) return text;
  let bytes = 3; // the ellipsis
  let cut = '';
  for (const character of text) {
    const length = utf8Length(character);
    bytes += length < 0 ? 3 : length;
    if (bytes > bytesMax) break;
    cut += character;
  }
  return `${cut}…`;
}

const shownCharactersMax = 40;
const invisible = /[\u007f-\u00a0\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A stranger's value as a sentence may show it: one line, bounded, nothing invisible. */
export function quote(value: unknown): string {
  if (typeof value === 'string') return quoteText(value);
  if (value === undefined) return 'nothing';
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return String(value);
  if (typeof value === 'bigint') return quoteText(value.toString()).slice(1, -1);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Uint8Array) return 'bytes';
  return 'an object';
}

function quoteText(text: string): string {
  const cut = text.length > shownCharactersMax;
  const shown = JSON.stringify(cut ? text.slice(0, shownCharactersMax) : text).replace(
    invisible,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return cut ? `${shown.slice(0, -1)}…"` : shown;
}
