import { readFileSync } from 'node:fs';
import { edgeFaults } from './edge-options.ts';
import type { OptionSpec } from './option-schemas.ts';
import { ConfigError, flagOf, type OptionName, type Options, optionTable, variableOf } from './options.ts';
import { serverFaults } from './server-options.ts';

type Origin = 'flag' | 'variable' | 'file' | 'default';
interface Given {
  value: unknown;
  origin: Origin;
}
const specs: [OptionName, OptionSpec][] = Object.entries(optionTable) as [OptionName, OptionSpec][];

/** Where options come from: flags win over the environment, that over the file, that over defaults. */
export interface OptionSources {
  flags: Readonly<Record<string, unknown>>;
  environment: Readonly<Record<string, string | undefined>>;
  /** Path of a JSON file; `RANKCAST_CONFIG` names one too. */
  file?: string | undefined;
}

/**
 * Reads and checks all options together. `serving`: the process takes sockets, so keys are required.
 * Throws `ConfigError` with every problem; no secret is ever part of a sentence.
 */
export function loadOptions(sources: OptionSources, serving: boolean): Options {
  const problems: string[] = [];
  const fromFile = readFile(sources.file ?? sources.environment['RANKCAST_CONFIG'], problems);
  for (const variable of Object.keys(sources.environment)) {
    if (variable.startsWith('RANKCAST_') && !knownVariables.has(variable)) {
      problems.push(`${variable} names no option`);
    }
  }
  const options: Record<string, unknown> = {};
  for (const [name, spec] of specs) {
    const given = pick(name, sources, fromFile);
    const result = spec.schema.safeParse(given.value);
    if (result.success) options[name] = result.data;
    else for (const issue of result.error.issues) problems.push(sentence(name, spec, given, issue.message));
  }
  if (problems.length === 0) problems.push(...relations(options as Options, serving));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(options) as Options;
}

const knownVariables = new Set(['RANKCAST_CONFIG', ...specs.map(([name]) => variableOf(name))]);

function readFile(path: string | undefined, problems: string[]): Record<string, unknown> {
  if (path === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    problems.push(`the file ${path} cannot be read as JSON: ${(error as Error).message}`);
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    problems.push(`the file ${path} must hold one JSON object`);
    return {};
  }
  for (const key of Object.keys(parsed)) {
    if (!Object.hasOwn(optionTable, key))
      problems.push(`the file ${path} has \`${key}\`, which names no option`);
  }
  return parsed as Record<string, unknown>;
}

function pick(name: OptionName, sources: OptionSources, fromFile: Record<string, unknown>): Given {
  if (sources.flags[name] !== undefined) return { value: sources.flags[name], origin: 'flag' };
  const variable = sources.environment[variableOf(name)];
  // An empty variable is an unset one: deployment files often carry blanks.
  if (variable !== undefined && variable !== '') return { value: variable, origin: 'variable' };
  if (Object.hasOwn(fromFile, name)) return { value: fromFile[name], origin: 'file' };
  return { value: undefined, origin: 'default' };
}

function sentence(name: OptionName, spec: OptionSpec, given: Given, problem: string): string {
  const where = {
    flag: flagOf(name),
    variable: variableOf(name),
    file: `\`${name}\` in the file`,
    default: name,
  };
  // an address may carry a password where none is wanted
  const open = JSON.stringify(given.value)?.replace(/[^\s"'/]+@/g, '***@');
  const shown = spec.secret === true ? 'its value (not shown)' : open;
  const said = problem.charAt(0).toLowerCase() + problem.slice(1);
  return `${where[given.origin]}: ${shown} will not do: ${said}`;
}

/** What must hold between options. */
function relations(options: Options, serving: boolean): string[] {
  const problems: string[] = [];
  const keys = [options.tokenSecret, options.tokenPublicKey, options.tokenJwksUrl].filter(
    (key) => key !== undefined,
  );
  if (keys.length > 1) {
    problems.push('--token-secret, --token-public-key and --token-jwks-url exclude one another: give one');
  }
  if (serving && keys.length === 0) {
    problems.push(
      'no token key: give --token-secret, --token-public-key or --token-jwks-url (no default exists)',
    );
  }
  if (serving && options.apiKey === undefined)
    problems.push('no API key: give --api-key (no default exists)');
  if (options.port !== 0 && options.port === options.opsPort) {
    problems.push(`--port and --ops-port are both ${options.port}: they must differ`);
  }
  if (options.idleMs < 8_000) problems.push('--idle-ms must be at least 8000: pings come at half of it');
  return [...problems, ...edgeFaults(options), ...serverFaults(options)];
}

/** Every option as text, secrets masked: what `check-config` prints. */
export function describeOptions(options: Options): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, spec] of specs) {
    if (options[name] === undefined) continue;
    shown[name] = spec.secret === true ? '(set)' : options[name];
  }
  return shown;
}
