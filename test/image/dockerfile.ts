/** The instructions of a Dockerfile: those it may have here; anything else is a fault of file or reader. */
export interface Instruction {
  name: string;
  /** `--from=build` and the like. */
  flags: Record<string, string>;
  text: string;
  /** Where the arguments stand as JSON. */
  words: string[] | null;
}
export interface Stage {
  name: string;
  base: string;
  instructions: Instruction[];
}

const known = new Set([
  ...['ARG', 'FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'VOLUME', 'EXPOSE'],
  ...['STOPSIGNAL', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'],
]);

export function parseDockerfile(text: string): Stage[] {
  const args = new Map<string, string>();
  const stages: Stage[] = [];
  for (const line of logicalLines(text)) {
    const instruction = parseLine(line);
    const { name, text: rest } = instruction;
    if (!known.has(name)) throw new Error(`Dockerfile: ${name} is not understood`);
    if (name === 'ARG' && stages.length === 0) {
      const [key = '', value = ''] = rest.split('=');
      args.set(key, value);
    } else if (name === 'FROM') {
      const [image = '', , stage] = rest.split(/\s+/);
      const base = image.replace(/\$\{(\w+)\}/g, (_, key: string) => args.get(key) ?? '');
      stages.push({ name: stage ?? String(stages.length), base, instructions: [] });
    } else {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`Dockerfile: ${name} before FROM`);
      stage.instructions.push(instruction);
    }
  }
  return stages;
}

/** Without comments, with continued lines joined. */
function logicalLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function parseLine(line: string): Instruction {
  const name = (/^\S+/.exec(line)?.[0] ?? '').toUpperCase();
  let text = line.slice(name.length).trim();
  const flags: Record<string, string> = {};
  for (
    let found = /^--([\w-]+)=(\S+)\s*/.exec(text);
    found !== null;
    found = /^--([\w-]+)=(\S+)\s*/.exec(text)
  ) {
    flags[found[1] ?? ''] = found[2] ?? '';
    text = text.slice(found[0].length);
  }
  if (name === 'HEALTHCHECK') text = text.replace(/^CMD\s+/, '');
  return { name, flags, text, words: text.startsWith('[') ? (JSON.parse(text) as string[]) : null };
}
