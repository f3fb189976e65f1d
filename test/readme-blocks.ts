import { readFileSync } from 'node:fs';

export interface Block {
  language: string;
  text: string;
  /** The heading it stands under. */
  under: string;
}

/** The fenced blocks of a document, in order. */
export function blocksOf(file: string): Block[] {
  const blocks: Block[] = [];
  let under = '';
  let open: Block | null = null;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line.startsWith('```')) {
      if (open === null) open = { language: line.slice(3).trim(), text: '', under };
      else {
        blocks.push(open);
        open = null;
      }
    } else if (open !== null) open.text += `${line}\n`;
    else if (line.startsWith('#')) under = line.replace(/^#+\s*/, '');
  }
  return blocks;
}
