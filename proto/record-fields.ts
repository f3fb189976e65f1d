/**
 * Checks of single fields of records. Each answers the value or throws a `RecordError` whose sentence names
 * the field and shows the value. Names of fields are put together only when something is wrong.
 */
import { limits } from './limits.ts';
import { RecordError } from './record-error.ts';
import { quote, utf8Length } from './text.ts';

/** The record as it came: an object of unknown fields. */
export type Fields = Record<string, unknown>;

export const fail = (field: string, wanted: string, value: unknown): never => {
  throw new RecordError(
    'bad_field',
    value === undefined
      ? `${field} is missing: it must be ${wanted}.`
      : `${field} must be ${wanted}, not ${quote(value)}.`,
  );
};

const idWanted = `1 to ${limits.idBytesMax} of A-Z, a-z, 0-9, _ and -`;

/** By character code, as thousands of ids come in one record. */
export function isId(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const length = value.length;
  if (length === 0 || length > limits.idBytesMax) return false;
  for (let i = 0; i < length; i++) {
    const unit = value.charCodeAt(i);
    const taken =
      (unit >= 0x61 && unit <= 0x7a) ||
      (unit >= 0x30 && unit <= 0x39) ||
      (unit >= 0x41 && unit <= 0x5a) ||
      unit === 0x5f ||
      unit === 0x2d;
    if (!taken) return false;
  }
  return true;
}

/** `field`, or `entries[item].field` where an item of a record is meant. */
const named = (field: string, item: number): string => (item < 0 ? field : `entries[${item}].${field}`);

export function idField(fields: Fields, field: string, item = -1): string {
  const value = fields[field];
  return isId(value) ? value : fail(named(field, item), idWanted, value);
}

export function optionalIdField(fields: Fields, field: string, item = -1): string | undefined {
  return isAbsent(fields[field]) ? undefined : idField(fields, field, item);
}

/** An array of at most `countMax` ids, handed on as it is. */
export function idsField(fields: Fields, field: string, countMax: number, item = -1): string[] {
  const value = fields[field];
  if (!Array.isArray(value)) return fail(named(field, item), 'an array of ids', value);
  if (value.length > countMax) return fail(named(field, item), `an array of at most ${countMax} ids`, value);
  for (let i = 0; i < value.length; i++) {
    if (!isId(value[i])) fail(`${named(field, item)}[${i}]`, idWanted, value[i] ?? null);
  }
  return value as string[];
}

/** Absent is undefined, or null for producers that write every field. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

export function integerField(fields: Fields, field: string, min: number, max: number): number {
  const value = fields[field];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    return fail(field, `an integer from ${min} to ${max}`, value);
  }
  return value + 0; // -0 becomes 0
}

/** 0 to 1. */
export function shareField(fields: Fields, field: string): number {
  const value = fields[field];
  if (typeof value !== 'number' || !(value >= 0 && value <= 1))
    return fail(field, 'a number from 0 to 1', value);
  return value + 0;
}

export function oneOfField<T extends string | number>(fields: Fields, field: string, taken: readonly T[]): T {
  const value = fields[field];
  return (taken as readonly unknown[]).includes(value) ? (value as T) : fail(field, listed(taken), value);
}

function listed(values: readonly (string | number)[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values[values.length - 1]}`;
}

/** Text for people: well-formed Unicode of one line. */
export function textField(fields: Fields, field: string, bytesMin: number, bytesMax: number): string {
  const value = fields[field];
  const wanted = `a text of ${bytesMin} to ${bytesMax} bytes`;
  if (typeof value !== 'string') return fail(field, wanted, value);
  const bytes = value.length > bytesMax ? value.length : utf8Length(value);
  if (bytes < 0) return fail(field, 'well-formed Unicode', value);
  if (bytes < bytesMin || bytes > bytesMax) return fail(field, wanted, value);
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return fail(field, 'without control characters', value);
  }
  return value;
}

/** An absolute URL of http or https: what is shown as an image must not be a script. */
export function urlField(fields: Fields, field: string, bytesMax: number): string {
  const value = textField(fields, field, 1, bytesMax);
  let protocol = '';
  try {
    protocol = new URL(value).protocol;
  } catch {
    // said below
  }
  if (protocol !== 'https:' && protocol !== 'http:') return fail(field, 'a URL of http or https', value);
  return value;
}
