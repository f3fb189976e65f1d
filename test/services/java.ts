import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { jarsOf, javaProgram } from './install.ts';

/** Small and quick to start: a test's server lives for seconds. */
const flags = [
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+ExitOnOutOfMemoryError',
  '-Djava.net.preferIPv4Stack=true',
  '-Djava.awt.headless=true',
  '-XX:-UsePerfData',
];

export interface JavaOptions {
  service: 'kafka' | 'cassandra' | 'gremlin';
  /** The server's: what the JVM unpacks goes there, so that a killed one leaves nothing behind. */
  folder: string;
  /** Folder whose files come before the jars, from the folder the JVM runs in. */
  before?: string;
  heapMiB: number;
  flags?: readonly string[];
  main: string;
  words?: readonly string[];
}

/** The command that runs a class of a server's jars. */
export function javaCommand(options: JavaOptions): string[] {
  const jars = join(jarsOf(options.service), '*');
  const classPath = options.before === undefined ? jars : `${options.before}:${jars}`;
  const temporary = join(options.folder, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const heap = ['-Xms64m', `-Xmx${options.heapMiB}m`, `-Djava.io.tmpdir=${temporary}`];
  const own = options.flags ?? [];
  return [javaProgram(), ...flags, ...heap, ...own, '-cp', classPath, options.main, ...(options.words ?? [])];
}
