/** The real data that tests read; their origin is in test/data/NOTICE. */
import { readFileSync } from 'node:fs';

/** Compiled tests live in `dist/test/model/`, the data stays where it is. */
const data = new URL('../../../test/data/', import.meta.url);

export function readTestFile(name: string): string {
  return readFileSync(new URL(name, data), 'utf8');
}
