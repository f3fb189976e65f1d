/** Which paths of a build's context a .dockerignore leaves out: the last pattern that matches decides. */
export type Ignored = (path: string) => boolean;

export function parseIgnoreFile(text: string): Ignored {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keeps: line.startsWith('!'), pattern: patternOf(line.replace(/^!/, '')) }));
  return (path) => {
    let ignored = false;
    for (const { keeps, pattern } of rules) if (pattern.test(path)) ignored = !keeps;
    return ignored;
  };
}

/** A pattern matches a path and all below it; `**` any folders, `*` within one name. */
function patternOf(glob: string): RegExp {
  const clean = glob.replace(/^\/|\/$/g, '');
  const parts = clean.split(/(\*\*\/|\*\*|\*|\?)/).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    return part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}(?:/.*)?$`);
}
