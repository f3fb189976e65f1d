/** Reading of query parameters and path parameters; everything wrong is a sentence. */
import { ClientError } from '../../proto/codes.ts';
import { isId } from '../../proto/record-fields.ts';
import { quote } from '../../proto/text.ts';

/** A whole number of at most 16 digits between `min` and `max`; `fallback` where it is not given. */
export function wholeNumber(
  query: URLSearchParams,
  name: string,
  bounds: { min: number; max: number; fallback: number },
): number {
  const values = query.getAll(name);
  const [text] = values;
  if (text === undefined) return bounds.fallback;
  if (values.length > 1) throw new ClientError('bad_request', `\`${name}\` is given ${values.length} times.`);
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= bounds.min && value <= bounds.max)) {
    const wanted = `a whole number from ${bounds.min} to ${bounds.max}`;
    throw new ClientError('bad_request', `\`${name}\` must be ${wanted}, not ${quote(text)}.`);
  }
  return value;
}

/** The values of a parameter that is given once or more. */
export function ids(query: URLSearchParams, name: string, countMax: number): string[] {
  const values = query.getAll(name);
  if (values.length === 0)
    throw new ClientError('bad_request', `\`${name}\` is missing: give it once or more.`);
  if (values.length > countMax) {
    const message = `\`${name}\` is given ${values.length} times; at most ${countMax} are answered.`;
    throw new ClientError('bad_request', message);
  }
  for (const value of values) checkId(name, value);
  return values;
}

/** `name` says where the id stands. */
export function checkId(name: string, value: string): string {
  if (isId(value)) return value;
  const message = `\`${name}\` must be 1 to 36 of A-Z, a-z, 0-9, _ and -, not ${quote(value)}.`;
  throw new ClientError('bad_request', message);
}
