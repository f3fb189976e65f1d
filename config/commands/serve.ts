import { ConfigError } from '../options.ts';

export const allWorkers = ['ranker', 'graph', 'followers', 'archive'] as const;
export type WorkerRole = (typeof allWorkers)[number];

export interface Roles {
  edge: boolean;
  workers: readonly WorkerRole[];
}

/** Roles as named on the command line; none: all. */
export function workerRoles(names: readonly string[]): WorkerRole[] {
  const unknown = names.filter((name) => !(allWorkers as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw new ConfigError(unknown.map((name) => `worker ${name} is not one of ${allWorkers.join(', ')}`));
  }
  return names.length === 0 ? [...allWorkers] : (names as WorkerRole[]);
}

export async function serve(_flags: Record<string, unknown>, roles: Roles): Promise<void> {
  throw new Error(`nothing to serve yet: ${JSON.stringify(roles)}`);
}
