import { join } from 'node:path';
import { jarsOf, javaProgram } from './install.ts';

/** Small and quick to start: a test's server lives for seconds. */
const flags = [
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+ExitOnOutOfMemoryError',
  '-Djava.net.preferIPv4Stack=true',
  '-Djava.awt.headless=true',
];

export interface JavaOptions {
  service: 'kafka' | 'cassandra' | 'gremlin';
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
  const heap = ['-Xms64m', `-Xmx${options.heapMiB}m`];
  const own = options.flags ?? [];
  return [javaProgram(), ...flags, ...heap, ...own, '-cp', classPath, options.main, ...(options.words ?? [])];
}
