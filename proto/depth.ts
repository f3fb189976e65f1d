/**
 * Whether objects and arrays are nested more than `depthMax` deep in a JSON value: such a value is refused
 * at the way in, as encoders go down by recursion. Goes no deeper itself than `depthMax`.
 */
export function isDeeperThan(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depthMax === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    if (isDeeperThan(inner, depthMax - 1)) return true;
  }
  return false;
}
