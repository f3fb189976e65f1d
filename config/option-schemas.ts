import { z } from 'zod';

/** What option tables are made of. */
export interface OptionSpec {
  readonly schema: z.ZodType;
  readonly about: string;
  /** Never printed. */
  readonly secret?: true;
}

/** A whole number, or text of one: environment and flags know only text. */
export const integer = (min: number, max: number, fallback: number) =>
  z
    .preprocess(
      (value) => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value),
      z
        .number('it is not a whole number')
        .int('it is not a whole number')
        .min(min, `it is less than ${min}`)
        .max(max, `it is more than ${max}`),
    )
    .default(fallback);
export const port = (fallback: number) => integer(0, 65_535, fallback);
export const ms = (max: number, fallback: number) => integer(0, max, fallback);
export const count = (max: number, fallback: number) => integer(1, max, fallback);
export const text = z.string().min(1);
export const list = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? value.split(',') : value))
  .transform((parts) => parts.map((part) => part.trim()).filter((part) => part !== ''));
/** 32 bytes is what HS256 needs to be as strong as its hash; an API key gets the same floor. */
export const secretCharsMin = 32;
export const secret = z.string().min(secretCharsMin, `is shorter than ${secretCharsMin} characters`);
export const dayMs = 86_400_000;
/** True or false, or the text of one. */
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false'])], 'it is neither true nor false')
  .transform((value) => value === true || value === 'true');
